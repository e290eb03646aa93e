"""Suffixes and messages of text files."""

from keras_tl.data.folders.file_kinds import FileKind

# Other text formats: documents of people and output of programs.
_OTHER_TEXTS = (
    *(".md", ".rst", ".tex", ".html", ".htm", ".xml", ".rtf", ".log", ".eml"),
    *(".pdf", ".doc", ".docx", ".odt", ".pages", ".epub"),
)
TEXT_FILES = FileKind(
    "text",
    ".txt",
    (".txt",),
    _OTHER_TEXTS,
    "Convert texts in other formats to .txt files in UTF-8.",
    has_folder_for_each_class=True,
)

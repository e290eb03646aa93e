"""Suffixes of text files, and the advice in messages about other files."""

from keras_tl.data.folders.file_kinds import FileKind

# Suffixes of unsupported text formats: documents, and the output of programs.
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

"""Report the guesses of the data readers as findings."""

from keras_tl.preflight.context import Subject
from keras_tl.preflight.findings import Finding


def folder_layout(subject: Subject) -> Finding | None:
    """Report that the reader guessed the splits from folder names."""
    return _note(subject, "folder-layout")


def unused_files(subject: Subject) -> Finding | None:
    """Find files of the folder in other formats that may be items, and items without a label."""
    unused = subject.data.unused_files
    if not unused or not (unused.convertible or unused.unlabelled):
        return None
    folders = f"Move the {unused.item}s that you want to use into class folders."
    actions = [unused.cure] * bool(unused.convertible) + [folders] * bool(unused.unlabelled)
    severity = "warning" if unused.convertible else "note"
    return Finding("unused-files", severity, str(unused), " ".join(actions))


def label_type(subject: Subject) -> Finding | None:
    """Report that the reader guessed the task from the labels."""
    return _note(subject, "label-type")


def _note(subject: Subject, name: str) -> Finding | None:
    readings = [reading for reading in subject.data.readings if reading.name == name]
    if not readings:
        return None
    what, action = (" ".join(getattr(x, part) for x in readings) for part in ("what", "action"))
    return Finding(name, "note", what, action)

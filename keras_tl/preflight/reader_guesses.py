"""Report the guesses of the data readers as findings."""

from keras_tl.preflight.context import CheckContext
from keras_tl.preflight.findings import Finding


def folder_layout(context: CheckContext) -> Finding | None:
    """Report that the reader guessed the splits from folder names."""
    return _note(context, "folder-layout")


def unused_files(context: CheckContext) -> Finding | None:
    """Find files that may be items in an unreadable format, and items outside class folders."""
    unused = context.data.unused_files
    if not unused or not (unused.convertible or unused.unlabelled):
        return None
    folders = f"Move the {unused.item}s that you want to use into class folders."
    actions = [unused.cure] * bool(unused.convertible) + [folders] * bool(unused.unlabelled)
    severity = "warning" if unused.convertible else "note"
    return Finding("unused-files", severity, str(unused), " ".join(actions))


def label_type(context: CheckContext) -> Finding | None:
    """Report that the reader guessed the task from the labels."""
    return _note(context, "label-type")


def _note(context: CheckContext, name: str) -> Finding | None:
    guesses = [guess for guess in context.data.guesses if guess.name == name]
    if not guesses:
        return None
    what, action = (" ".join(getattr(x, part) for x in guesses) for part in ("what", "action"))
    return Finding(name, "note", what, action)

"""Guesses that were made when the data were read, as findings."""

from keras_tl.preflight.findings import Finding
from keras_tl.preflight.subject import Subject


def label_type(subject: Subject) -> Finding | None:
    """The task was guessed from the labels."""
    return _note(subject, "label-type")


def _note(subject: Subject, name: str) -> Finding | None:
    readings = [reading for reading in subject.data.readings if reading.name == name]
    if not readings:
        return None
    what, action = (" ".join(getattr(x, part) for x in readings) for part in ("what", "action"))
    return Finding(name, "note", what, action)

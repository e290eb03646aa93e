"""Guesses about data, each with the argument that decides it."""

import dataclasses
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Reading:
    """One guess, which the preflight checks and `repr` of the data tell.

    Attributes:
        name: the preflight check that reports it.
        what: a sentence: what was found, and how it was read.
        action: a sentence: the argument that decides it.
    """

    name: str
    what: str
    action: str

    def __str__(self) -> str:
        return f"{self.what} {self.action}"


@dataclasses.dataclass(frozen=True)
class LabelMeaning:
    """What labels stand for.

    Attributes:
        task: a name in `keras_tl.tasks.TASKS`; `None`: one class an item, and the number of
            classes tells the task.
        class_names: the names that integers and columns count, or that texts are; `None`: the
            sorted distinct labels.
        readings: the guesses that led to it.
    """

    task: str | None
    class_names: Sequence[str] | None = None
    readings: tuple[Reading, ...] = ()

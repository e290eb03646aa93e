"""Guesses about data, each with the argument that overrides it."""

import dataclasses
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Guess:
    """One guess, reported by the preflight checks and by `repr` of the data.

    Attributes:
        name: Name of the preflight check that reports it.
        what: Sentence with the observation and its interpretation.
        action: Sentence with the argument that overrides the guess.
    """

    name: str
    what: str
    action: str

    def __str__(self) -> str:
        return f"{self.what} {self.action}"


@dataclasses.dataclass(frozen=True)
class LabelInterpretation:
    """Meaning of labels.

    Attributes:
        task: A name in `keras_tl.tasks.TASKS`. `None` means one class per item; the number of
            classes then decides the task.
        class_names: Names that integers and columns index, or that text labels match. `None` means
            the sorted distinct labels.
        guesses: The guesses behind this meaning.
    """

    task: str | None
    class_names: Sequence[str] | None = None
    guesses: tuple[Guess, ...] = ()

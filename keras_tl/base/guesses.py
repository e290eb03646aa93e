"""Guesses about labels and folders of data, and the arguments that override the guesses."""

import dataclasses
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Guess:
    """One guess, reported by the preflight checks and by `repr` of the data.

    Attributes:
        name: Name of the preflight check that reports the guess.
        what: Sentence that names the observation and its interpretation.
        action: Sentence that says which argument overrides the guess.
    """

    name: str
    what: str
    action: str

    def __str__(self) -> str:
        return f"{self.what} {self.action}"


@dataclasses.dataclass(frozen=True)
class LabelInterpretation:
    """Interpretation of labels: the task and the class names.

    Attributes:
        task: A name in `keras_tl.tasks.TASKS`. `None` means one class per item. The number of
            classes then decides the task.
        class_names: Names of the classes, in order. Labels are indices of these names, or equal to
            these names. `None` means the sorted distinct labels.
        guesses: The guesses that led to this interpretation.
    """

    task: str | None
    class_names: Sequence[str] | None = None
    guesses: tuple[Guess, ...] = ()

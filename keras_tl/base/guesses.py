"""Guesses about labels and folders of data, and the arguments that override the guesses."""

import dataclasses
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Guess:
    """Guess about the data. The preflight and the `repr` of the data report the guess.

    Attributes:
        name: Name of the preflight check that reports the guess.
        what: Sentence that states an observation in the data and how keras_tl interprets it.
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
        task: Name of the task, a key of `keras_tl.tasks.TASKS`. `task=None` means that each item
            has one class, and that the number of classes decides the task.
        class_names: Names of the classes. Each label is a class name, or the index of a class name.
            `class_names=None` means that the sorted distinct labels are the class names.
        guesses: The guesses that led to this interpretation.
    """

    task: str | None
    class_names: Sequence[str] | None = None
    guesses: tuple[Guess, ...] = ()

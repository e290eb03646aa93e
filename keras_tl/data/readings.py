"""Guesses about data, each with the argument that decides it."""

import dataclasses


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

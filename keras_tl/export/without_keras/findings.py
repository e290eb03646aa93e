"""Findings about an export, and the error that ends the verification."""

import dataclasses
from typing import Any


class UnusableError(Exception):
    """The export has a defect that makes all further checks impossible."""


@dataclasses.dataclass
class ReplayFindings:
    """Findings about one export. `keras_tl.export.verification.Verification` explains the fields.

    Sentences have no full stop.
    """

    tensorflow: str
    problems: list[str] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)
    signatures: dict[str, Any] = dataclasses.field(default_factory=dict)
    methods: dict[str, str] = dataclasses.field(default_factory=dict)
    text_operations: list[str] = dataclasses.field(default_factory=list)
    differences: dict[str, dict[str, float | None]] = dataclasses.field(default_factory=dict)
    warmup_records: int = 0
    timings: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    peak_bytes: int = 0


def first_line(error: Exception) -> str:
    """Return the first line of an error message, without TensorFlow's traces."""
    said = getattr(error, "message", None) or str(error) or type(error).__name__
    return said.strip().splitlines()[0].rstrip(".")

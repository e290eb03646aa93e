"""What the checks have found: what it is, how bad, what to do."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Self

from keras_tl.base.config import JsonConfig, check_choice
from keras_tl.base.text_tables import paragraphs_html, table_html
from keras_tl.errors import DataError

# From the worst: training cannot work; the result will mislead or disappoint; good to know.
SEVERITIES = ("error", "warning", "note")


@dataclasses.dataclass(frozen=True)
class Finding(JsonConfig):
    """One thing that a check has found.

    Attributes:
        name: a key that stays the same, such as `"near-duplicates"`; see
            `keras_tl.preflight.checks.CHECKS`.
        severity: `"error"`, `"warning"` or `"note"`.
        what: a sentence, with numbers and a few names.
        action: a sentence on what to do about it.
    """

    name: str
    severity: str
    what: str
    action: str

    def __post_init__(self):
        check_choice("severity", self.severity, SEVERITIES)

    def __str__(self) -> str:
        return f"{self.severity} ({self.name}): {self.what} {self.action}"


class Findings(tuple[Finding, ...]):
    """All that was found, the worst first: a tuple that can be shown.

    Args:
        findings: in any order.
        not_checked: why a check was not done, as a phrase, by its name.
        failed: the names of those that could have been done, and may be another time.

    Attributes:
        not_checked: the same.
        failed: the same; only in the process that looked.
    """

    not_checked: dict[str, str]
    failed: frozenset[str]

    def __new__(
        cls,
        findings: Iterable[Finding] = (),
        not_checked: Mapping[str, str] | None = None,
        failed: Iterable[str] = (),
    ) -> Self:
        """Puts the worst first."""
        self = super().__new__(cls, sorted(findings, key=lambda x: SEVERITIES.index(x.severity)))
        self.not_checked = dict(not_checked or {})
        self.failed = frozenset(failed)
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The findings' names, in order."""
        return tuple(finding.name for finding in self)

    def summary(self) -> str:
        """How many there are of each severity, in words, and which."""
        names = {
            severity: [finding.name for finding in self if finding.severity == severity]
            for severity in SEVERITIES
        }
        parts = [
            f"{len(found)} {severity}{'s' if len(found) > 1 else ''} ({', '.join(found)})"
            for severity, found in names.items()
            if found
        ]
        return f"Preflight: {', '.join(parts) or 'nothing found'}."

    def brief(self) -> str:
        """The summary, and the findings that are worse than notes, a line each."""
        worse = [finding for finding in self if finding.severity != "note"]
        return "\n".join([self.summary(), *(f"  {finding}" for finding in worse)])

    def describe(self) -> str:
        """The summary, each finding, and what was not looked at."""
        return "\n".join([self.summary(), *map(str, self), *self._left_out()])

    def _left_out(self) -> list[str]:
        """A sentence for each reason for which checks were not done."""
        by_reason: dict[str, list[str]] = {}
        for name, reason in self.not_checked.items():
            by_reason.setdefault(reason, []).append(name)
        return [f"Not checked ({', '.join(x)}): {reason}." for reason, x in by_reason.items()]

    def without(self, text: str) -> Self:
        """The same with a text left out wherever it stands; an empty one stands nowhere."""
        kept = [
            dataclasses.replace(x, what=x.what.replace(text, ""), action=x.action.replace(text, ""))
            for x in self
        ]
        reasons = {name: why.replace(text, "") for name, why in self.not_checked.items()}
        return type(self)(kept, reasons, self.failed) if text else self

    def stop_if_hopeless(self) -> None:
        """Raises `DataError`, with all the errors in one, if there are any."""
        errors = [finding for finding in self if finding.severity == "error"]
        if errors:
            raise DataError(" ".join(f"{error.what} {error.action}" for error in errors))

    def to_json(self) -> dict[str, Any]:
        """The same as JSON types."""
        return {
            "findings": [finding.to_json() for finding in self],
            "not_checked": self.not_checked,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Reads `to_json`'s result."""
        return cls(map(Finding.from_json, values["findings"]), values["not_checked"])

    def __str__(self) -> str:
        return self.describe()

    def _repr_html_(self) -> str:
        head = ("check", "severity", "found", "what to do")
        table = table_html(head, [dataclasses.astuple(x) for x in self]) if self else ""
        return paragraphs_html(self.summary()) + table + paragraphs_html(*self._left_out())


class NotChecked(Exception):  # noqa: N818 (no error: a check that has nothing to look at)
    """Raised by a check that cannot be done; the message says why, as a phrase."""


class Unreadable(Exception):  # noqa: N818 (the same: training does not need what cannot be read)
    """Raised where a held-out split cannot be read, or its features not kept; a phrase says why."""

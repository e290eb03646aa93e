"""Findings of the preflight checks. A finding has a fact, a severity and advice."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Self, get_args

from keras_tl.base.choices import Severity
from keras_tl.base.config import JsonConfig, check_choice
from keras_tl.base.text_tables import paragraphs_html, table_html
from keras_tl.errors import DataError

# All severities of findings, the worst first.
SEVERITIES: tuple[Severity, ...] = get_args(Severity)


@dataclasses.dataclass(frozen=True)
class Finding(JsonConfig):
    """One finding of a preflight check.

    Attributes:
        name: Fixed name, such as `"near-duplicates"`, see `keras_tl.preflight.checks.CHECKS`.
        severity: Severity of the finding: `"error"`, `"warning"` or `"note"`.
        what: Sentence that states the fact, with numbers and a few names.
        action: Sentence that tells the user what to do.

    Example:
        >>> print(findings[0])
        warning (few-items): The class red has 3 training images. Add images of this class.
    """

    name: str
    severity: Severity
    what: str
    action: str

    def __post_init__(self) -> None:
        check_choice("severity", self.severity, SEVERITIES)

    def __str__(self) -> str:
        return f"{self.severity} ({self.name}): {self.what} {self.action}"


class Findings(tuple[Finding, ...]):
    """Tuple of all findings, the worst first. Notebooks show the findings as a table.

    Attributes:
        not_checked: Dict from the name of each skipped or failed check to the reason, as a phrase.
        failed: Names of checks that failed, but may succeed later. `to_json` leaves out `failed`.

    Example:
        >>> [(finding.name, finding.severity) for finding in findings]
        [('few-items', 'warning'), ('label-type', 'note')]
    """

    not_checked: dict[str, str]
    failed: frozenset[str]

    def __new__(
        cls,
        findings: Iterable[Finding] = (),
        not_checked: Mapping[str, str] | None = None,
        failed: Iterable[str] = (),
    ) -> Self:
        """Sort the findings, the worst first."""
        self = super().__new__(cls, sorted(findings, key=lambda x: SEVERITIES.index(x.severity)))
        self.not_checked = dict(not_checked or {})
        self.failed = frozenset(failed)
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the findings, the worst finding first.

        Example:
            >>> findings.names
            ('few-items', 'label-type')
        """
        return tuple(finding.name for finding in self)

    def summary(self) -> str:
        """Return a sentence with the number and names of the findings of each severity.

        Example:
            >>> findings.summary()
            'Preflight: 1 warning (few-items), 1 note (label-type).'
        """
        parts = []
        for severity in SEVERITIES:
            if names := [finding.name for finding in self if finding.severity == severity]:
                plural = "s" if len(names) > 1 else ""
                parts.append(f"{len(names)} {severity}{plural} ({', '.join(names)})")
        return f"Preflight: {', '.join(parts) or 'nothing found'}."

    def brief(self) -> str:
        """Return text: the summary, and a line for each finding that is a warning or an error.

        Example:
            >>> print(findings.brief())
            Preflight: 1 warning (few-items), 1 note (label-type).
              warning (few-items): The class red has 3 training images. Add images of this class.
        """
        worse = [finding for finding in self if finding.severity != "note"]
        return "\n".join([self.summary(), *(f"  {finding}" for finding in worse)])

    def describe(self) -> str:
        """Return text: the summary, all findings, and the checks that were not done.

        Example:
            >>> findings.describe().splitlines()[-1]
            'Not checked (leakage): there is no test split.'
        """
        return "\n".join([self.summary(), *map(str, self), *self._left_out()])

    def _left_out(self) -> list[str]:
        """Return a sentence for each reason why checks were not done, with names of the checks."""
        by_reason: dict[str, list[str]] = {}
        for name, reason in self.not_checked.items():
            by_reason.setdefault(reason, []).append(name)
        return [f"Not checked ({', '.join(x)}): {reason}." for reason, x in by_reason.items()]

    def without(self, text: str) -> Self:
        """Return a copy of the findings, with `text` removed. If `text` is empty, return `self`.

        Example:
            >>> findings.without("training ")[0].what
            'The class red has 3 images.'
        """
        kept = [
            dataclasses.replace(x, what=x.what.replace(text, ""), action=x.action.replace(text, ""))
            for x in self
        ]
        reasons = {name: why.replace(text, "") for name, why in self.not_checked.items()}
        return type(self)(kept, reasons, self.failed) if text else self

    def raise_errors(self) -> None:
        """Raise one `DataError` with all findings of severity `"error"`, if there are any.

        Example:
            >>> findings.raise_errors()  # There is no finding of severity "error".
        """
        errors = [finding for finding in self if finding.severity == "error"]
        if errors:
            raise DataError(" ".join(f"{error.what} {error.action}" for error in errors))

    def to_json(self) -> dict[str, Any]:
        """Return the findings as JSON types, without `failed`.

        Example:
            >>> sorted(findings.to_json())
            ['findings', 'not_checked']
        """
        findings = [finding.to_json() for finding in self]
        return {"findings": findings, "not_checked": self.not_checked}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Build `Findings` from the result of `to_json`.

        Example:
            >>> ktl.Findings.from_json(findings.to_json()) == findings
            True
        """
        return cls(map(Finding.from_json, values["findings"]), values["not_checked"])

    def __str__(self) -> str:
        return self.describe()

    def _repr_html_(self) -> str:
        head = ("check", "severity", "found", "what to do")
        table = table_html(head, [dataclasses.astuple(x) for x in self]) if self else ""
        return paragraphs_html(self.summary()) + table + paragraphs_html(*self._left_out())


class NotChecked(Exception):  # noqa: N818 (not an error: the check does not apply)
    """Raised if a check cannot be done. The message of the exception is the reason, as a phrase."""


class Unreadable(Exception):  # noqa: N818 (not an error: training does not need this split)
    """Raised if a held-out split is unreadable or its features cannot be cached.

    The message of the exception is the reason, as a phrase.
    """

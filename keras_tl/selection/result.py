"""Result of `Learner.fit`: the kept model, the reason for keeping it, and the training time."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

from keras_tl.base.reporting import time_text
from keras_tl.base.text_tables import paragraphs_html, table_html, table_text
from keras_tl.evaluation.grouping import Grouping
from keras_tl.evaluation.intervals import Interval
from keras_tl.evaluation.wording import number_text, title_of
from keras_tl.runs.history import name_of
from keras_tl.selection.candidates import HEAD, Candidate
from keras_tl.selection.plan import NO_EVIDENCE, OUT_OF_FOLD, Plan


@dataclasses.dataclass(frozen=True, repr=False)
class FitResult:
    """Result of `Learner.fit`: the kept model, the comparison of models, and the training time.

    Attributes:
        kept: Share of fine-tuned weights in the kept model, see `Candidate.share`.
        default: Share of fine-tuned weights in the default model, which `fit` keeps without a
            comparison (docs/explanation/fit.md).
        policy: Name of the fine-tuning policy that `fit` used.
        candidates: Models that `fit` compared, or an empty tuple if `fit` compared no models.
        plan: Plan that `fit` followed: number of trainings, steps and the comparison of models.
        seconds: Wall time in seconds of the steps `"head"`, `"comparison"` and `"fine-tuning"`.
        primary_metric: Name of the task's primary metric.
        item: Word for one item in texts, such as "image".
        trained_on: Number of items on which the kept model was trained.
        augment: Names of the augmentations that fine-tuning used.
        refit: Whether the model was trained on all items, so that no test split is left.
        estimate: If `refit`, metrics of models trained on fewer items, as a dict with the same keys
            as the result of `evaluate()`, else `None`.
        estimated_by: Words for the method that computed `estimate`.
        grouping: Column and number of the groups of the items on which `fit` compared the models.
            `None`: no groups, or `fit` compared no models.

    Example:
        >>> fitted.kept, fitted.policy, fitted.trained_on
        (0.75, 'standard', 350)
    """

    kept: float
    default: float
    policy: str
    candidates: tuple[Candidate, ...]
    plan: Plan
    seconds: Mapping[str, float]
    primary_metric: str
    item: str
    trained_on: int
    augment: tuple[str, ...] = ()
    refit: bool = False
    estimate: Mapping[str, Any] | None = None
    estimated_by: str | None = None
    grouping: Grouping | None = None

    @property
    def name(self) -> str:
        """Name of the model that `fit` kept, such as `"head"`.

        Example:
            >>> fitted.name
            'average, 75% fine-tuned'
        """
        return name_of(self.kept)

    @property
    def reason(self) -> str:
        """Reason why `fit` kept this model, as part of a sentence.

        Example:
            >>> fitted.reason
            'it is the default, and no other model is significantly better'
        """
        own = next((c for c in self.candidates if c.share == self.kept), None)
        better = None if own is None else own.better
        if better is not None and self.kept != self.default:
            return (
                f"its mean loss is {better.mean:.3f} [{better.low:.3f}, {better.high:.3f}] lower "
                f"than the mean loss of the default ({name_of(self.default)})"
            )
        if not self.plan.trainings:
            return "nothing was fine-tuned"
        if self.plan.evidence == NO_EVIDENCE:
            return "it is the default, and no models were compared"
        return "it is the default, and no other model is significantly better"

    @property
    def untested(self) -> str | None:
        """Sentences with the estimated metric, if the model was trained on all items. Else `None`.

        Example:
            >>> fitted.untested is None
            True
        """
        if self.estimate is None:
            return None
        value, ends = (
            self.estimate[self.primary_metric],
            self.estimate["intervals"][self.primary_metric],
        )
        known = "" if ends is None else f" [{', '.join(map(number_text, ends))}]"
        grouping = Grouping.among(self.estimate)
        heeded = "" if grouping is None or ends is None else f" {grouping.describe()}"
        return (
            f"This model was trained on all {self.trained_on:,} {self.item}s: no untouched test "
            f"split exists. Estimated {title_of(self.primary_metric)}: {number_text(value)}{known},"
            f" measured {self.estimated_by}.{heeded}"
        )

    @property
    def kept_because(self) -> str:
        """Sentences that name the kept model and the reason for keeping it.

        Example:
            >>> fitted.kept_because.startswith("Kept: average, 75% fine-tuned. Reason: ")
            True
        """
        return f"Kept: {self.name}. Reason: {self.reason}."

    @property
    def columns(self) -> list[str]:
        """Column titles of the table that compares the models.

        Example:
            >>> fitted.columns
            ['model', 'accuracy', 'difference to the head, 95% interval', 'loss']
        """
        return [
            "model",
            title_of(self.primary_metric),
            "difference to the head, 95% interval",
            "loss",
        ]

    @property
    def rows(self) -> list[list[str]]:
        """Rows of the table that compares the models, or an empty list without a comparison.

        Example:
            >>> fitted.rows[1]
            ['average, 75% fine-tuned', '0.92', '+0.040 [+0.010, +0.070]', '0.35']
        """
        return [
            [
                candidate.name,
                number_text(candidate.metric),
                "" if candidate.share == HEAD else _with_ends(candidate.difference),
                number_text(candidate.loss),
            ]
            for candidate in self.candidates
        ]

    @property
    def remarks(self) -> list[str]:
        """Sentences about the comparison of models, the training time, and a missing test split.

        Example:
            >>> fitted.remarks[0]
            'Compared on 50 validation images.'
        """
        plan, lines = self.plan, []
        if self.candidates:
            what = f"validation {self.item}s"
            if plan.evidence == OUT_OF_FOLD:
                what = f"{self.item}s, each predicted by models that were not trained on it"
            lines.append(f"Compared on {plan.items:,} {what}.")
        if self.grouping is not None:
            lines.append(self.grouping.describe("Intervals of the comparison"))
        lines += plan.cuts
        times = ", ".join(f"{name} {time_text(value)}" for name, value in self.seconds.items())
        lines.append(f"Trained on {self.trained_on:,} {self.item}s. Time: {times}.")
        return lines + ([] if self.untested is None else [self.untested])

    def describe(self) -> str:
        """Return the result of `fit` as plain text with a table.

        Example:
            >>> fitted.describe().splitlines()[0] == fitted.kept_because
            True
        """
        table = [table_text(self.columns, self.rows)] if self.rows else []
        return "\n".join([self.kept_because, *table, *self.remarks])

    def to_json(self) -> dict[str, Any]:
        """Return the fields of the result, and its sentences, as JSON types.

        Example:
            >>> fitted.to_json()["name"]
            'average, 75% fine-tuned'
        """
        return dataclasses.asdict(self) | {
            "name": self.name,
            "reason": self.reason,
            "description": self.describe(),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Build a `FitResult` from the return value of `to_json`.

        Example:
            >>> ktl.FitResult.from_json(fitted.to_json()).name
            'average, 75% fine-tuned'
        """
        plan = values["plan"]
        names = {field.name for field in dataclasses.fields(cls)}
        read = {name: value for name, value in values.items() if name in names}
        read["candidates"] = tuple(map(Candidate.from_json, values["candidates"]))
        read["augment"] = tuple(values["augment"])
        if read.get("grouping"):
            read["grouping"] = Grouping.from_json(read["grouping"])
        read["plan"] = Plan(**plan | {"cuts": tuple(plan["cuts"])})
        return cls(**read)

    def __repr__(self) -> str:
        return self.describe()

    def _repr_html_(self) -> str:
        table = table_html(self.columns, self.rows) if self.rows else ""
        return paragraphs_html(self.kept_because) + table + paragraphs_html(*self.remarks)


def _with_ends(interval: Interval | None) -> str:
    if interval is None:
        return "-"
    return f"{interval.mean:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"

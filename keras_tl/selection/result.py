"""`FitResult`: which model `fit` kept, why, and what that cost."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

from keras_tl.base.text_tables import paragraphs_html, table_html, table_text
from keras_tl.evaluation.wording import number_text, title_of
from keras_tl.runs.history import name_of
from keras_tl.selection.candidates import HEAD, Candidate
from keras_tl.selection.plan import NO_EVIDENCE, OUT_OF_FOLD, Plan, time_text


@dataclasses.dataclass(frozen=True, repr=False)
class FitResult:
    """The model that `fit` kept, the evidence, and the costs.

    Attributes:
        kept: share of the model that was kept, see `Candidate.share`.
        default: share of the model that is kept without evidence (docs/fit.md).
        policy: name of the fine-tuning policy.
        candidates: what was compared; none without evidence.
        plan: what was trained.
        seconds: wall time by step: `"head"`, `"comparison"`, `"fine-tuning"`.
        headline: name of the metric.
        item: what people call one item.
        trained_on: number of items that trained the model.
        augment: augmentation while fine-tuning, see `keras_tl.data.images.augmentation.names_of`.
        refit: whether these are all items, so that no test split is left.
        estimate: with `refit` metrics of models trained on fewer items, as `evaluate()` gives
            them.
        estimated_by: how, in words.
    """

    kept: float
    default: float
    policy: str
    candidates: tuple[Candidate, ...]
    plan: Plan
    seconds: Mapping[str, float]
    headline: str
    item: str
    trained_on: int
    augment: tuple[str, ...] = ()
    refit: bool = False
    estimate: Mapping[str, Any] | None = None
    estimated_by: str | None = None

    @property
    def name(self) -> str:
        """Name of the model that was kept, such as `"head"`."""
        return name_of(self.kept)

    @property
    def reason(self) -> str:
        """Why this model was kept, in a sentence."""
        own = next((c for c in self.candidates if c.share == self.kept), None)
        if own is not None and self.kept != self.default:
            better = own.better
            return (
                f"its mean loss is {better.mean:.3f} [{better.low:.3f}, {better.high:.3f}] lower "
                f"than that of the default ({name_of(self.default)})"
            )
        if not self.plan.trainings:
            return "nothing was fine-tuned"
        if self.plan.evidence == NO_EVIDENCE:
            return "it is the default, and nothing was compared"
        return "it is the default, and no other model is better beyond chance"

    @property
    def untested(self) -> str | None:
        """How good a model is that all items trained, in sentences; `None` for another model."""
        if self.estimate is None:
            return None
        value, ends = self.estimate[self.headline], self.estimate["intervals"][self.headline]
        known = "" if ends is None else f" [{', '.join(map(number_text, ends))}]"
        return (
            f"All {self.trained_on:,} {self.item}s trained this model: no untouched test split "
            f"exists. Estimated {title_of(self.headline)}: {number_text(value)}{known}, measured "
            f"{self.estimated_by}."
        )

    @property
    def kept_because(self) -> str:
        """The model that was kept, and the reason, as sentences."""
        return f"Kept: {self.name}. Reason: {self.reason}."

    @property
    def columns(self) -> list[str]:
        """The head of a table of the candidates."""
        return ["model", title_of(self.headline), "difference to the head, 95% interval", "loss"]

    @property
    def rows(self) -> list[list[str]]:
        """The rows of that table; none without evidence."""
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
        """Sentences on the evidence, the costs, and what is not known."""
        plan, lines = self.plan, []
        if self.candidates:
            what = f"validation {self.item}s"
            if plan.evidence == OUT_OF_FOLD:
                what = f"{self.item}s, each predicted by models that have not seen it"
            lines.append(f"Compared on {plan.items:,} {what}.")
        lines += plan.cuts
        times = ", ".join(f"{name} {time_text(value)}" for name, value in self.seconds.items())
        lines.append(f"Trained on {self.trained_on:,} {self.item}s. Time: {times}.")
        return lines + ([] if self.untested is None else [self.untested])

    def describe(self) -> str:
        """Return the result as plain text."""
        table = [table_text(self.columns, self.rows)] if self.rows else []
        return "\n".join([self.kept_because, *table, *self.remarks])

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON types, and the sentences."""
        return dataclasses.asdict(self) | {
            "candidates": [candidate.to_json() for candidate in self.candidates],
            "seconds": dict(self.seconds),
            "name": self.name,
            "reason": self.reason,
            "description": self.describe(),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read `to_json`'s result."""
        plan = values["plan"]
        read = {field.name: values[field.name] for field in dataclasses.fields(cls)}
        read["candidates"] = tuple(map(Candidate.from_json, values["candidates"]))
        read["augment"] = tuple(values["augment"])
        read["plan"] = Plan(**plan | {"cuts": tuple(plan["cuts"])})
        return cls(**read)

    def __repr__(self) -> str:
        return self.describe()

    def _repr_html_(self) -> str:
        table = table_html(self.columns, self.rows) if self.rows else ""
        return paragraphs_html(self.kept_because) + table + paragraphs_html(*self.remarks)


def _with_ends(interval) -> str:
    if interval is None:
        return "-"
    return f"{interval.mean:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"

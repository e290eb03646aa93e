"""From the outcomes of all runs to the verdicts."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_tl.comparison.measures import epochs_to_reach, has_plateau, measured, weights_of
from keras_tl.comparison.needs import Needs, needs_of
from keras_tl.comparison.statistics import Components, Estimate, level_of
from keras_tl.evaluation.significance import holm_levels

SCRATCH, FROZEN, FINE_TUNED = "scratch", "frozen", "fine-tuned"
ARMS = (SCRATCH, FROZEN, FINE_TUNED)

HELPS, SAME, HURTS, UNDECIDED = "helps", "no difference", "hurts", "undecided"

# Of one size of the training split: for each arm a float array (seeds, epochs, items).
Outcomes = Mapping[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Whether transfer helps, for one arm and one size of the training split.

    All differences are to the network from scratch, seed by seed and item by item.

    Attributes:
        arm: `"frozen"` or `"fine-tuned"`.
        size: training items; `None`: all.
        outcome: `"helps"`, `"no difference"`, `"hurts"` or `"undecided"`, by `final`.
        final: at the end of the budget. Its interval is at the level that Holm's correction leaves
            this test, so that it excludes 0 exactly if a difference is claimed.
        skill: the arm's mean skill there.
        scratch: that of the network from scratch.
        start: difference at the first evaluation; 95% interval.
        slope: of the slopes, per pass; 95% interval.
        area: of the means over all evaluations; 95% interval.
        is_asymptote: whether both curves are shown to have reached a plateau, so that `final` is of
            their asymptotes (under a rate that falls to zero) and not only of the budget.
        epochs_to_match: passes after which the arm has the final skill of scratch; `None`: never.
        needs: what would decide, where it is undecided.
        seeds: how many there are.
        items: of the test split.
    """

    arm: str
    size: int | None
    outcome: str
    final: Estimate
    skill: float
    scratch: float
    start: Estimate
    slope: Estimate
    area: Estimate
    is_asymptote: bool
    epochs_to_match: int | None
    needs: Needs | None
    seeds: int
    items: int

    def to_json(self) -> dict[str, Any]:
        """The verdict as JSON types."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Verdict":
        """Reads `to_json`'s result."""
        read = {name: Estimate(**values[name]) for name in ("final", "start", "slope", "area")}
        needs = values["needs"] and Needs(**values["needs"])
        return cls(**{**values, **read, "needs": needs})


def decide(
    outcomes: Mapping[int | None, Outcomes], min_difference: float, look: int = 1
) -> list[Verdict]:
    """The verdicts on all sizes; the tests of all of them share one probability of a false claim.

    Args:
        outcomes: by the size of the training split; each has `"scratch"` and other arms, with the
            same seeds and items in the same order.
        min_difference: the smallest difference in skill that matters.
        look: see `keras_tl.comparison.statistics.level_of`.
    """
    contrasts = [
        (size, arm, arms[arm] - arms[SCRATCH])
        for size, arms in outcomes.items()
        for arm in arms
        if arm != SCRATCH
    ]
    finals = [_of(differences, "final") for _, _, differences in contrasts]
    levels = holm_levels([final.p_value for final in finals], level_of(look))
    return [
        _verdict(arm, size, outcomes[size], differences, final, level, min_difference)
        for (size, arm, differences), final, level in zip(contrasts, finals, levels, strict=True)
    ]


def _verdict(
    arm: str,
    size: int | None,
    arms: Outcomes,
    differences: np.ndarray,
    final: Components,
    level: float,
    min_difference: float,
) -> Verdict:
    found = final.interval(1 - level)
    outcome = outcome_of(found, min_difference)
    scratch = float(arms[SCRATCH][:, -1].mean())
    return Verdict(
        arm=arm,
        size=size,
        outcome=outcome,
        final=found,
        skill=float(arms[arm][:, -1].mean()),
        scratch=scratch,
        start=_of(differences, "start").interval(),
        slope=_of(differences, "slope").interval(),
        area=_of(differences, "area").interval(),
        is_asymptote=all(has_plateau(arms[name], min_difference / 2) for name in (arm, SCRATCH)),
        epochs_to_match=epochs_to_reach(arms[arm], scratch),
        needs=needs_of(final, level, min_difference) if outcome == UNDECIDED else None,
        seeds=final.seeds,
        items=final.items,
    )


def outcome_of(difference: Estimate, min_difference: float) -> str:
    """The outcome that an interval supports."""
    if difference.excludes_zero:
        return HELPS if difference.mean > 0 else HURTS
    return SAME if difference.is_within(min_difference) else UNDECIDED


def _of(differences: np.ndarray, measure: str) -> Components:
    return measured(differences, weights_of(measure, differences.shape[1]))

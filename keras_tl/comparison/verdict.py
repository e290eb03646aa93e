"""Decide for each arm whether transfer helps (the verdict), from the test skill of every item."""

import dataclasses
from collections.abc import Mapping
from typing import Any, get_args

import numpy as np

from keras_tl.base.choices import Arm, Outcome
from keras_tl.comparison.curve_measures import epochs_to_reach, has_plateau, measured, weights_of
from keras_tl.comparison.power import Power, power_of
from keras_tl.comparison.statistics import Components, Estimate, level_of
from keras_tl.evaluation.significance import holm_levels

ARMS: tuple[Arm, ...] = get_args(Arm)
SCRATCH, FROZEN, FINE_TUNED = ARMS

HELPS, SAME, HURTS, UNDECIDED = get_args(Outcome)

# For one training set size, the skill of each item by arm: float arrays (seeds, epochs, items).
SkillsByArm = Mapping[Arm, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Whether transfer helps, for one arm and one training set size.

    A difference is the skill of the arm minus the skill of the network from scratch, for the same
    seed and item.

    Attributes:
        arm: `"frozen"` or `"fine-tuned"`.
        size: Number of training items, or `None` for all training items.
        outcome: Verdict that follows from `final`: `"helps"`, `"no difference"`, `"hurts"` or
            `"undecided"`.
        final: Difference at the end of the budget, with an interval whose confidence level follows
            from Holm's correction. The interval excludes 0 exactly if the verdict claims a
            difference.
        skill: Mean skill of the arm at the end of the budget.
        scratch: Mean skill of the network from scratch at the end of the budget.
        start: Difference at the first evaluation, with a 95% interval.
        slope: Difference of the slopes per epoch, with a 95% interval.
        area: Difference of the means over all evaluations, with a 95% interval.
        is_asymptote: Whether significance tests show a plateau of the arm's learning curve and of
            the learning curve from scratch. If true, `final` is the difference of the asymptotes of
            these two curves. The learning rate falls to zero, which flattens every curve, so the
            asymptotes hold only for the learning-rate schedule of the comparison.
        epochs_to_match: Number of epochs after which the arm reaches the
            final mean skill of training from scratch, or `None` if the arm never reaches this
            skill.
        power: Numbers of seeds or items that would give a verdict, or `None` if there is a verdict.
        seeds: Number of seeds with finished runs of all arms.
        items: Number of test items.
        groups: Number of groups of dependent test items, which the interval counts in place of the
            items. `None`: no groups.

    Example:
        >>> verdict = comparison.verdicts[0]
        >>> verdict.arm, verdict.seeds, verdict.items
        ('frozen', 3, 60)
    """

    arm: Arm
    size: int | None
    outcome: Outcome
    final: Estimate
    skill: float
    scratch: float
    start: Estimate
    slope: Estimate
    area: Estimate
    is_asymptote: bool
    epochs_to_match: int | None
    power: Power | None
    seeds: int
    items: int
    groups: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as JSON types.

        Example:
            >>> comparison.verdicts[0].to_json()["arm"]
            'frozen'
        """
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Verdict":
        """Read the result of `to_json`.

        Example:
            >>> verdict = comparison.verdicts[0]
            >>> ktl.Verdict.from_json(verdict.to_json()) == verdict
            True
        """
        read = {name: Estimate(**values[name]) for name in ("final", "start", "slope", "area")}
        power = values["power"] and Power(**values["power"])
        return cls(**{**values, **read, "power": power})


def decide(
    skills: Mapping[int | None, SkillsByArm],
    min_difference: float,
    look: int = 1,
    items: int | None = None,
) -> list[Verdict]:
    """Return the verdicts for all training set sizes.

    The significance level holds for all tests of the comparison together.

    Args:
        skills: Skill (such as 1 for a right prediction and 0 for a wrong one) of each item, by
            training set size and trained variant (arm). Each training set size has the arm
            `"scratch"` and other arms. All arms have the same seeds and the same items, in the same
            order.
        min_difference: Smallest difference in skill that matters to the user.
        look: Number of the analysis, see `level_of`.
        items: Number of test items, if `skills` has one value for each group of test items
            (`keras_tl.comparison.statistics.by_group`). `None`: one value for each test item.
    """
    contrasts = [
        (size, arm, arms[arm] - arms[SCRATCH])
        for size, arms in skills.items()
        for arm in arms
        if arm != SCRATCH
    ]
    finals = [_of(differences, "final") for _, _, differences in contrasts]
    levels = holm_levels([final.p_value for final in finals], level_of(look))
    verdicts = []
    for (size, arm, differences), final, level in zip(contrasts, finals, levels, strict=True):
        own, scratch, found = skills[size][arm], skills[size][SCRATCH], final.interval(1 - level)
        outcome, end = outcome_of(found, min_difference), float(scratch[:, -1].mean())
        verdicts.append(
            Verdict(
                arm=arm,
                size=size,
                outcome=outcome,
                final=found,
                skill=float(own[:, -1].mean()),
                scratch=end,
                **{name: _of(differences, name).interval() for name in ("start", "slope", "area")},
                is_asymptote=all(has_plateau(x, min_difference / 2) for x in (own, scratch)),
                epochs_to_match=epochs_to_reach(own, end),
                power=power_of(final, level, min_difference) if outcome == UNDECIDED else None,
                seeds=final.seeds,
                items=final.items if items is None else items,
                groups=None if items is None else final.items,
            )
        )
    return verdicts


def outcome_of(difference: Estimate, min_difference: float) -> Outcome:
    """Return the outcome that follows from a difference and its confidence interval."""
    if difference.excludes_zero:
        return HELPS if difference.mean > 0 else HURTS
    return SAME if difference.is_within(min_difference) else UNDECIDED


def _of(differences: np.ndarray, measure: str) -> Components:
    return measured(differences, weights_of(measure, differences.shape[1]))

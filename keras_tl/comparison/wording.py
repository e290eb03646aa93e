"""Describe the verdicts of a comparison in words."""

from collections.abc import Mapping
from typing import Any

from keras_tl.comparison.model_selection import Choice
from keras_tl.comparison.power import FEWEST_SEEDS
from keras_tl.comparison.statistics import LEVEL, level_of
from keras_tl.comparison.verdict import FROZEN, HELPS, HURTS, SAME, Verdict
from keras_tl.evaluation.grouping import Grouping
from keras_tl.report.pretraining import public_place

_OUTCOMES = {
    HELPS: "transfer helps",
    SAME: "transfer makes no measurable difference",
    HURTS: "transfer hurts (negative transfer)",
}


def about_text(what: Mapping[str, Any], skill: str, grouping: Grouping | None = None) -> str:
    """Describe the compared networks, the budget, the metric and the groups of test items."""
    budget = what["budget"]
    head = budget["head"]["epochs"] if budget["head"] else 0
    backbone = public_place(what["model"]["backbone"])
    # No warning of too narrow intervals: with few groups, the intervals of `components` are wide.
    said = "" if grouping is None else f" {grouping.describe(warn_if_few=False)}"
    return (
        f"Pretrained {backbone}, compared with the same network from scratch. Every arm trained "
        f"for {budget['epochs']} epochs (fine-tuned: {head} epochs of the head alone). Differences "
        f"are in test {skill}, with confidence intervals over seeds and test items.{said}"
    )


def logme_text(logme: Mapping[str, float]) -> str:
    """Describe LogME of the features before training."""
    return (
        f"Before training, LogME of the features was {logme['pretrained']:.3f} with pretrained "
        f"weights and {logme['random']:.3f} with random weights. LogME does not affect verdicts."
    )


def size_text(size: int | None) -> str:
    """Return a phrase with the number of training items, such as "all training items"."""
    return "all training items" if size is None else f"{size:,} training items"


def verdict_text(verdict: Verdict, skill: str, min_difference: float) -> str:
    """Return a sentence with the verdict, or with the seeds or items that would give a verdict."""
    place = "at the plateau of both curves" if verdict.is_asymptote else "at the end of the budget"
    in_groups = "" if verdict.groups is None else f" in {verdict.groups:,} groups"
    reached = (
        f"{skill} {verdict.skill:.3f} against {verdict.scratch:.3f} from scratch {place}, "
        f"difference {verdict.final} ({verdict.seeds} seed{'s' if verdict.seeds > 1 else ''}, "
        f"{verdict.items:,} test items{in_groups})"
    )
    sentence = _OUTCOMES.get(verdict.outcome)
    if sentence is None:
        sentence, reached = "no verdict", f"{reached}. {_needs_text(verdict, min_difference)}"
    elif verdict.outcome == SAME:
        reached += f". The interval lies within \N{PLUS-MINUS SIGN}{min_difference:g}"
    return f"{verdict.arm}: {sentence}: {reached.rstrip('.')}."


def measures_text(verdict: Verdict) -> str:
    """Describe start, slope and end of the curve, and when it reaches the skill from scratch."""
    kind = "asymptote" if verdict.is_asymptote else "skill at budget"
    matched = "The arm never reaches the final skill of training from scratch"
    if verdict.epochs_to_match is not None:
        matched = (
            "The arm reaches the final skill of training from scratch after epoch "
            f"{verdict.epochs_to_match}"
        )
    return (
        f"Differences from training from scratch: start {verdict.start}, slope {verdict.slope} per "
        f"epoch, {kind} {verdict.final}. {matched}."
    )


def _needs_text(verdict: Verdict, min_difference: float) -> str:
    if verdict.seeds < FEWEST_SEEDS:
        return (
            f"Fewer than {FEWEST_SEEDS} seeds cannot separate transfer from chance: run "
            f"{FEWEST_SEEDS} or more"
        )
    why = (
        "The interval contains 0 and reaches beyond "
        f"\N{PLUS-MINUS SIGN}{min_difference:g}, the smallest difference that matters"
    )
    power = verdict.power
    would = [f"{power.seeds} seeds"] if power.seeds else []
    unit = "test items" if verdict.groups is None else "groups of test items"
    would += [f"{power.items:,} {unit}"] if power.items else []
    if not would:
        return f"{why}. Add both seeds and {unit}: neither alone would give a verdict"
    return f"{why}. About {' or '.join(would)} would give a verdict"


def look_text(look: int) -> str:
    """Describe the significance level of a repeated analysis, after seeds or sizes were added."""
    return (
        f"Analysis {look}: earlier analyses used other seeds or sizes. So all tests of this "
        f"analysis together have a probability of a false claim of {level_of(look):.2g} in place "
        f"of {LEVEL:g}. The probability for all analyses together stays below {2 * LEVEL:g}."
    )


def choice_text(choice: Choice) -> str:
    """Return a sentence that names the arm to ship and the reason."""
    if choice.arm is None:
        return f"Ship: no choice yet. {choice.best} was best, but one seed is not enough."
    if not choice.is_settled:
        reason = "the best arm. Whether another arm is as good is not settled"
        if choice.arm != choice.best:
            reason = f"as good as {choice.best}, the best arm. For other arms this is not settled"
    elif choice.arm != choice.best:
        reason = f"the cheapest arm that is as good as the best arm, {choice.best}"
    elif choice.arm == FROZEN:
        reason = "the best arm, and the cheapest to train"
    else:
        reason = "the best arm. The arms that are cheaper to train are measurably worse"
    return f"Ship: {choice.arm}, {reason}."

"""Verdicts in words."""

from collections.abc import Mapping
from typing import Any

from keras_tl.comparison.model_selection import Choice
from keras_tl.comparison.power import FEWEST_SEEDS
from keras_tl.comparison.statistics import LEVEL, level_of
from keras_tl.comparison.verdict import FROZEN, HELPS, HURTS, SAME, Verdict
from keras_tl.report.pretraining import public_place

_OUTCOMES = {
    HELPS: "transfer helps",
    SAME: "transfer makes no measurable difference",
    HURTS: "transfer hurts (negative transfer)",
}


def about_text(what: Mapping[str, Any], skill: str) -> str:
    """Describe the compared networks and the numbers."""
    budget = what["budget"]
    head = budget["head"]["epochs"] if budget["head"] else 0
    backbone = public_place(what["model"]["backbone"])
    return (
        f"{backbone} against the same network from scratch; every arm made {budget['epochs']} "
        f"passes over the training split (fine-tuned: {head} of them on the head alone). "
        f"Differences in test {skill}, with intervals over seeds and test items."
    )


def logme_text(logme: Mapping[str, float]) -> str:
    """Describe LogME of the features before training."""
    return (
        f"Before training, LogME of the pretrained features was {logme['pretrained']:.3f}, of "
        f"random weights {logme['random']:.3f}; it decides nothing."
    )


def size_text(size: int | None) -> str:
    """Return the number of training items in words."""
    return "all training items" if size is None else f"{size:,} training items"


def verdict_text(verdict: Verdict, skill: str, min_difference: float) -> str:
    """Return a sentence with the verdict. Without a verdict, name the numbers that would decide."""
    place = "at the plateau of both" if verdict.is_asymptote else "at the end of the budget"
    reached = (
        f"{skill} {verdict.skill:.3f} against {verdict.scratch:.3f} from scratch {place}, "
        f"{verdict.final} ({verdict.seeds} seed{'s' if verdict.seeds > 1 else ''}, "
        f"{verdict.items:,} test items)"
    )
    sentence = _OUTCOMES.get(verdict.outcome)
    if sentence is None:
        sentence, reached = "no verdict", f"{reached}. {_needs_text(verdict, min_difference)}"
    elif verdict.outcome == SAME:
        reached += f", within \N{PLUS-MINUS SIGN}{min_difference:g}"
    return f"{verdict.arm}: {sentence}: {reached.rstrip('.')}."


def measures_text(verdict: Verdict) -> str:
    """Describe the other measures of a verdict."""
    kind = "asymptote" if verdict.is_asymptote else "skill at budget"
    matched = "never as good as scratch at its end"
    if verdict.epochs_to_match is not None:
        matched = f"as good as scratch at its end after pass {verdict.epochs_to_match}"
    return (
        f"start {verdict.start}, slope {verdict.slope} a pass, {kind} {verdict.final}; {matched}."
    )


def _needs_text(verdict: Verdict, min_difference: float) -> str:
    if verdict.seeds < FEWEST_SEEDS:
        return (
            f"With fewer than {FEWEST_SEEDS} seeds, luck cannot be told from transfer: run "
            f"{FEWEST_SEEDS} or more"
        )
    why = (
        "The interval holds 0 and reaches beyond "
        f"\N{PLUS-MINUS SIGN}{min_difference:g}, the smallest difference that matters"
    )
    power = verdict.power
    would = [f"{power.seeds} seeds"] if power.seeds else []
    would += [f"{power.items:,} test items"] if power.items else []
    if not would:
        return f"{why}. Neither more seeds nor more test items alone would decide: add both"
    return f"{why}. About {' or '.join(would)} would decide"


def look_text(look: int) -> str:
    """Describe the significance level of a growing comparison."""
    return (
        f"Look {look}: verdicts had been given with other seeds or sizes before. All tests of this "
        f"look share a probability of a false claim of {level_of(look):.2g} in place of {LEVEL:g}, "
        f"so that all looks together have less than {2 * LEVEL:g}."
    )


def choice_text(choice: Choice) -> str:
    """Name the arm to ship and the reason."""
    if choice.arm is None:
        return f"Ship: {choice.best} was best, but one seed is too little to choose by."
    if not choice.is_settled:
        reason = "the best; whether another one is as good is not settled"
        if choice.arm != choice.best:
            reason = f"as good as {choice.best}, the best; of others that is not settled"
    elif choice.arm != choice.best:
        reason = f"the cheapest of those that cannot be told from the best, {choice.best}"
    elif choice.arm == FROZEN:
        reason = "the best, and the cheapest to train"
    else:
        reason = "the best; those that are cheaper to train are measurably worse"
    return f"Ship: {choice.arm}, {reason}."

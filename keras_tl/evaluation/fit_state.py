"""Decide whether the model overfits, underfits, diverges or fits well in a training phase."""

import itertools
from collections.abc import Iterator

from keras_tl.evaluation.fit_evidence import Evidence

OVERFITS, SPARED, UNDERFITS, DIVERGED = "overfits", "spared", "underfits", "diverged"
UNCONVERGED, FITS, UNKNOWN = "unconverged", "fits", "unknown"

# Reasons why the state of a phase is `UNKNOWN`.
NO_VALIDATION, FEW_ITEMS, ONE_EPOCH = "no-validation", "few-items", "one-epoch"
MIXED_LABELS, NOTHING_BETTER, AVERAGED = "mixed-labels", "nothing-better", "averaged"
# Reasons why the state of a phase is `DIVERGED`.
NOT_FINITE, ROSE, ABOVE_GUESSING = "not-finite", "rose", "above-guessing"


# State of a phase, and its reason. The reason is "" unless the state is `UNKNOWN` or `DIVERGED`.
Judgement = tuple[str, str]


def judge(evidence: Evidence) -> Judgement:
    """Return the state of a phase and its reason, from the first test that finds a state."""
    if not evidence.record.was_judged:
        return (UNKNOWN, AVERAGED)
    return next(itertools.chain(_harm(evidence), _fit(evidence), _ignorance(evidence)))


def _harm(evidence: Evidence) -> Iterator[Judgement]:
    """Yield `DIVERGED` if training diverged, and `UNKNOWN` if the only epoch improved nothing."""
    if not evidence.is_finite:
        yield (DIVERGED, NOT_FINITE)
    if evidence.made_nothing_better and len(evidence.record.epochs) == 1:
        above = evidence.is_above_guessing
        yield (DIVERGED, ABOVE_GUESSING) if above else (UNKNOWN, NOTHING_BETTER)
    if (evidence.turned or evidence.made_nothing_better) and evidence.rose:
        yield (DIVERGED, ROSE)


def _fit(evidence: Evidence) -> Iterator[Judgement]:
    """Yield the state if the model overfits, avoided overfitting, or has not converged."""
    if evidence.is_wide and not evidence.goes_on:
        is_known = evidence.has_converged is not None or evidence.is_near_perfect
        yield (OVERFITS, "") if is_known else (UNKNOWN, ONE_EPOCH)
    if evidence.turned and evidence.fell:
        is_last_kept = evidence.record.best_epoch == len(evidence.record.epochs)
        yield (OVERFITS if is_last_kept else SPARED), ""
    if evidence.goes_on and (evidence.is_validated or evidence.is_measured):
        yield (UNCONVERGED, "")


def _ignorance(evidence: Evidence) -> Iterator[Judgement]:
    """Yield `UNKNOWN` for each reason that applies, then `UNDERFITS` or `FITS`."""
    if evidence.made_nothing_better and evidence.fell:
        yield (UNKNOWN, NOTHING_BETTER)
    if not evidence.record.best_epoch:
        yield (FITS, "")
    if evidence.gap is None and not evidence.is_validated:
        yield (UNKNOWN, NO_VALIDATION)
    if evidence.matters and not evidence.is_wide:
        yield (UNKNOWN, FEW_ITEMS)
    if evidence.is_mixed:
        yield (UNKNOWN, MIXED_LABELS)
    # If labels may be rare, the loss of guessing is unknown, so the phase never counts as underfit.
    if evidence.is_high and evidence.task.has_known_guessing and not evidence.is_near_perfect:
        if evidence.has_converged is None:
            yield (UNKNOWN, ONE_EPOCH)
        elif evidence.has_converged:
            yield (UNDERFITS, "")
    yield (FITS, "")

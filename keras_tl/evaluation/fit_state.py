"""The state of a phase: what the evidence allows to be said, and nothing else."""

import dataclasses
import itertools
from collections.abc import Iterator

from keras_tl.evaluation.fit_evidence import Evidence

OVERFITS, SPARED, UNDERFITS, DIVERGED = "overfits", "spared", "underfits", "diverged"
UNCONVERGED, FITS, UNKNOWN = "unconverged", "fits", "unknown"

# Why nothing is known.
NO_VALIDATION, FEW_ITEMS, ONE_EPOCH = "no-validation", "few-items", "one-epoch"
MIXED_LABELS, NOTHING_BETTER, AVERAGED = "mixed-labels", "nothing-better", "averaged"
# How a phase diverged.
NOT_FINITE, ROSE, ABOVE_GUESSING = "not-finite", "rose", "above-guessing"


@dataclasses.dataclass(frozen=True)
class Judgement:
    """What may be said of a phase.

    Attributes:
        state: see `keras_tl.evaluation.phase_fit.PhaseFit`.
        reason: of `"unknown"` and `"diverged"`, one of the constants above; else empty.
    """

    state: str
    reason: str = ""


def judge(evidence: Evidence) -> Judgement:
    """Judge a phase: by the first thing that the evidence shows."""
    if not evidence.record.was_judged:
        return Judgement(UNKNOWN, AVERAGED)
    return next(itertools.chain(_harm(evidence), _fit(evidence), _ignorance(evidence)))


def _harm(evidence: Evidence) -> Iterator[Judgement]:
    """Training that diverged, or made nothing better in its only epoch."""
    if not evidence.is_finite:
        yield Judgement(DIVERGED, NOT_FINITE)
    if evidence.made_nothing_better and len(evidence.record.epochs) == 1:
        above = evidence.is_above_guessing
        yield Judgement(DIVERGED, ABOVE_GUESSING) if above else Judgement(UNKNOWN, NOTHING_BETTER)
    if (evidence.turned or evidence.made_nothing_better) and evidence.rose:
        yield Judgement(DIVERGED, ROSE)


def _fit(evidence: Evidence) -> Iterator[Judgement]:
    """A gap, a turn for the worse, or training that ended too early."""
    if evidence.is_wide and not evidence.goes_on:
        is_known = evidence.has_converged is not None or evidence.is_near_perfect
        yield Judgement(OVERFITS) if is_known else Judgement(UNKNOWN, ONE_EPOCH)
    if evidence.turned and evidence.fell:
        is_last_kept = evidence.record.best_epoch == len(evidence.record.epochs)
        yield Judgement(OVERFITS if is_last_kept else SPARED)
    if evidence.goes_on and (evidence.is_validated or evidence.is_measured):
        yield Judgement(UNCONVERGED)


def _ignorance(evidence: Evidence) -> Iterator[Judgement]:
    """What is not known; where all is, whether the losses are high."""
    if evidence.made_nothing_better and evidence.fell:
        yield Judgement(UNKNOWN, NOTHING_BETTER)
    if not evidence.record.best_epoch:
        yield Judgement(FITS)
    if evidence.gap is None and not evidence.is_validated:
        yield Judgement(UNKNOWN, NO_VALIDATION)
    if evidence.matters and not evidence.is_wide:
        yield Judgement(UNKNOWN, FEW_ITEMS)
    if evidence.is_mixed:
        yield Judgement(UNKNOWN, MIXED_LABELS)
    # Of labels that may be rare, nothing is known of the loss of guessing.
    if evidence.is_high and evidence.task.has_known_guessing and not evidence.is_near_perfect:
        if evidence.has_converged is None:
            yield Judgement(UNKNOWN, ONE_EPOCH)
        elif evidence.has_converged:
            yield Judgement(UNDERFITS)
    yield Judgement(FITS)

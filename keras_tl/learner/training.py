"""The two phases of training: feature extraction on cached features, then fine-tuning."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import keras

from keras_tl.base.config import CacheConfig, Phase
from keras_tl.data.images.augmentation import Augmentation, check_augmentation
from keras_tl.data.labelled_data import groups_of
from keras_tl.errors import ConfigError, KerasTLError
from keras_tl.evaluation.fit_state import OVERFITS
from keras_tl.evaluation.metric_drop import describe_metric_drop, find_metric_drop
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.learner.checking import check_first, overfitting
from keras_tl.learner.reporting import keep_projection_before
from keras_tl.learner.state import State
from keras_tl.runs.history import PhaseRecord, PhaseRecords
from keras_tl.training.callbacks import check_callbacks
from keras_tl.training.freezing import blocks_to_unfreeze
from keras_tl.training.policies import (
    ENOUGH_TO_VALIDATE,
    head_phase,
    needs_no_head,
    own_head_phase,
    phases_of,
    with_heads,
)

Callbacks = Sequence[keras.callbacks.Callback]


def fit_head(
    state: State,
    augment: Augmentation = False,
    cache: str | CacheConfig = "auto",
    callbacks: Callbacks = (),
    policy: Phase | None = None,
    **changes: Any,
) -> PhaseRecord:
    """See `Learner.fit_head`. `changes`: new values of the phase's fields (`None`: no change)."""
    check_augmentation(augment)
    callbacks = check_callbacks(callbacks)
    config = CacheConfig.of(cache)
    live = augment is not False or config.where == "off"
    epochs = changes.get("epochs")
    own = head_phase(state.config, live, epochs) if policy is None else own_head_phase(policy)
    (phase,) = phases_of(own, state.config.family, **changes)
    state.trainer.features.keep_in(config)
    stop_after = None
    if policy is None and phase.patience is not None and _has_few_to_validate(state):
        by_folds = epochs is None and augment is False and state.trainer.features.are_kept
        stop_after = _last_epoch(state, phase, by_folds)
    record = _run(state, phase, augment, callbacks, stop_after=stop_after)
    _tell_if_overfitting(state)
    return record


def fine_tune(
    state: State,
    policy: str | Phase | Sequence[Phase] = "standard",
    augment: Augmentation = True,
    callbacks: Callbacks = (),
    **changes: Any,
) -> PhaseRecords:
    """See `Learner.fine_tune`. `changes`: new values of the phases' fields (`None`: no change)."""
    state.need_data()
    phases = phases_of(policy, state.config.family, **changes)
    check_augmentation(augment)
    callbacks = check_callbacks(callbacks)
    trainer = state.trainer
    for phase in phases:
        blocks_to_unfreeze(state.parts.backbone.blocks, phase.unfreeze)
        trainer.check(phase, augment)
    if not trainer.history and not needs_no_head(phases[0]):
        state.reporter.say("The head is untrained: fit_head() runs first.")
        fit_head(state)
    keeps_last = isinstance(policy, str) and _has_few_to_validate(state)
    if keeps_last:
        _say_last_weights(
            state, " fit() compares the head with the fine-tuned model by out-of-fold predictions."
        )
    is_judged = not keeps_last and all(phase.patience is not None for phase in phases)
    before = None if is_judged or not trainer.history else _validation_outcomes(state)
    records = run_all(state, phases, augment, callbacks, keeps_last)
    if before is not None:
        records[-1] = trainer.history[-1] = _with_metric_drop(state, records[-1], before)
    _tell_if_overfitting(state)
    return PhaseRecords(records)


def run_all(
    state: State,
    phases: Sequence[Phase],
    augment: Augmentation,
    callbacks: Callbacks,
    keeps_last: bool = False,
) -> list[PhaseRecord]:
    """Run phases that unfreeze the backbone, and the head phases that follow them.

    With `keeps_last`, no phase stops early, and each phase keeps the weights of its last epoch.
    """
    if state.trainer.features.is_original and phases[0].batch_norm != "live":
        keep_projection_before(state)
    train = state.data.split("train")
    records, left = [], sum(phase.epochs for phase in phases)
    for phase, is_head in with_heads(phases, state.config, len(train)):
        left -= 0 if is_head else phase.epochs
        changes, following = (False, 0) if is_head else (augment, left)
        stop_after = state.trainer.settled(phase, len(train)).epochs if keeps_last else None
        records.append(_run(state, phase, changes, callbacks, following, stop_after))
    return records


def _run(
    state: State,
    phase: Phase,
    augment: Augmentation,
    callbacks: Callbacks,
    following: int = 0,
    stop_after: int | None = None,
) -> PhaseRecord:
    data, known = state.need_data(), (state.config, state.trained_with)
    if state.config.temperature != 1 or state.config.thresholds:
        state.reporter.say(
            "Training resets the temperature to 1 and the decision thresholds to 0.5: they were "
            "fitted to other weights. After training, call calibrate() and choose_thresholds() "
            "again."
        )
    if state.is_checked and not state.trainer.history:
        check_first(state, phase, augment)
    # Reset temperature and thresholds before training, because an interrupted training also changes
    # the weights.
    state.trained_with = None
    state.config = dataclasses.replace(state.config, temperature=1.0, thresholds=())
    try:
        return state.trainer.run(phase, data, augment, callbacks, following, stop_after)
    except KerasTLError as error:
        # If no weight has changed, restore the temperature and the thresholds. An example: the
        # trainer rejected the phase, or could not compute the features.
        trainer = state.trainer
        if isinstance(error, ConfigError) or (trainer.history and trainer.is_as_trained):
            state.config, state.trained_with = known
        raise


def _validation_outcomes(state: State) -> PredictionRecord | None:
    """Return the prediction record of the validation split. `None`: no validation split."""
    split = state.need_data().splits.get("validation")
    return None if split is None else PredictionRecord(split.labels, state.trainer.logits(split))


def _with_metric_drop(state: State, record: PhaseRecord, before: PredictionRecord) -> PhaseRecord:
    """Return `record` with any significant drop of the validation metric, and report the drop.

    Args:
        before: Prediction record of the validation split from before fine-tuning.
    """
    data = state.need_data()
    groups = groups_of(data.split("validation"), data.groups)
    metric_drop = find_metric_drop(
        state.task, before, _validation_outcomes(state), data.item, groups
    )
    record = dataclasses.replace(record, metric_drop=metric_drop)
    if warning := describe_metric_drop(record):
        state.reporter.say_result(warning)
    return record


def _last_epoch(state: State, phase: Phase, by_folds: bool) -> int:
    """Return the number of epochs for a head with too few validation items for early stopping.

    With `by_folds`, cross-validation chooses the number of epochs. Without `by_folds`, all epochs
    of the phase run.
    """
    data = state.need_data()
    if not by_folds:
        _say_last_weights(state)
        return state.trainer.settled(phase, len(data.split("train"))).epochs
    found = state.trainer.best_epoch(phase, data)
    state.reporter.say(
        f"{phase.name}: trains for {found} epochs, the number with the lowest out-of-fold loss. "
        f"Fewer than {ENOUGH_TO_VALIDATE} validation items are too few to choose an epoch."
    )
    return found


def _say_last_weights(state: State, more: str = "") -> None:
    """If there is a validation split, report that the weights of the last epoch are kept."""
    if "validation" in state.need_data().splits:
        state.reporter.say(
            f"Fewer than {ENOUGH_TO_VALIDATE} validation items are too few to choose an "
            f"epoch: the last weights are kept.{more}"
        )


def _has_few_to_validate(state: State) -> bool:
    """Return whether the validation split is too small to choose the best epoch."""
    return len(state.need_data().splits.get("validation", ())) < ENOUGH_TO_VALIDATE


def _tell_if_overfitting(state: State) -> None:
    last = state.trainer.history[-1]
    if last.solved:
        return  # No overfitting: cross-validation chose this head's L2 penalty.
    found = overfitting(state)
    if found.state == OVERFITS or not math.isfinite(last.epochs[-1]["loss"]):
        state.reporter.say(found.statement)
        state.reporter.say_result("keras_tl.overfitting(learner) lists remedies.")

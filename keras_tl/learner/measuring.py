"""Evaluate, cross-validate and calibrate a learner, and choose its decision thresholds."""

import dataclasses
from collections.abc import Hashable, Iterable, Sequence

import numpy as np

from keras_tl.data.labelled_data import Split, groups_of
from keras_tl.errors import ConfigError, DataError
from keras_tl.evaluation import calibration, cross_validation, thresholds
from keras_tl.evaluation.calibration import Calibrated
from keras_tl.evaluation.cross_validation import CrossValidation, LabelledFeatures
from keras_tl.evaluation.evaluation import Evaluation
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.evaluation.slices import slice_values
from keras_tl.evaluation.thresholds import Rule, Thresholds
from keras_tl.learner.state import State
from keras_tl.training.policies import head_phase, phases_of


def evaluate(state: State, split: str, by: Hashable | Sequence | None = None) -> Evaluation:
    """See `Learner.evaluate`."""
    data = state.need_data()
    chosen = data.split(split)
    groups = None if by is None else slice_values(by, chosen.slices, len(chosen))
    measured = state.measured
    raw = PredictionRecord(chosen.labels, state.finite_logits(split), chosen.identity)
    raw = raw.in_groups(groups_of(chosen, data.groups), data.groups)
    found = Evaluation.of(
        split, state.task, raw=raw, weights=measured.weights, sources=chosen.sources, groups=groups
    )
    measured.evaluations[split] = found
    if split == "test":
        measured.artifacts = measured.artifacts.without_answers()
    return found


def evaluation_of(state: State, split: str) -> Evaluation:
    """Return the evaluation of a split, and evaluate the split first if necessary.

    The function evaluates the split if no evaluation exists, or if the split's items or labels have
    changed.

    Raises:
        DataError: No evaluation of the split exists, and the learner does not have the split's
            data.
    """
    known = state.evaluations.get(split)
    there = None if state.data is None else state.data.splits.get(split)
    if known is None or not (there is None or known.raw.are_of(there)):
        return evaluate(state, split)
    return known


def cross_validate(
    state: State,
    folds: int,
    repeats: int,
    groups: Hashable | Sequence | None,
    splits: Sequence[str] | None,
    **options: float | str | dict[str, float] | None,
) -> CrossValidation:
    """See `Learner.cross_validate`. `options` are arguments of `fit_head`."""
    data = state.need_data()
    chosen = {name: data.split(name) for name in (data.splits if splits is None else splits)}
    (phase,) = phases_of(head_phase(state.config), state.config.family, **options)
    state.trainer.check(phase, augment=False)
    if seen := [name for name in state.learned_splits if name in chosen]:
        raise ConfigError(
            "cross_validate() needs a backbone that has not learned these items, but this backbone "
            f"was fine-tuned on labels of these data: {', '.join(seen)}. Call cross_validate() "
            "before fine_tune(), or create a new Learner with pretrained weights."
        )
    items = _labelled_features(state, chosen, groups)
    training = state.trainer.out_of_fold(phase, len(items.labels), state.trainer.seed)
    return cross_validation.cross_validate(training, items, folds, repeats)


def _labelled_features(
    state: State, splits: dict[str, Split], groups: Hashable | Sequence | None
) -> LabelledFeatures:
    column = state.data.groups if groups is None else groups
    is_list = column is not None and _are_values(column, splits)
    if column is None:
        values = None
    elif is_list:
        values = np.asarray(column)
    else:
        values = np.concatenate([groups_of(split, column) for split in splits.values()])
    labels = np.concatenate([split.labels for split in splits.values()])
    if values is not None and len(values) != len(labels):
        raise DataError(
            f"Expected a group for each of the {len(labels):,} items of the splits "
            f"{', '.join(splits)}. Received {len(values):,}."
        )
    sources = [split.sources for split in splits.values()]
    return LabelledFeatures(
        labels,
        np.concatenate([state.trainer.features.of(split).all_rows for split in splits.values()]),
        np.concatenate([np.full(len(split), name) for name, split in splits.items()]),
        None if None in sources else [item for some in sources for item in some],
        values,
        None if values is None or is_list else column,
    )


def _are_values(groups: Hashable | Sequence, splits: dict[str, Split]) -> bool:
    """Return whether `groups` is a list with a value per item, and not the name of a column."""
    if isinstance(groups, str) or not isinstance(groups, Iterable):
        return False
    # The name of a pandas column may be a tuple.
    is_name = isinstance(groups, Hashable) and all(groups in one.slices for one in splits.values())
    return not is_name


def calibrate(state: State) -> Calibrated:
    """See `Learner.calibrate`."""
    calibration.check_has_probabilities(state.task)
    known = _evaluations_with(state, "validation")
    found = calibration.calibrate(state.task, {split: one.raw for split, one in known.items()})
    state.set_decision_rule(calibration.with_temperature(state.config, found.temperature))
    state.reporter.say_result(found.describe())
    return found


def choose_thresholds(state: State, precision: float | None, recall: float | None) -> Thresholds:
    """See `Learner.choose_thresholds`."""
    rule = Rule(precision, recall)
    thresholds.check_has_thresholds(state.task)
    known = _evaluations_with(state, "validation")
    records = {split: one.record for split, one in known.items()}
    found = thresholds.choose_thresholds(state.task, records, rule)
    state.set_decision_rule(dataclasses.replace(state.config, thresholds=found.values))
    state.reporter.say_result(found.describe())
    return found


def _evaluations_with(state: State, split: str) -> dict[str, Evaluation]:
    """Return evaluations of the given split and of all splits that were evaluated before."""
    return {name: evaluation_of(state, name) for name in (split, *state.evaluations)}

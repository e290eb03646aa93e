"""Test whether fine-tuning made a model worse on its validation split, beyond chance."""

import numpy as np
from scipy import stats

from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.evaluation.wording import number_text
from keras_tl.runs.history import MetricDrop, PhaseRecord
from keras_tl.tasks import Task

# Probability of a false claim.
LEVEL = 0.05
_LOWER_RATE = 0.1


def find_metric_drop(
    task: Task,
    before: PredictionRecord,
    after: PredictionRecord,
    item: str,
    groups: np.ndarray | None = None,
) -> MetricDrop | None:
    """Compare the predictions of two models, item by item.

    An item gets better, gets worse or stays equal. If a phase does no harm, a changed item is as
    likely better as worse. So the test is the one-sided sign test. For classes it is McNemar's
    exact test ("Note on the sampling error of the difference between correlated proportions or
    percentages", Psychometrika 12, 1947). It is exact for few items: five changed items must all be
    worse.

    Args:
        task: Task of the model.
        before: Prediction record of the model before the phase.
        after: Prediction record after the phase, for the same items in the same order.
        item: Name of one item for people.
        groups: (n,), the items of one group are not independent. `None`: all items are.

    Returns:
        `None` if the metric is not worse beyond chance, or if a logit is not finite.
    """
    if not (np.isfinite(before.logits).all() and np.isfinite(after.logits).all()):
        return None
    # Default decision thresholds: other thresholds are chosen after training.
    decide = task.undecided.decisions
    first, last = (task.item_scores(x.labels, decide(x.logits)) for x in (before, after))
    sign = 1 if task.more_is_better else -1
    changes, unit = sign * (last - first), item
    if groups is not None:
        unit = "group"
        changes = np.array([changes[groups == group].sum() for group in np.unique(groups)])
    worse, better = int((changes < 0).sum()), int((changes > 0).sum())
    if not worse or sign * (last.mean() - first.mean()) >= 0:
        return None
    p_value = float(stats.binomtest(worse, worse + better, alternative="greater").pvalue)
    if p_value > LEVEL:
        return None
    values = (float(first.mean()), float(last.mean()))
    return MetricDrop(task.item_metric, *values, len(first), unit, worse, better, p_value)


def describe_metric_drop(record: PhaseRecord, is_command: bool = False) -> str | None:
    """Return the warning about the harm of a phase, with remedies. `None`: no warning.

    Args:
        record: Record of the phase.
        is_command: Whether the remedies are for the command line.
    """
    drop, phase = record.metric_drop, record.phase
    if drop is None:
        return None
    values = f"from {number_text(drop.before)} to {number_text(drop.after)}"
    units = f"{drop.worse:,} {drop.unit}{'' if drop.worse == 1 else 's'}"
    said = (
        f"{phase.name}: the {drop.metric} on the {drop.items:,} validation items went {values}. "
        f"{units} got worse, {drop.better:,} got better. Chance alone causes such a change in "
        f"{drop.p_value:.1%} of cases. The model keeps the fine-tuned weights."
    )
    rate = f"{phase.learning_rate * _LOWER_RATE:.0e}"
    if is_command:
        return (
            f"{said} Train again without the options of a phase, such as --policy and "
            "--learning-rate. keras-tl train then keeps the head unless fine-tuning is better. "
            f"Or lower the learning rate: --learning-rate {rate}."
        )
    return (
        f"{said} Make a new Learner and call fit(), which keeps the head unless fine-tuning is "
        f"better. Or call fine_tune(learning_rate={rate}) on the new Learner."
    )

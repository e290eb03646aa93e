"""Test whether fine-tuning made a model significantly worse on its validation split."""

import numpy as np
from scipy import stats

from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.evaluation.wording import number_text
from keras_tl.runs.history import MetricDrop, PhaseRecord
from keras_tl.tasks import Task

# Significance level: the probability of a warning although fine-tuning did no harm.
LEVEL = 0.05
_LOWER_RATE = 0.1


def find_metric_drop(
    task: Task,
    before: PredictionRecord,
    after: PredictionRecord,
    item: str,
    groups: np.ndarray | None = None,
) -> MetricDrop | None:
    """Test, item by item, whether the predictions after a phase are worse than before the phase.

    In the phase, each prediction gets better, gets worse or stays equal. If the phase does no harm,
    a change for the worse is as likely as a change for the better: this is the null hypothesis of
    the one-sided sign test. For classes, the sign test is McNemar's exact test ("Note on the
    sampling error of the difference between correlated proportions or percentages", Psychometrika
    12, 1947). The sign test is also exact for few items. If only five predictions change, all five
    must get worse for a warning.

    The result is `None` if the metric is not significantly worse, or if a logit is not finite.

    Args:
        before: Prediction record of the model before the phase.
        after: Prediction record of the model after the phase, for the same items in the same order.
        item: Word for one item in messages, such as `"image"`.
        groups: Group of each item, (n,), where items of one group depend on each other. `None`: all
            items are independent.
    """
    if not (np.isfinite(before.logits).all() and np.isfinite(after.logits).all()):
        return None
    # Use the default decision thresholds, because users choose other thresholds after training.
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
    means = float(first.mean()), float(last.mean())
    return MetricDrop(task.item_metric, *means, len(first), unit, worse, better, p_value)


def describe_metric_drop(record: PhaseRecord, is_command: bool = False) -> str | None:
    """Return a warning if the phase made the model worse, with remedies. Else return `None`.

    If `is_command` is true, the remedies are commands, else Python calls.
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

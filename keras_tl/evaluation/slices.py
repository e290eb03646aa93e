"""Metrics by group of items, with the groups that are clearly worse than the rest."""

import dataclasses
import json
from collections.abc import Hashable, Sequence
from typing import Any, Self

import numpy as np

from keras_tl.base.config import JsonConfig
from keras_tl.base.text_tables import paragraphs_html, table_html, table_text
from keras_tl.errors import ConfigError, DataError, quoted, unknown
from keras_tl.evaluation.grouping import group_numbers, if_several
from keras_tl.evaluation.intervals import Interval, bootstrap_interval, share_interval
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.evaluation.significance import holm, permutation_p_values
from keras_tl.evaluation.wording import number_text, title_of
from keras_tl.tasks import Task

# Maximum number of groups. A column with more values is likely an identifier or a measured number.
MOST = 100
# Significance level: probability that a group counts as worse although no group is worse.
_LEVEL = 0.05


@dataclasses.dataclass(frozen=True)
class Slice(JsonConfig):
    """Metric of one group of items, compared with the metric of all other items (the rest).

    Attributes:
        value: Value that all items of the group have, as text.
        items: Number of items in the group.
        metric: Primary metric of the group. `None`: the metric is undefined.
        interval: 95% confidence interval of `metric`. `None`: the interval is undefined.
        rest: Primary metric of all other items. `None`: the metric is undefined.
        p_value: p-value of the hypothesis that the group is not worse than the rest, corrected for
            the number of groups. `None`: the comparison is undefined.
        is_worse: Whether the group is clearly worse than the rest (`p_value` at most 0.05).

    Example:
        >>> group = learner.evaluate(by=["left", "right"] * 4).slices.slices[0]
        >>> group.value, group.items
        ('left', 4)
    """

    value: str
    items: int
    metric: float | None
    interval: tuple[float, float] | None
    rest: float | None
    p_value: float | None
    is_worse: bool


@dataclasses.dataclass(frozen=True)
class Slices:
    """Primary metric by group of items.

    Attributes:
        by: Name of the column with the groups. `None`: the user passed the group of each item.
        metric: Name of the task's primary metric.
        more_is_better: Whether higher values of the metric are better.
        slices: The groups, sorted by their values.
        note: Sentences that say how intervals and p-values take dependent items into account
            (`groups=` of the data). `None`: all items count as independent.

    Example:
        >>> groups = learner.evaluate(by=["left", "right"] * 4).slices
        >>> groups.metric, [group.value for group in groups.slices]
        ('accuracy', ['left', 'right'])
    """

    by: str | None
    metric: str
    more_is_better: bool
    slices: tuple[Slice, ...]
    note: str | None = None

    @property
    def worse(self) -> tuple[Slice, ...]:
        """Groups that are clearly worse than the rest.

        Example:
            >>> groups = learner.evaluate(by=["left", "right"] * 4).slices
            >>> len(groups.worse) <= 1
            True
        """
        return tuple(one for one in self.slices if one.is_worse)

    def to_json(self) -> dict[str, Any]:
        """Return the groups as JSON types.

        Example:
            >>> sorted(learner.evaluate(by=["left", "right"] * 4).slices.to_json())
            ['by', 'metric', 'more_is_better', 'note', 'slices']
        """
        return json.loads(json.dumps(dataclasses.asdict(self)))

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Build `Slices` from the result of `to_json`.

        Example:
            >>> groups = learner.evaluate(by=["left", "right"] * 4).slices
            >>> len(ktl.Slices.from_json(groups.to_json()).slices)
            2
        """
        return cls(**values | {"slices": tuple(map(Slice.from_json, values["slices"]))})

    def verdict(self) -> str:
        """Return a sentence that names the clearly worse groups.

        Example:
            >>> print(learner.evaluate(by=["left", "right"] * 4).slices.verdict())
            No group is clearly worse than the rest ...
        """
        if not self.worse:
            return (
                f"No group is clearly worse than the rest (significance level {_LEVEL:g} for all "
                "groups together). With few items, the test can miss a difference."
            )
        named = ", ".join(
            f"{one.value} ({number_text(one.metric)} against {number_text(one.rest)})"
            for one in self.worse
        )
        return f"Clearly worse than the rest in {title_of(self.metric)}: {named}."

    def describe(self) -> str:
        """Return the table of the groups, and the sentences of `remarks`, as plain text.

        Example:
            >>> print(learner.evaluate(by=["left", "right"] * 4).slices.describe())
            value ...
        """
        head, *rows = self.rows()
        return "\n".join([table_text(head, rows), *self.remarks])

    def _repr_html_(self) -> str:
        head, *rows = self.rows()
        return table_html(head, rows) + paragraphs_html(*self.remarks)

    @property
    def remarks(self) -> list[str]:
        """The sentence of `verdict`, and `note` if it exists.

        Example:
            >>> len(learner.evaluate(by=["left", "right"] * 4).slices.remarks)
            1
        """
        return [self.verdict(), *([] if self.note is None else [self.note])]

    def rows(self) -> list[list[str]]:
        """Return a table as lists of texts: first the column titles, then one row per group.

        Example:
            >>> learner.evaluate(by=["left", "right"] * 4).slices.rows()[0][:3]
            ['value', 'items', 'accuracy']
        """
        rows = [[self.by or "value", "items", title_of(self.metric), "95% interval", "rest", "p"]]
        for one in self.slices:
            interval = "-" if one.interval is None else " to ".join(map(number_text, one.interval))
            numbers = [number_text(one.metric), interval, number_text(one.rest)]
            p_value = "-" if one.p_value is None else f"{one.p_value:.3f}"
            marked = f"{p_value} worse" if one.is_worse else p_value
            rows.append([one.value, f"{one.items:,}", *numbers, marked])
        return rows


def slice_values(
    by: Any, columns: dict[Hashable, Sequence[str]], items: int
) -> tuple[str | None, list[str]]:
    """Return the name of the column with the groups (or `None`), and the group of each item.

    Args:
        by: Name of a column of the data, or a sequence with one value per item.
        columns: Values of the columns that can define groups, by column name.
        items: Number of items of the split.

    Raises:
        ConfigError: The data have no column with the name `by`.
        DataError: The number of values is not `items`, or there are more than 100 different values.
    """
    name = None
    # The name of a pandas column may be a tuple.
    if isinstance(by, str) or (isinstance(by, Hashable) and by in columns):
        name = str(by)
        if by not in columns:
            if not columns:
                raise ConfigError(
                    f"The data have no column for by={quoted(by)}. Load the data with from_csv or "
                    f"from_dataframe and slices=[{quoted(by)}]. Or pass by= with one value for "
                    f"each of the {items} items."
                )
            raise ConfigError(unknown("column in by", by, map(str, columns)))
        by = columns[by]
    values = [str(value) for value in by]
    if len(values) != items:
        raise DataError(
            f"Expected by= to be a column name, or one value for each of the {items} items of the "
            f"split. Received: {len(values)} values."
        )
    different = len(set(values))
    if different > MOST:
        raise DataError(
            f"Expected at most {MOST} groups. Received: {different} different "
            f"values{'' if name is None else f' of {quoted(name)}'}. Combine values into groups, "
            "such as ranges of numbers."
        )
    return name, values


def measure_slices(
    task: Task, record: PredictionRecord, by: str | None, values: Sequence[str]
) -> Slices:
    """Evaluate groups of items, and compare each group with all other items.

    The tests are one-sided permutation tests of the task's primary metric (`permutation_p_values`).
    Holm's method corrects the p-values (`holm`). If no group is worse, the probability that any
    group is called worse is at most 5%.

    If the record has groups of dependent items, intervals and tests count these groups, not items.
    If `values` forms exactly the groups of dependent items of the record, each interval and each
    test is about further items of one group, and counts items.

    Args:
        record: Prediction record of n items.
        values: One value for each of the n items. Items with equal values form a group.
    """
    metric = task.primary_metric
    names, codes = np.unique(np.array(values, str), return_inverse=True)
    statistic = task.statistics(record.labels, record.logits)[metric]
    groups, note = _dependent(record, codes)
    corrected = holm(permutation_p_values(statistic, codes, task.more_is_better, groups))
    slices = []
    for number, (name, p_value) in enumerate(zip(names.tolist(), corrected, strict=True)):
        mask = codes == number
        here, rest = (_known(statistic(part[None].astype(float))[0]) for part in (mask, ~mask))
        some = None if groups is None else groups[mask]
        interval = _interval(task, record.take(np.flatnonzero(mask)), some)
        is_worse = p_value is not None and p_value <= _LEVEL
        slices.append(Slice(name, int(mask.sum()), here, interval, rest, p_value, is_worse))
    return Slices(by, metric, task.more_is_better, tuple(slices), note)


def _dependent(record: PredictionRecord, codes: np.ndarray) -> tuple[np.ndarray | None, str | None]:
    """Return the groups of dependent items that intervals and tests count, and `Slices.note`."""
    groups, grouping = if_several(record.groups), record.grouping
    if groups is not None and np.array_equal(group_numbers(groups), group_numbers(codes)):
        return None, (
            "Each row is one group of dependent items. Its interval holds for further items of the "
            "same group."
        )
    return groups, None if grouping is None else grouping.describe("Intervals and p-values")


def _interval(
    task: Task, record: PredictionRecord, groups: np.ndarray | None
) -> tuple[float, float] | None:
    """Return the 95% confidence interval of the primary metric for the items of one group.

    `groups` has the group of dependent items to which each item belongs. The interval is `None` if
    all items belong to the same group of dependent items and the metric is not the accuracy.
    """
    found: Interval | None = None
    if task.primary_metric == "accuracy":
        found = share_interval(task.hits(record.labels, task.decisions(record.logits)), groups)
    elif groups is None or if_several(groups) is not None:
        statistic = task.statistics(record.labels, record.logits)[task.primary_metric]
        found = bootstrap_interval(statistic, len(record), groups=groups)
    return None if found is None else (found.low, found.high)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None

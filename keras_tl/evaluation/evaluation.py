"""`Evaluation`: the predictions of a model on a split, with their metrics and plots."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from matplotlib.figure import Figure

from keras_tl.base.config import check_range
from keras_tl.base.extras import import_extra
from keras_tl.base.text_tables import paragraphs_html, table_html
from keras_tl.errors import ConfigError, DataError
from keras_tl.evaluation import plots
from keras_tl.evaluation.calibration import check_has_probabilities, measure_calibration
from keras_tl.evaluation.losses import TopLosses, top_losses
from keras_tl.evaluation.metrics import MetricMapping, measure
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.evaluation.slices import Slices, measure_slices
from keras_tl.evaluation.thresholds import check_has_thresholds, precision_recall
from keras_tl.evaluation.wording import grouping_lines, metric_lines, metric_rows
from keras_tl.tasks import Task

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Evaluation(MetricMapping):
    """Metrics of a model on a split. The object works like a dictionary: `evaluation["accuracy"]`.

    An evaluation never changes: it describes one set of weights and one set of items.

    Attributes:
        split: Name of the split.
        task: Task of the model, with its temperature and decision thresholds.
        raw: Prediction record with the label and the logits of every item. The logits are not yet
            divided by the temperature. `raw.fingerprint` identifies the items.
        weights: Fingerprint of the model's weights.
        metrics: Metrics by name as JSON types, see `keras_tl.evaluation.metrics.measure`. After
            `evaluate(by=...)`, `"slices"` holds the metrics of each group of items, see
            `keras_tl.evaluation.slices.Slices`.
        sources: Path, text or pair of texts of each item. `None`: the items are pixels in memory,
            or their sources are unknown.

    Example:
        >>> evaluation = learner.evaluate()
        >>> evaluation.split, len(evaluation.raw)
        ('test', 8)
        >>> "accuracy" in evaluation
        True
    """

    split: str
    task: Task
    raw: PredictionRecord
    weights: str
    metrics: dict[str, Any]
    sources: Sequence[str | tuple[str, str]] | None = None

    @classmethod
    def of(
        cls,
        split: str,
        task: Task,
        *,
        raw: PredictionRecord,
        weights: str,
        sources: Sequence[str | tuple[str, str]] | None = None,
        groups: tuple[str | None, Sequence[str]] | None = None,
    ) -> Self:
        """Evaluate the predictions of a model on a split.

        Args:
            split: Name of the split. For `task`, `raw`, `weights` and `sources`, see `Evaluation`.
            groups: A pair: the name of the column with the groups (or `None`), and the group of
                each item. `groups=None`: compute no metrics by group.

        Example:
            >>> test = learner.evaluate()
            >>> again = ktl.Evaluation.of("test", test.task, raw=test.raw, weights=test.weights)
            >>> again["accuracy"] == test["accuracy"]
            True
        """
        record = raw.scaled(task.temperature)
        metrics = measure(task, record)
        if groups is not None:
            metrics["slices"] = measure_slices(task, record, *groups).to_json()
        return cls(split, task, raw, weights, metrics, sources)

    @functools.cached_property
    def record(self) -> PredictionRecord:
        """Prediction record with the label of every item, and logits divided by the temperature.

        Example:
            >>> learner.evaluate().record.logits.shape
            (8, 1)
        """
        return self.raw.scaled(self.task.temperature)

    @property
    def slices(self) -> Slices | None:
        """Metrics by group of items, from `evaluate(by=...)`. `None`: no metrics by group.

        Example:
            >>> groups = learner.evaluate(by=["left", "right"] * 4).slices
            >>> [group.items for group in groups.slices]
            [4, 4]
        """
        return Slices.from_json(self["slices"]) if "slices" in self.metrics else None

    def under(self, task: Task) -> "Evaluation":
        """Evaluate the saved logits again, with another temperature or other decision thresholds.

        The returned evaluation has the metrics by group only if no prediction changes.

        Example:
            >>> import dataclasses
            >>> test = learner.evaluate()
            >>> calibrated = dataclasses.replace(test.task, temperature=2.0)
            >>> test.under(calibrated)["accuracy"] == test["accuracy"]
            True
        """
        if task == self.task:
            return self
        found = Evaluation.of(
            self.split, task, raw=self.raw, weights=self.weights, sources=self.sources
        )
        before, after = (one.task.decisions(one.record.logits) for one in (self, found))
        if "slices" in self.metrics and np.array_equal(before, after):
            found.metrics["slices"] = self["slices"]
        return found

    def top_losses(self, count: int = 9) -> TopLosses:
        """Return the items with the largest losses, the largest first.

        Args:
            count: Maximum number of items to return.

        Raises:
            ConfigError: `count` is not a whole number of at least 1.

        Example:
            >>> items = learner.evaluate().top_losses(3).items
            >>> len(items), items[0].loss >= items[1].loss
            (3, True)
        """
        check_range("count", count, 1, whole=True)
        return top_losses(self.task, self.record, self.sources, self.split, count)

    def to_dataframe(self) -> "pd.DataFrame":
        """Return a `pandas.DataFrame` with one row per item, in the order of the split.

        The column `item` holds a path, a text or a pair of texts (`None` for pixels in memory).
        The columns `label` and `prediction` hold names of classes or labels (regression: numbers as
        text). `probability` holds the probability of the prediction (NaN if the task has no
        probabilities). `loss` holds the loss of the item.

        Raises:
            ConfigError: pandas is not installed.

        Example:
            >>> frame = learner.evaluate().to_dataframe()
            >>> list(frame), len(frame)
            (['item', 'label', 'prediction', 'probability', 'loss'], 8)
        """
        pandas = import_extra("pandas", "pandas", "pandas")
        rows = sorted(self.top_losses(len(self.raw)).items, key=lambda item: item.row)
        return pandas.DataFrame(
            {
                "item": [item.source for item in rows],
                "label": [item.true for item in rows],
                "prediction": [item.predicted for item in rows],
                "probability": np.array([item.predicted_probability for item in rows], float),
                "loss": [item.loss for item in rows],
            }
        )

    def describe(self) -> str:
        """Return text with one line per metric: its value and its 95% confidence interval.

        If the items have groups (`groups=` of the data), the last line says that the intervals
        count whole groups.

        Example:
            >>> learner.evaluate().describe().splitlines()[0]
            'Evaluation on 8 items of the test split.'
        """
        return "\n".join([self._title, *metric_lines(self.metrics)])

    def __repr__(self) -> str:
        return self.describe()

    def _repr_html_(self) -> str:
        table = table_html(("metric", "value", "95% interval"), metric_rows(self.metrics))
        more = "" if self.slices is None else self.slices._repr_html_()
        notes = paragraphs_html(*grouping_lines(self.metrics))
        return paragraphs_html(self._title) + table + notes + more

    @property
    def _title(self) -> str:
        return f"Evaluation on {len(self.raw):,} items of the {self.split} split."

    def plot_confusion(self) -> Figure:
        """Draw the confusion matrix.

        Raises:
            ConfigError: Items of this task do not have exactly one class.

        Example:
            >>> type(learner.evaluate().plot_confusion()).__name__
            'Figure'
        """
        if not self.task.has_one_class:
            raise ConfigError(
                f"A confusion matrix needs exactly one class per item. The task is "
                f"{self.task.kind}. Call plots() for the plots of this task."
            )
        return plots.confusion(self["confusion_matrix"], self.task.class_names)

    def plot_calibration(self) -> Figure:
        """Draw the reliability diagram.

        Raises:
            ConfigError: The task is a regression, which has no probabilities.

        Example:
            >>> type(learner.evaluate().plot_calibration()).__name__
            'Figure'
        """
        check_has_probabilities(self.task)
        return plots.reliability(measure_calibration(self.task, self.record))

    def plot_roc(self) -> Figure:
        """Draw the ROC curve of a binary task, or at most eight curves of a multi-label task.

        Raises:
            ConfigError: The task has no decision thresholds.
            DataError: The ROC curve is undefined on the items of the split.

        Example:
            >>> type(learner.evaluate().plot_roc()).__name__
            'Figure'
        """
        check_has_thresholds(self.task)
        curves = plots.roc_curves(self.metrics, self.task.class_names)
        if not curves:
            raise self._no_curve("ROC", "items with and without a label, or items of both classes")
        return plots.roc(curves, plots.roc_areas(self.metrics, self.task.class_names))

    def plot_precision_recall(self) -> Figure:
        """Draw at most eight precision-recall curves: those with the lowest average precision.

        Raises:
            ConfigError: The task has no decision thresholds.
            DataError: No item has any of the labels.

        Example:
            >>> type(learner.evaluate().plot_precision_recall()).__name__
            'Figure'
        """
        check_has_thresholds(self.task)
        rows = self["per_class"]
        found = precision_recall(self.task, self.record)
        curves = plots.lowest(found, lambda name: rows[name]["average_precision"])
        if not curves:
            needs = "items with a label, or items of the second class"
            raise self._no_curve("precision-recall", needs)
        return plots.precision_recall(curves)

    def _no_curve(self, name: str, needs: str) -> DataError:
        return DataError(
            f"The {self.split} split has no {name} curve. The curve needs {needs}. Evaluate a "
            "larger split."
        )

    def plot_values(self) -> Figure:
        """Draw the predicted values of a regression against the true values.

        Raises:
            ConfigError: The task is not a regression.

        Example:
            >>> learner.evaluate().plot_values()
            Traceback (most recent call last):
                ...
            keras_tl.errors.ConfigError: plot_values() needs a regression. The task is binary. ...
        """
        if not self.task.is_number:
            raise ConfigError(
                f"plot_values() needs a regression. The task is {self.task.kind}. Call plots() for "
                "the plots of this task."
            )
        return plots.scatter(self["values"])

    def plots(self) -> dict[str, Figure]:
        """Return all plots of this evaluation, in a dictionary from captions to plots.

        Example:
            >>> "Confusion matrix" in learner.evaluate().plots()
            True
        """
        return plots.metric_figures(self.metrics, self.task.class_names)

"""Plots of the metrics of a split."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from keras_tl.evaluation.calibration import Calibration
from keras_tl.evaluation.plots import probabilities
from keras_tl.evaluation.plots.style import FIRST, SOFT, label_text


def confusion(matrix: Sequence[Sequence[int]], class_names: Sequence[str]) -> Figure:
    """Draw the confusion matrix. The colour shows which fraction of the true class a cell holds."""
    counts = np.array(matrix)
    side = min(3.5 + 0.45 * len(class_names), 14)
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    axes = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, ax=axes, label="share of the true class", shrink=0.8)
    ticks = range(len(class_names))
    names = [label_text(name) for name in class_names]
    long = max(map(len, class_names)) > 3
    axes.set_xticks(ticks, names, rotation=45 if long else 0, ha="right" if long else "center")
    axes.set_yticks(ticks, names)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    if len(class_names) <= 30:
        for (row, column), count in np.ndenumerate(counts):
            if count:
                colour = "white" if shares[row, column] > 0.5 else "black"
                axes.text(column, row, count, ha="center", va="center", color=colour, fontsize=8)
    return figure


def average_precisions(per_class: Mapping[str, Mapping[str, float | None]]) -> Figure:
    """Draw a bar for the average precision of each label (undefined: no bar), the best on top."""
    rows = sorted(per_class.items(), key=lambda row: row[1]["average_precision"] or 0)
    figure = Figure(figsize=(7, 1.2 + 0.3 * len(rows)), layout="constrained")
    axes = figure.subplots()
    # The positions of the bars are numbers, because two shortened names may be equal.
    axes.barh(range(len(rows)), [row["average_precision"] or 0 for _, row in rows], color=FIRST)
    axes.set_yticks(
        range(len(rows)), [f"{label_text(name)} ({row['items']})" for name, row in rows]
    )
    axes.set_xlim(0, 1)
    axes.set_xlabel("average precision (in brackets: items that have the label)")
    return figure


def scatter(values: Sequence[Sequence[float]]) -> Figure:
    """Draw predicted against true values, with a line where both are equal."""
    return probabilities.square(draw_scatter, values)


def draw_scatter(axes: Axes, values: Sequence[Sequence[float]]) -> None:
    """Draw predicted against true values on the caller's axes, as in `scatter`."""
    true, predicted = np.transpose(values)
    axes.plot(true, predicted, ".", color=FIRST, alpha=0.5)
    ends = [min(true.min(), predicted.min()), max(true.max(), predicted.max())]
    axes.plot(ends, ends, "--", color=SOFT, linewidth=0.8)
    axes.set_xlabel("true value")
    axes.set_ylabel("predicted value")


def metric_figures(metrics: Mapping[str, Any], class_names: Sequence[str]) -> dict[str, Figure]:
    """Return plots of a split's metrics (see `keras_tl.evaluation.metrics`), by caption."""
    figures = {}
    if "confusion_matrix" in metrics:
        figures["Confusion matrix"] = confusion(metrics["confusion_matrix"], class_names)
    if curves := probabilities.roc_curves(metrics, class_names):
        areas = probabilities.roc_areas(metrics, class_names)
        figures["ROC curve"] = probabilities.roc(curves, areas)
    rows = metrics.get("per_class", {})
    found = metrics.get("precision_recall", {})
    if curves := probabilities.lowest(found, lambda name: rows[name]["average_precision"]):
        figures["Precision and recall"] = probabilities.precision_recall(curves)
    if "calibration" in metrics:
        calibration = Calibration.from_json(metrics["calibration"])
        figures["Reliability"] = probabilities.reliability(calibration)
    if "mean_average_precision" in metrics:
        figures["Average precision"] = average_precisions(metrics["per_class"])
    if "values" in metrics:
        figures["Predicted and true values"] = scatter(metrics["values"])
    return figures

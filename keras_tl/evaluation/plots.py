"""Plots, as matplotlib figures that are bound to no display."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from keras_tl.config import Phase, check_range
from keras_tl.evaluation.probability_plots import precision_recall, reliability
from keras_tl.training.history import PhaseRecord
from keras_tl.training.optimizers import make_schedule

_TRAIN, _VALIDATION = "#1f5fa8", "#c2571a"
_RISING = {"accuracy", "auc"}
_RIGHT, _WRONG = "#1a6b2a", "#b3261e"
_SHOWN_STEPS = 400


def learning_curves(history: list[PhaseRecord], watched: str = "accuracy") -> Figure:
    """Loss and another metric over the epochs of all phases, with a line where a phase begins.

    A dot marks the epoch whose weights each phase kept.
    """
    figure = Figure(figsize=(10, 4), layout="constrained")
    for axes, metric in zip(figure.subplots(1, 2), ("loss", watched), strict=True):
        _curve(axes, history, metric)
        axes.set_xlabel("epoch (large dots: weights kept)")
        axes.set_ylabel(_axis_name(metric, watched))
        axes.grid(alpha=0.25)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(loc="lower right" if metric in _RISING else "upper right")
    return figure


def _axis_name(metric: str, watched: str) -> str:
    if metric == "mae":
        return "mean absolute error (unit of the target)"
    if metric == "loss":
        return "squared error / variance" if watched == "mae" else "cross-entropy (nats)"
    return metric


def _curve(axes, history: list[PhaseRecord], metric: str) -> None:
    for name, label, colour in (
        (metric, "training", _TRAIN),
        (f"val_{metric}", "validation", _VALIDATION),
    ):
        values = [epoch.get(name, np.nan) for record in history for epoch in record.epochs]
        if not np.all(np.isnan(values)):
            axes.plot(range(1, len(values) + 1), values, ".-", color=colour, label=label)
            start = 0
            for record in history:
                if record.best_epoch:
                    kept = start + record.best_epoch
                    axes.plot(kept, values[kept - 1], "o", color=colour, markersize=9, alpha=0.4)
                start += len(record.epochs)
    start = 0
    for record in history:
        axes.axvline(start + 0.5, color="#777777", linewidth=0.8, linestyle="--")
        axes.annotate(
            record.phase.name,
            (start + 0.6, 1.0),
            xycoords=("data", "axes fraction"),
            va="bottom",
            fontsize=9,
            color="#444444",
        )
        start += len(record.epochs)


def learning_rates(phases: Sequence[Phase], steps_per_epoch: int) -> Figure:
    """The learning rate over the steps of phases, each with a scale of its own.

    Args:
        phases: such as those of a policy.
        steps_per_epoch: batches of the training split.

    Raises:
        ConfigError: `steps_per_epoch` is not a whole number of at least 1.
    """
    check_range("steps_per_epoch", steps_per_epoch, 1, whole=True)
    figure = Figure(figsize=(max(3.6 * len(phases), 5), 3.2), layout="constrained")
    for axes, phase in zip(figure.subplots(1, len(phases), squeeze=False)[0], phases, strict=True):
        steps = steps_per_epoch * phase.epochs
        rate = make_schedule(phase, steps)
        # Keras's schedules take one step at a time.
        shown = np.unique(np.linspace(0, steps - 1, _SHOWN_STEPS).round().astype(int))
        rates = [float(rate(int(step))) if callable(rate) else rate for step in shown]
        axes.plot(shown, rates, "." if steps == 1 else "-", color=_TRAIN)
        for epoch in range(1, phase.epochs):
            axes.axvline(epoch * steps_per_epoch, color="#777777", linewidth=0.8, linestyle=":")
        axes.set_title(f"{phase.name}: {phase.schedule}", fontsize=10)
        axes.set_ylim(0)
        axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3), useMathText=True)
        axes.set_xlabel("step (dotted: epochs)")
        axes.grid(alpha=0.25)
    figure.axes[0].set_ylabel("learning rate")
    return figure


def confusion(matrix: list[list[int]], class_names: tuple[str, ...]) -> Figure:
    """Confusion matrix: counts, shaded by the share of each true class."""
    counts = np.array(matrix)
    side = min(3.5 + 0.45 * len(class_names), 14)
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    axes = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, ax=axes, label="share of the true class", shrink=0.8)
    ticks = range(len(class_names))
    long = max(map(len, class_names)) > 3
    axes.set_xticks(
        ticks, class_names, rotation=45 if long else 0, ha="right" if long else "center"
    )
    axes.set_yticks(ticks, class_names)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    if len(class_names) <= 30:
        for (row, column), count in np.ndenumerate(counts):
            if count:
                colour = "white" if shares[row, column] > 0.5 else "black"
                axes.text(column, row, count, ha="center", va="center", color=colour, fontsize=8)
    return figure


def roc(points: list[list[float]], auc: float) -> Figure:
    """ROC curve: true positive rate against false positive rate."""
    figure = Figure(figsize=(4.8, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.plot(*np.transpose(points), color=_TRAIN, label=f"area {auc:.3f}")
    axes.plot([0, 1], [0, 1], "--", color="#777777", linewidth=0.8, label="chance")
    axes.set_xlabel("false positive rate")
    axes.set_ylabel("true positive rate")
    axes.set_aspect("equal")
    axes.legend(loc="lower right")
    return figure


def average_precisions(per_class: dict[str, dict[str, float | None]]) -> Figure:
    """A bar for each label, the best on top; labels without a positive item have none."""
    rows = sorted(per_class.items(), key=lambda row: row[1]["average_precision"] or 0)
    figure = Figure(figsize=(7, 1.2 + 0.3 * len(rows)), layout="constrained")
    axes = figure.subplots()
    names = [f"{name} ({row['items']})" for name, row in rows]
    axes.barh(names, [row["average_precision"] or 0 for _, row in rows], color=_TRAIN)
    axes.set_xlim(0, 1)
    axes.set_xlabel("average precision (in brackets: items that have the label)")
    return figure


def scatter(values: list[list[float]]) -> Figure:
    """Predicted against true values, with the line on which they are equal."""
    true, predicted = np.transpose(values)
    figure = Figure(figsize=(4.8, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.plot(true, predicted, ".", color=_TRAIN, alpha=0.5)
    ends = [min(true.min(), predicted.min()), max(true.max(), predicted.max())]
    axes.plot(ends, ends, "--", color="#777777", linewidth=0.8)
    axes.set_xlabel("true value")
    axes.set_ylabel("predicted value")
    return figure


def metric_figures(metrics: dict[str, Any], class_names: tuple[str, ...]) -> dict[str, Figure]:
    """Captions and pictures of whatever the metrics hold; see `keras_tl.evaluation.measuring`."""
    figures = {}
    if "confusion_matrix" in metrics:
        figures["Confusion matrix"] = confusion(metrics["confusion_matrix"], class_names)
    if metrics.get("roc"):
        figures["ROC curve"] = roc(metrics["roc"], metrics["auc"])
    if any(metrics.get("precision_recall", {}).values()):
        figures["Precision and recall"] = precision_recall(metrics["precision_recall"])
    if "calibration" in metrics:
        figures["Reliability"] = reliability(metrics["calibration"])
    if "mean_average_precision" in metrics:
        figures["Average precision"] = average_precisions(metrics["per_class"])
    if "values" in metrics:
        figures["Predicted and true values"] = scatter(metrics["values"])
    return figures


def prediction_grid(
    images: np.ndarray,
    truths: list[str],
    predictions: Iterable,
    judged: bool = True,
    columns: int = 6,
) -> Figure:
    """Images with what was predicted and what they are.

    Args:
        images: (n, height, width, 3) in [0, 255].
        truths: the n true labels, as predictions name them.
        predictions: n items of a `Predictions`.
        judged: whether an answer is right or wrong, not more or less so.
        columns: images in a row.
    """
    rows = -(-len(images) // columns)
    figure = Figure(figsize=(1.7 * columns, 2.0 * rows), layout="constrained")
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.axis("off")
    for axes, image, truth, item in zip(figure.axes, images, truths, predictions, strict=False):
        right = item.name == truth
        axes.imshow(image.astype(np.uint8))
        axes.set_title(
            _shortened(item) + ("" if right else f"\nis {_shortened(truth)}"),
            fontsize=9,
            color="black" if not judged else _RIGHT if right else _WRONG,
        )
    return figure


def _shortened(what: object, length: int = 24) -> str:
    text = str(what)
    return text if len(text) <= length else text[: length - 1] + "\N{HORIZONTAL ELLIPSIS}"

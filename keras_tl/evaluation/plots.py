"""Plots, as matplotlib figures that are bound to no display."""

import numpy as np
from matplotlib.figure import Figure

from keras_tl.results import Predictions
from keras_tl.training.history import PhaseRecord

_TRAIN, _VALIDATION = "#1f5fa8", "#c2571a"


def learning_curves(history: list[PhaseRecord]) -> Figure:
    """Loss and accuracy over the epochs of all phases, with a line where a phase begins.

    A dot marks the epoch whose weights each phase kept.
    """
    figure = Figure(figsize=(10, 4), layout="constrained")
    for axes, metric in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        _curve(axes, history, metric)
        axes.set_xlabel("epoch (large dots: weights kept)")
        axes.set_ylabel({"loss": "cross-entropy (nats)"}.get(metric, metric))
        axes.grid(alpha=0.25)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(loc="upper right" if metric == "loss" else "lower right")
    return figure


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


def prediction_grid(
    images: np.ndarray, labels: np.ndarray, predictions: Predictions, columns: int = 6
) -> Figure:
    """Images with what was predicted and, where that is wrong, what they are.

    Args:
        images: (n, height, width, 3) in [0, 255].
        labels: int array (n,), the true classes.
        predictions: n predictions.
        columns: images in a row.
    """
    rows = -(-len(images) // columns)
    figure = Figure(figsize=(1.7 * columns, 2.0 * rows), layout="constrained")
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.axis("off")
    for axes, image, label, item in zip(figure.axes, images, labels, predictions, strict=False):
        right = item.label == predictions.class_names[label]
        true = "" if right else f"\nis {predictions.class_names[label]}"
        axes.imshow(image.astype(np.uint8))
        axes.set_title(
            f"{item.label} {item.probability:.0%}{true}",
            fontsize=9,
            color="#1a6b2a" if right else "#b3261e",
        )
    return figure

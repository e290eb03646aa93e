"""Plots that compare trained variants (arms) of a model, such as frozen and fine-tuned."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from keras_tl.evaluation.plots.style import FIRST, INK, SECOND, label_text

# Colour, marker and line style of each trained variant (arm) of `keras_tl.comparison`.
_STYLES = {
    "scratch": (INK, "s", "--"),
    "frozen": (FIRST, "o", "-"),
    "fine-tuned": (SECOND, "^", "-"),
}


def comparison(sizes: Sequence[Mapping[str, Any]], skill: str) -> Figure:
    """Draw learning curves of trained variants (arms), one plot per size of the training split.

    `sizes` holds, for each plot, `size` (number of training items, `None`: all items) and `curves`
    (see `draw_comparison`).
    """
    count = len(sizes)
    figure = Figure(figsize=(max(4.2 * count, 6.5), 4), layout="constrained")
    pictures = figure.subplots(1, count, squeeze=False, sharey=True)[0]
    for axes, found in zip(pictures, sizes, strict=True):
        draw_comparison(axes, found["curves"], skill)
        if count > 1:
            axes.set_title("all items" if found["size"] is None else f"{found['size']:,} items")
    return figure


def draw_comparison(axes: Axes, curves: Mapping[str, Mapping[str, Any]], skill: str) -> None:
    """Draw the learning curves of trained variants (arms), with confidence intervals.

    Args:
        axes: Axes to draw on.
        curves: Learning curve of each arm. `curve["mean"]` holds `mean`, `low` and `high` for each
            epoch. If there is only one seed, `low` and `high` are `None`.
        skill: Name of the metric on the vertical axis, such as `"accuracy"`.
    """
    for arm, curve in curves.items():
        colour, marker, line = _STYLES[arm]
        epochs = range(1, len(curve["mean"]) + 1)
        means, low, high = (
            [estimate[name] for estimate in curve["mean"]] for name in ("mean", "low", "high")
        )
        axes.plot(
            epochs, means, line, marker=marker, markersize=4, color=colour, label=label_text(arm)
        )
        if low[0] is not None:
            axes.fill_between(epochs, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set_xlabel("epoch")
    axes.set_ylabel(f"test {skill}")
    axes.grid(alpha=0.25)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(loc="best")

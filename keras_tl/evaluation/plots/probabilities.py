"""Plots of probabilities: reliability diagrams, ROC curves and precision-recall curves."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import auc

from keras_tl.evaluation.calibration import Calibration
from keras_tl.evaluation.plots.style import FIRST, GROUPS, SECOND, SOFT, label_text

# Points of the curve of each label, by name of the label.
Curves = Mapping[str, Sequence[Sequence[float]]]
# Areas under curves, by name of the label. `None`: unknown.
Areas = Mapping[str, float | None]

# Maximum number of curves in a plot. More curves would hide each other.
MOST_CURVES = 8


def lowest(curves: Curves, value: Callable[[str], float | None]) -> dict[str, Any]:
    """Return the curves to draw: all curves with points, or the eight with the lowest `value`.

    `value` is a function from a label to a number, such as the area under the curve of the label.
    A label for which `value` returns `None` counts as 0.
    """
    known = {name: points for name, points in curves.items() if points}
    if len(known) <= MOST_CURVES:
        return known
    return {name: known[name] for name in sorted(known, key=lambda n: value(n) or 0)[:MOST_CURVES]}


def roc_curves(metrics: Mapping[str, Any], class_names: Sequence[str]) -> dict[str, Any]:
    """Return the ROC curves to draw: all curves, or the eight with the lowest area under the curve.

    `metrics["roc"]` holds the curves by label. For two classes, `metrics["roc"]` is only the curve
    of the second class.
    """
    found = metrics.get("roc") or {}
    curves = found if isinstance(found, Mapping) else {class_names[1]: found}
    areas = roc_areas(metrics, class_names)
    return lowest(curves, lambda name: _area(name, curves[name], areas))


def roc_areas(metrics: Mapping[str, Any], class_names: Sequence[str]) -> Areas:
    """Return the areas under the ROC curves from the metrics, by name of the label.

    The curves in the metrics have at most 200 points. The areas under the curves are computed
    from all points.
    """
    if isinstance(metrics.get("roc"), Mapping):
        return {name: row.get("auc") for name, row in metrics.get("per_class", {}).items()}
    return {class_names[1]: metrics["auc"]} if metrics.get("roc") and "auc" in metrics else {}


def _area(name: str, points: Sequence[Sequence[float]], areas: Areas | None) -> float:
    known = (areas or {}).get(name)
    return area_under(points) if known is None else known


def area_under(points: Sequence[Sequence[float]]) -> float:
    """Return the area under a ROC curve."""
    return float(auc(*np.transpose(points)))


def area_texts(curves: Curves, areas: Areas | None = None) -> dict[str, str]:
    """Return the areas under ROC curves as text, such as `0.912`, by name of the label.

    `areas`: see `roc_areas`. The function computes missing areas from the curves.
    """
    return {name: f"{_area(name, points, areas):.3f}" for name, points in curves.items()}


def roc(curves: Curves, areas: Areas | None = None) -> Figure:
    """Draw ROC curves: true positive rate against false positive rate."""
    return square(draw_roc, curves, areas)


def draw_roc(axes: Axes, curves: Curves, areas: Areas | None = None) -> None:
    """Draw ROC curves on the caller's axes, as in `roc`."""
    texts = area_texts(curves, areas)
    for (name, points), colour in zip(curves.items(), _colours(curves), strict=False):
        label = f"{label_text(name, 16)}, area {texts[name]}"
        axes.plot(*np.transpose(points), color=colour, label=label)
    axes.plot([0, 1], [0, 1], "--", color=SOFT, linewidth=0.8, label="chance")
    axes.set_xlabel("false positive rate")
    axes.set_ylabel("true positive rate")
    axes.set_aspect("equal")
    axes.legend(loc="lower right")


def reliability(found: Calibration) -> Figure:
    """Draw the reliability diagram: fraction of true events against mean probability.

    The plot follows Guo et al., 2017, arXiv:1706.04599, fig. 1, and adds confidence intervals.
    """
    return square(draw_reliability, found)


def draw_reliability(axes: Axes, found: Calibration) -> None:
    """Draw the reliability diagram on the caller's axes, as in `reliability`."""
    bins = [one for one in found.bins if one.items]
    sure, true = (np.array([getattr(one, n) for one in bins]) for n in ("confidence", "frequency"))
    # Because of rounding, a fraction of 0 or 1 can lie just outside its confidence interval.
    below, above = (np.abs(np.array([one.interval[end] for one in bins]) - true) for end in (0, 1))
    axes.plot([0, 1], [0, 1], "--", color=SOFT, linewidth=0.8, label="calibrated")
    axes.errorbar(
        sure, true, (below, above), fmt="none", ecolor=FIRST, elinewidth=1, alpha=0.6, capsize=2
    )
    most = max(one.items for one in bins)
    sizes = [12 + 100 * one.items / most for one in bins]
    axes.scatter(sure, true, sizes, color=FIRST, label=f"bins, ECE {found.ece:.3f}")
    axes.set_xlabel(f"mean probability of {found.probabilities_of}")
    axes.set_ylabel("observed frequency")
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_aspect("equal")
    axes.grid(alpha=0.25)
    axes.legend(loc="upper left")


def precision_recall(curves: Curves) -> Figure:
    """Draw precision against recall, with one curve for each label that some items have."""
    return square(draw_precision_recall, curves)


def draw_precision_recall(axes: Axes, curves: Curves) -> None:
    """Draw precision-recall curves on the caller's axes, as in `precision_recall`."""
    known = {name: points for name, points in curves.items() if points}
    for (name, points), colour in zip(known.items(), _colours(curves), strict=False):
        recall, precision, *_ = np.array(points, float).T
        # Draw steps, because average precision is the area under the steps.
        recall, precision = [0, *recall], [precision[0], *precision]
        axes.step(recall, precision, color=colour, label=label_text(name, 16), where="pre")
    axes.set_xlabel("recall")
    axes.set_ylabel("precision")
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_aspect("equal")
    axes.grid(alpha=0.25)
    axes.legend(loc="best")


def _colours(curves: Curves) -> Iterator[str]:
    return itertools.cycle((FIRST, SECOND) if len(curves) <= 2 else GROUPS)


def square(draw: Any, *values: Any) -> Figure:
    """Return a square figure, drawn by the function `draw(axes, *values)`."""
    figure = Figure(figsize=(4.8, 4.5), layout="constrained")
    draw(figure.subplots(), *values)
    return figure

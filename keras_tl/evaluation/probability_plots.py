"""Plots of probabilities: how far they can be trusted, and what a threshold on them gives."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from keras_tl.evaluation.calibration import Calibration

_COLOUR, _CHANCE = "#1f5fa8", "#777777"


def reliability(measured: dict[str, Any]) -> Figure:
    """Reliability diagram: how often answers are right, by how sure they are.

    Points below the line are answers that are surer than they are right. Below, how many there
    are of each.

    Args:
        measured: `"calibration"` of a result of `keras_tl.evaluation.measuring.measure`.
    """
    found = Calibration.from_json(measured)
    known = [one for one in found.bins if one.items]
    confidence, frequency = (
        np.array([getattr(one, name) for one in known]) for name in ("confidence", "frequency")
    )
    low, high = np.transpose([one.interval for one in known])
    figure = Figure(figsize=(4.8, 5.6), layout="constrained")
    axes, counts = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    axes.plot([0, 1], [0, 1], "--", color=_CHANCE, linewidth=0.8, label="calibrated")
    ends = np.stack([frequency - low, high - frequency])
    axes.errorbar(
        confidence,
        frequency,
        # Rounding makes an end of an interval at 0 or 1 negative.
        yerr=np.maximum(ends, 0),
        fmt="o-",
        color=_COLOUR,
        capsize=2,
        label=f"measured, 95% intervals (ECE {found.ece:.3f})",
    )
    axes.set_ylabel("how often it is right")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.legend(loc="upper left")
    axes.grid(alpha=0.25)
    edges = [one.low for one in found.bins]
    width = found.bins[0].high - found.bins[0].low
    counts.bar(edges, [one.items for one in found.bins], width, align="edge", color=_COLOUR)
    counts.set_ylabel("how many")
    counts.set_xlabel(f"probability of {found.probabilities_of}")
    return figure


def precision_recall(curves: dict[str, list[list[float]]]) -> Figure:
    """Precision against recall over all thresholds, a line a label.

    Args:
        curves: see `keras_tl.evaluation.thresholds.precision_recall`.
    """
    figure = Figure(figsize=(4.8, 4.5), layout="constrained")
    axes = figure.subplots()
    for name, points in curves.items():
        if points:
            recall, precision, _ = np.transpose(points)
            axes.step([0, *recall], [precision[0], *precision], where="pre", label=name)
    axes.set_xlabel("recall")
    axes.set_ylabel("precision")
    axes.set_xlim(0, 1.01)
    axes.set_ylim(0, 1.01)
    axes.grid(alpha=0.25)
    axes.legend(loc="lower left", fontsize=8)
    return figure

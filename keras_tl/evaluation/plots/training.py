"""Plots of training: learning curves, and learning rates."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from keras_tl.base.config import Phase, check_range
from keras_tl.evaluation.plots.style import FIRST, INK, SECOND, SOFT, label_text
from keras_tl.evaluation.wording import title_of
from keras_tl.runs.history import PhaseRecord
from keras_tl.training.optimizers import make_schedule

_SHOWN_STEPS = 400


def learning_curves(history: Sequence[PhaseRecord], monitor: str = "accuracy") -> Figure:
    """Draw the loss and another metric over the epochs, with a line at the start of each phase.

    A large dot marks the epoch whose weights a phase kept.
    """
    figure = Figure(figsize=(10, 4), layout="constrained")
    for axes, metric in zip(figure.subplots(1, 2), ("loss", monitor), strict=True):
        draw_curve(axes, history, metric, monitor)
    return figure


def draw_curve(axes: Axes, history: Sequence[PhaseRecord], metric: str, monitor: str) -> None:
    """Draw one metric, for training and validation, over the epochs of all phases."""
    starts = np.cumsum([0, *(len(record.epochs) for record in history)])[:-1]
    lines = (metric, "training", FIRST), (f"val_{metric}", "validation", SECOND)
    for name, label, colour in lines:
        values = [epoch.get(name, np.nan) for record in history for epoch in record.epochs]
        if not np.all(np.isnan(values)):
            axes.plot(range(1, len(values) + 1), values, ".-", color=colour, label=label)
            for record, start in zip(history, starts, strict=True):
                if record.kept_values:
                    kept = start + record.best_epoch
                    axes.plot(kept, values[kept - 1], "o", color=colour, markersize=9, alpha=0.4)
    for record, start in zip(history, starts, strict=True):
        axes.axvline(start + 0.5, color=SOFT, linewidth=0.8, linestyle="--")
        axes.annotate(
            label_text(record.phase.name),
            (start + 0.6, 1.0),
            xycoords=("data", "axes fraction"),
            va="bottom",
            fontsize="small",
            color=INK,
        )
    axes.set_xlabel("epoch (large dots: weights kept)")
    axes.set_ylabel(_axis_name(metric, monitor))
    axes.grid(alpha=0.25)
    axes.xaxis.get_major_locator().set_params(integer=True)
    if axes.get_legend_handles_labels()[0]:  # There is no curve if the first epoch diverged.
        axes.legend(loc="best")


def _axis_name(metric: str, monitor: str) -> str:
    if metric == "mae":
        return "mean absolute error (unit of the target)"
    if metric == "loss":
        return "squared error / variance" if monitor == "mae" else "cross-entropy (nats)"
    return title_of(metric)


def learning_rates(phases: Sequence[Phase], steps_per_epoch: int) -> Figure:
    """Draw the learning rate over the steps of each phase. Each plot has its own scale.

    Args:
        phases: One or more training phases, for example the phases of a policy.
        steps_per_epoch: Number of batches in one epoch of training.

    Raises:
        ConfigError: `steps_per_epoch` is not a whole number of at least 1.
    """
    check_range("steps_per_epoch", steps_per_epoch, 1, whole=True)
    figure = Figure(figsize=(max(3.6 * len(phases), 5), 3.2), layout="constrained")
    for axes, phase in zip(figure.subplots(1, len(phases), squeeze=False)[0], phases, strict=True):
        steps = steps_per_epoch * phase.epochs
        rate = make_schedule(phase, steps)
        # A Keras schedule takes one step at a time, no array of steps.
        shown = np.unique(np.linspace(0, steps - 1, _SHOWN_STEPS).round().astype(int))
        rates = [float(rate(int(step))) if callable(rate) else rate for step in shown]
        axes.plot(shown, rates, "." if steps == 1 else "-", color=FIRST)
        for epoch in range(1, phase.epochs):
            axes.axvline(epoch * steps_per_epoch, color=SOFT, linewidth=0.8, linestyle=":")
        axes.set_title(f"{phase.name}: {phase.schedule}", fontsize=10)
        axes.set_ylim(0)
        axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3), useMathText=True)
        axes.set_xlabel("step (dotted: epochs)")
        axes.grid(alpha=0.25)
    figure.axes[0].set_ylabel("learning rate")
    return figure

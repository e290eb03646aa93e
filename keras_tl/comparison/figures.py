"""The figure of a comparison."""

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from keras_tl.comparison.verdict import FINE_TUNED, FROZEN, SCRATCH

if TYPE_CHECKING:
    from keras_tl.comparison.result import Comparison

# Told apart by colour, by marker, and without either by the dashes.
_STYLES = {
    SCRATCH: ("#555555", "s", "--"),
    FROZEN: ("#1f5fa8", "o", "-"),
    FINE_TUNED: ("#c2571a", "^", "-"),
}


def curves_figure(comparison: "Comparison") -> Figure:
    """Skill on the test split against passes over the training split, a picture a size."""
    count = len(comparison.sizes)
    figure = Figure(figsize=(max(4.2 * count, 6.5), 4), layout="constrained")
    pictures = figure.subplots(1, count, squeeze=False, sharey=True)[0]
    for axes, found in zip(pictures, comparison.sizes, strict=True):
        for arm, curve in found.curves.items():
            colour, marker, line = _STYLES[arm]
            epochs = range(1, len(curve.mean) + 1)
            means = [estimate.mean for estimate in curve.mean]
            axes.plot(epochs, means, line, marker=marker, markersize=4, color=colour, label=arm)
            if curve.mean[0].low is not None:
                low, high = ([getattr(e, end) for e in curve.mean] for end in ("low", "high"))
                axes.fill_between(epochs, low, high, color=colour, alpha=0.15, linewidth=0)
        if count > 1:
            axes.set_title("all items" if found.size is None else f"{found.size:,} items")
        axes.set_xlabel("passes over the training split")
        axes.grid(alpha=0.25)
        axes.xaxis.get_major_locator().set_params(integer=True)
    pictures[0].set_ylabel(f"test {comparison.skill} (95% interval)")
    pictures[-1].legend(loc="lower right")
    return figure

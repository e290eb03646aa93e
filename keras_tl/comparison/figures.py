"""The figure of a comparison."""

import dataclasses
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from keras_tl.evaluation.plots import draw_comparison

if TYPE_CHECKING:
    from keras_tl.comparison.result import Comparison


def curves_figure(comparison: "Comparison") -> Figure:
    """Skill on the test split against passes over the training split, a picture a size."""
    count = len(comparison.sizes)
    figure = Figure(figsize=(max(4.2 * count, 6.5), 4), layout="constrained")
    pictures = figure.subplots(1, count, squeeze=False, sharey=True)[0]
    for axes, found in zip(pictures, comparison.sizes, strict=True):
        curves = {arm: dataclasses.asdict(curve) for arm, curve in found.curves.items()}
        draw_comparison(axes, curves, comparison.skill)
        if count > 1:
            axes.set_title("all items" if found.size is None else f"{found.size:,} items")
    return figure

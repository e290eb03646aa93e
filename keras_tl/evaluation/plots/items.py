"""Plots of single items: images with predictions, and PCA plots of features."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from keras_tl.evaluation.pca_projection import PcaProjection
from keras_tl.evaluation.plots.style import GROUPS, MARKERS, RIGHT, SOFT, WRONG, label_text
from keras_tl.tasks import Task


def prediction_grid(
    images: np.ndarray,
    truths: list[str],
    predictions: Iterable,
    judged: bool = True,
    columns: int = 6,
) -> Figure:
    """Draw images with their predictions. Add the true label to each wrong prediction.

    Args:
        images: Images (n, height, width, 3) in [0, 255].
        truths: Names of the n true labels.
        predictions: The n items of a `Predictions` object.
        judged: Whether colours mark right and wrong predictions. Pass `False` for a regression.
    """
    titles, colours = [], []
    for truth, item in zip(truths, predictions, strict=False):
        right = item.name == truth
        titles.append(label_text(item) + ("" if right else f"\ntrue: {label_text(truth)}"))
        colours.append("black" if not judged else RIGHT if right else WRONG)
    return image_grid(images, titles, colours, columns)


def image_grid(
    images: Sequence[np.ndarray], titles: Sequence[str], colours: Sequence[str], columns: int
) -> Figure:
    """Draw images (height, width, 3) in [0, 255], each with a title in a given colour.

    The caller passes a user's texts through `label_text` first. A row has `columns` images.
    """
    rows = -(-len(images) // columns)
    figure = Figure(figsize=(1.7 * columns, 2.0 * rows), layout="constrained")
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.axis("off")
    for axes, image, title, colour in zip(figure.axes, images, titles, colours, strict=False):
        axes.imshow(image.astype(np.uint8))
        axes.set_title(title, fontsize=9, color=colour)
    return figure


def pca_plots(projections: dict[str, PcaProjection], task: Task) -> Figure:
    """Draw PCA plots side by side. The keys of `projections` are the titles of the plots."""
    figure = Figure(figsize=(5.4 * len(projections), 4.6), layout="constrained")
    pictures = figure.subplots(1, len(projections), squeeze=False)[0]
    for axes, (title, found) in zip(pictures, projections.items(), strict=True):
        draw_features(axes, found, task)
        axes.set_title(title)
    return figure


def draw_features(axes: Axes, found: PcaProjection, task: Task) -> None:
    """Draw a PCA plot: one point per item, coloured by class or (regression) by true value."""
    if task.is_number:
        drawn = axes.scatter(*found.points.T, c=found.labels, cmap="viridis", s=14)
        axes.figure.colorbar(drawn, ax=axes, label="true value")
    else:
        _draw_groups(axes, found, [task.name_of(label) for label in found.labels])
    for axis, share, number in zip((axes.xaxis, axes.yaxis), found.explained, "12", strict=True):
        axis.set_label_text(f"component {number} ({share:.0%} of the variance)")
        axis.set_ticks([])


def _draw_groups(axes: Axes, found: PcaProjection, names: list[str]) -> None:
    """Draw items of frequent classes in the colour of their class, and all other items in grey."""
    names = np.array(names, object)
    # Sort equally frequent classes by name, so that all PCA plots use the same colours.
    ranked = sorted(Counter(names).items(), key=lambda pair: (-pair[1], pair[0]))
    shown = sorted(name for name, _ in ranked[: len(GROUPS)])
    others = ~np.isin(names, shown)
    if others.any():
        axes.plot(*found.points[others].T, ".", color=SOFT, markersize=3, label="others")
    for name, colour, marker in zip(shown, GROUPS, MARKERS, strict=False):
        points = found.points[names == name].T
        axes.plot(
            *points, marker, color=colour, markersize=4, alpha=0.75, label=label_text(name, 16)
        )
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=3, fontsize="small")

"""Figures of a learner, for notebooks and as PNG files: `keras_tl.figures`.

An evaluation draws its own figures, for example `learner.evaluate().plot_confusion()`.
`learner.history.plot()` draws the learning curves.
"""

import contextlib
import os
from pathlib import Path

from matplotlib.figure import Figure

from keras_tl.base.choices import SplitName
from keras_tl.base.files import local_path, whole_file
from keras_tl.base.overwriting import check_new
from keras_tl.errors import ConfigError, DataError
from keras_tl.evaluation import plots
from keras_tl.learner.facade import Learner
from keras_tl.learner.measuring import evaluation_of
from keras_tl.learner.reporting import items_shown, keep_projection_of
from keras_tl.report.artifacts import AFTER, BEFORE, SHOWN

_GRID, _COLUMNS = 18, 6


def comparison(learner: Learner) -> Figure:
    """Draw the learning curves of transfer learning and of training from scratch.

    Returns:
        A Matplotlib figure with one plot for each training set size.

    Raises:
        ConfigError: The learner has no comparison from `learner.report(comparison=...)`.

    Example:
        >>> written = learner.report("curves.html", comparison=comparison)
        >>> type(ktl.figures.comparison(learner)).__name__
        'Figure'
    """
    found = learner._state.artifacts.comparison()
    if found is None:
        raise ConfigError(
            "This learner has no comparison with training from scratch. Pass the result of "
            "keras_tl.compare() to learner.report()."
        )
    return plots.comparison(found["sizes"], found["skill"])


def top_losses(learner: Learner, count: int = SHOWN, *, split: SplitName = "test") -> Figure:
    """Draw the images with the largest losses, and their predictions, labels and Grad-CAM.

    Grad-CAM marks the regions that support the prediction (`keras_tl.evaluation.gradcam`). Grad-CAM
    needs a backbone with feature maps. The learner keeps the twelve images of its report, so it can
    draw these images without data.

    Args:
        learner: Learner of an image task.
        count: Maximum number of images.
        split: Name of the split.

    Raises:
        ConfigError: The learner's items are texts, not images.
        DataError: The learner has no data, and did not keep the images with the largest losses.

    Example:
        >>> type(ktl.figures.top_losses(learner, count=2)).__name__
        'Figure'
    """
    state = learner._state
    if not state.parts.modality.are_pictures:
        raise ConfigError(
            "The items are texts, not images. learner.report('report.html') shows the texts."
        )
    found = evaluation_of(state, split).top_losses(count)
    kept = items_shown(state, found.rows, split)
    about, short = kept.top_items() or {}, plots.label_text
    images, titles = [], []
    for one in found.items:
        files = about[one.row]
        images.append(kept.pixels(files["image"]))
        titles.append(f"{short(one.predicted)}\ntrue: {short(one.true)}")
        if "gradcam" in files:
            images.append(kept.pixels(files["gradcam"]))
            titles.append(f"evidence\nfor {short(files['seen'])}")
    return plots.image_grid(images, titles, ["black"] * len(titles), _COLUMNS)


def features(learner: Learner) -> Figure:
    """Draw PCA plots of the features of at most 500 items, before and after fine-tuning.

    Raises:
        DataError: The learner kept no features, and cannot compute features: the learner has no
            data, or fewer than three test or validation items.

    Example:
        >>> type(ktl.figures.features(learner)).__name__
        'Figure'
    """
    state = learner._state
    if state.data is not None and state.artifacts.pca_projection(AFTER) is None:
        keep_projection_of(state, AFTER)
    found = {
        f"{when} fine-tuning": state.artifacts.pca_projection(when) for when in (BEFORE, AFTER)
    }
    known = {title: one for title, one in found.items() if one is not None}
    if not known:
        raise DataError(
            "A PCA plot needs at least three items of a test or validation split. Load the "
            "run with its data: Learner.load(path, data=...)."
        )
    return plots.pca_plots(known, state.task)


def save(learner: Learner, path: str | os.PathLike[str], *, overwrite: bool = False) -> list[Path]:
    """Write all figures of a learner, and a grid of predictions, as PNG files.

    The function leaves out a figure if the learner lacks the data or results that the figure needs.
    A learner that was loaded without data can draw all figures of its report.

    Args:
        path: Folder for the PNG files.
        overwrite: Whether to replace existing files of the same names.

    Returns:
        The paths of the written files.

    Raises:
        ConfigError: A file exists, and `overwrite` is false. Nothing is written.

    Example:
        >>> paths = ktl.figures.save(learner, "plots")
        >>> "learning_curves.png" in [path.name for path in paths]
        True
    """
    folder = local_path(path)
    figures = {
        folder / f"{caption.lower().replace(' ', '_')}.png": figure
        for caption, figure in _figures(learner).items()
    }
    check_new(*figures, overwrite=overwrite)
    folder.mkdir(parents=True, exist_ok=True)
    for file, figure in figures.items():
        with whole_file(file) as temporary:
            figure.savefig(temporary, dpi=120, format="png")
    return [*figures]


def _figures(learner: Learner) -> dict[str, Figure]:
    """Return a dict from caption to figure, for all figures that the learner can draw."""
    state, shown = learner._state, None
    found: dict[str, Figure] = {}
    if state.data is not None and "test" in state.data.splits:
        shown = state.data.split("test").sample(_GRID, learner.trainer.seed)
        evaluation_of(state, "test")
    if state.artifacts.comparison() is not None:
        found["Comparison"] = comparison(learner)
    if learner.history and learner.trainer.is_as_trained:
        found["Learning curves"] = learner.history.plot()
    if (evaluation := state.evaluations.get("test")) is not None:
        found |= evaluation.plots()
    pixels = None if shown is None else state.parts.modality.pictures(shown)
    if shown is not None and pixels is not None:
        truths = [state.task.name_of(label) for label in shown.labels]
        found["Predictions"] = plots.prediction_grid(
            pixels, truths, learner.predict(pixels), state.task.exact, _COLUMNS
        )
    # If the learner has no data, leave out the figures that need data.
    with contextlib.suppress(DataError):
        if state.parts.modality.are_pictures:
            found["Top losses"] = top_losses(learner)
    with contextlib.suppress(DataError):
        found["Features"] = features(learner)
    return found

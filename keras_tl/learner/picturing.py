"""What a learner draws: the pictures of its report, as matplotlib figures and as PNG files."""

import contextlib
import os
from pathlib import Path

from matplotlib.figure import Figure

from keras_tl.base.files import local_path, whole_file
from keras_tl.base.overwriting import check_new
from keras_tl.errors import ConfigError, DataError
from keras_tl.evaluation import plots
from keras_tl.evaluation.calibration import check_has_probabilities, measure_calibration
from keras_tl.evaluation.thresholds import check_has_thresholds, precision_recall
from keras_tl.learner.state import State
from keras_tl.report.exhibits import AFTER, BEFORE, SHOWN
from keras_tl.runs.history import check_trained

_GRID, _COLUMNS = 18, 6


class Picturing(State):
    """The part of a learner that draws what it did."""

    def plot_curves(self) -> Figure:
        """Loss and another metric over the epochs of all phases.

        Raises:
            ConfigError: nothing was trained.
        """
        check_trained(self.history)
        return plots.learning_curves(self.history, self.task.watched)

    def plot_comparison(self) -> Figure:
        """The learning curves of the comparison with training from scratch, see `report`.

        Raises:
            ConfigError: there is none.
        """
        found = self.exhibits.comparison()
        if found is None:
            raise ConfigError(
                "There is no comparison with training from scratch. Give report() what "
                "keras_tl.compare() gave."
            )
        return plots.comparison(found["sizes"], found["skill"])

    def plot_confusion(self, split: str = "test") -> Figure:
        """The confusion matrix of a split, which is evaluated if it was not.

        Raises:
            ConfigError: the items do not have one class each.
            DataError: there are no data to evaluate on.
        """
        if not self.task.has_one_class:
            raise ConfigError(
                f"A confusion matrix is for one class an item; these data are for {self.task.kind}."
            )
        self.answered(split)
        return plots.confusion(self.evaluations[split]["confusion_matrix"], self.class_names)

    def plot_calibration(self, split: str = "test") -> Figure:
        """The reliability diagram of a split, which is evaluated if it was not.

        Raises:
            ConfigError: it is a regression, which has no probabilities.
            DataError: there are no data to evaluate on.
        """
        check_has_probabilities(self.task)
        return plots.reliability(measure_calibration(self.task, self.answered(split)))

    def plot_roc(self, split: str = "test") -> Figure:
        """The ROC curve of a split, which is evaluated if it was not.

        Of several labels those are drawn that have one in `evaluate()`, at most eight.

        Raises:
            ConfigError: the task has no thresholds.
            DataError: there are no data to evaluate on, or no curve was measured.
        """
        check_has_thresholds(self.task)
        self.answered(split)
        curves = plots.roc_curves(self.evaluations[split], self.class_names)
        if not curves:
            raise DataError(
                f"No ROC curve was measured on the {split} split: it takes a label that some items "
                "have and others have not."
            )
        return plots.roc(curves)

    def plot_precision_recall(self, split: str = "test") -> Figure:
        """Precision against recall on a split, which is evaluated if it was not.

        Of several labels at most eight are drawn, those with the lowest average precision.

        Raises:
            ConfigError: the task has no thresholds.
            DataError: there are no data to evaluate on, or no item has any of the labels.
        """
        check_has_thresholds(self.task)
        found = precision_recall(self.task, self.answered(split))
        rows = self.evaluations[split]["per_class"]
        curves = plots.lowest(found, lambda name: rows[name]["average_precision"])
        if not curves:
            raise DataError(f"No item of the {split} split has any of the labels.")
        return plots.precision_recall(curves)

    def plot_values(self, split: str = "test") -> Figure:
        """Predicted against true values of a split, which is evaluated if it was not.

        Raises:
            ConfigError: it is no regression.
            DataError: there are no data to evaluate on.
        """
        if not self.task.is_number:
            raise ConfigError(
                f"Predicted values are a regression's; these data are for {self.task.kind}."
            )
        self.answered(split)
        return plots.scatter(self.evaluations[split]["values"])

    def plot_top_losses(self, count: int = SHOWN, split: str = "test") -> Figure:
        """The images of a split with the largest losses, with their answers and Grad-CAM.

        Beside each image is what in it speaks for the answer (`keras_tl.evaluation.gradcam`),
        unless the backbone gives vectors. The twelve that a report keeps need no data.

        Raises:
            ConfigError: the items are texts.
            DataError: there are no data, and these were not kept.
        """
        if not self._modality.are_pictures:
            raise ConfigError("Texts are no pictures. Use report(), which shows them.")
        found = self.top_losses(split, count)
        kept = self._items_shown(found.rows, split)
        about, short = kept.top_items(), plots.label_text
        images, titles = [], []
        for one in found.items:
            files = about[one.row]
            images.append(kept.pixels(files["image"]))
            titles.append(f"{short(one.predicted)}\nis {short(one.true)}")
            if "gradcam" in files:
                images.append(kept.pixels(files["gradcam"]))
                titles.append(f"what speaks\nfor {short(files['seen'])}")
        return plots.image_grid(images, titles, ["black"] * len(titles), _COLUMNS)

    def plot_features(self) -> Figure:
        """The features of at most 500 items in a plane, before fine-tuning and as they are.

        Raises:
            DataError: there are no data, and none of these were kept.
        """
        if self.data is not None and self.exhibits.feature_map(AFTER) is None:
            self._keep_map(AFTER)
        found = {f"{when} fine-tuning": self.exhibits.feature_map(when) for when in (BEFORE, AFTER)}
        found = {title: one for title, one in found.items() if one is not None}
        if not found:
            raise DataError(
                "A feature map needs at least three items of a test or validation split. Load the "
                "run with its data: Learner.load(path, data=...)."
            )
        return plots.feature_maps(found, self.task)

    def save_plots(self, folder: str | os.PathLike, overwrite: bool = False) -> list[Path]:
        """Writes all these pictures, and a grid of predictions, as PNG files.

        Those are left out that there is nothing to draw from. A saved run without its data has all
        that its report shows.

        Args:
            folder: where the files go.
            overwrite: replace files of the same names.

        Returns:
            The files written.

        Raises:
            ConfigError: one of the files exists, and `overwrite` is false. Nothing is written.
        """
        folder = local_path(folder)
        figures = {
            folder / f"{caption.lower().replace(' ', '_')}.png": figure
            for caption, figure in self._figures().items()
        }
        check_new(*figures, overwrite=overwrite)
        folder.mkdir(parents=True, exist_ok=True)
        for path, figure in figures.items():
            with whole_file(path) as temporary:
                figure.savefig(temporary, dpi=120, format="png")
        return [*figures]

    def _figures(self) -> dict[str, Figure]:
        """The pictures there are, by their captions."""
        shown = None
        if self.data is not None and "test" in self.data.splits:
            shown = self.data.split("test").sample(_GRID, self.seed)
            self.answered("test")
        figures = {}
        if self.exhibits.comparison() is not None:
            figures["Comparison"] = self.plot_comparison()
        if self.history:
            figures["Learning curves"] = self.plot_curves()
        figures |= plots.metric_figures(self.evaluations.get("test", {}), self.class_names)
        pixels = None if shown is None else self._modality.pictures(shown)
        if pixels is not None:
            truths = [self.task.name_of(label) for label in shown.labels]
            figures["Predictions"] = plots.prediction_grid(
                pixels, truths, self.predict(pixels), self.task.exact, _COLUMNS
            )
        # What was not kept and cannot be made without the data is left out.
        with contextlib.suppress(DataError):
            if self._modality.are_pictures:
                figures["Top losses"] = self.plot_top_losses()
        with contextlib.suppress(DataError):
            figures["Features"] = self.plot_features()
        return figures

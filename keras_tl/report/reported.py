"""What a learner shows of itself: pictures, a summary for notebooks, the report."""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from keras_tl.data.images import ImageData
from keras_tl.data.texts import TextData
from keras_tl.errors import ConfigError, DataError
from keras_tl.evaluation import plots
from keras_tl.evaluation.calibration import check_has_probabilities, measure_calibration
from keras_tl.evaluation.feature_map import MOST_ITEMS, FeatureMap
from keras_tl.evaluation.outcomes import Outcomes
from keras_tl.evaluation.overfitting import find_overfitting
from keras_tl.export.card import card_facts
from keras_tl.files import whole_file
from keras_tl.report.exhibits import (
    AFTER,
    BEFORE,
    SHOWN,
    Exhibits,
    keep_comparison,
    keep_map,
    keep_top_items,
)
from keras_tl.report.material import Material
from keras_tl.report.page import summary_of, write_report
from keras_tl.tasks import Task
from keras_tl.training.history import PhaseRecord

_GRID = 18


class Reported:
    """The part of a `Learner` that shows what it did. The rest of the learner is what it shows."""

    data: ImageData | TextData | None
    seed: int
    task: Task
    class_names: tuple[str, ...]
    history: list[PhaseRecord]
    evaluations: dict[str, dict[str, Any]]
    outcomes: dict[str, Outcomes]
    exhibits: Exhibits

    def plot_curves(self) -> Figure:
        """Loss and another metric over the epochs of all phases.

        Raises:
            ConfigError: nothing was trained.
        """
        if not self.history:
            raise ConfigError("The model is untrained: there are no curves. Call fit_head() first.")
        return plots.learning_curves(self.history, self.task.watched)

    def plot_confusion(self, split: str = "test") -> Figure:
        """The confusion matrix of a split, which is evaluated if it was not.

        Raises:
            ConfigError: the items do not have one class each.
            DataError: there are no data to evaluate on.
        """
        if self.task.kind not in ("multiclass", "binary"):
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
        check_has_probabilities(self.task.kind)
        return plots.reliability(measure_calibration(self.task.kind, self.answered(split)))

    def plot_top_losses(self, count: int = 12, split: str = "test") -> Figure:
        """The images of a split with the largest losses, with their answers.

        Raises:
            ConfigError: the items are texts.
            DataError: there are no data.
        """
        chosen, found = self._need_data().split(split), self.top_losses(split, count)
        pixels = self._modality.pictures(chosen.take(found.rows))
        if pixels is None:
            raise ConfigError("Texts are no pictures. Use report(), which shows them.")
        short = plots.label_text
        titles = [f"{short(one.predicted)}\nis {short(one.true)}" for one in found.items]
        return plots.image_grid(pixels, titles, ["black"] * len(titles), 6)

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

    def save_plots(self, folder: str | os.PathLike) -> list[Path]:
        """Writes learning curves, confusion matrix, a grid of predictions and others as PNG files.

        Those that need the test split are left out where there is none.

        Returns:
            The files written.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for caption, figure in self._figures().items():
            path = folder / f"{caption.lower().replace(' ', '_')}.png"
            with whole_file(path) as temporary:
                figure.savefig(temporary, dpi=120, format="png")
            written.append(path)
        return written

    def prepare_report(self) -> None:
        """Keeps in the learner what a report shows of single items, while the data are there.

        That is what `keras-tl report` has of a saved run: the images or texts with the largest
        losses, Grad-CAM, and the feature map. `report()` does it by itself. Without data nothing is
        done.
        """
        if self.data is None:
            return
        if len(self.data.splits.get("test", ())):
            rows = self.top_losses("test", SHOWN).rows
            # A temperature or thresholds may have put others first.
            if not {*rows.tolist()} <= (self.exhibits.top_items() or {}).keys():
                self._keep_top_items(rows)
        if self.exhibits.feature_map(AFTER) is None:
            self._keep_map(AFTER)

    def report(
        self,
        path: str | os.PathLike,
        comparison: Any = None,
    ) -> Path:
        """Writes one self-contained HTML file with all that is known of the model.

        What is made from the data is kept in the learner; a saved run gives the same report again,
        byte for byte, without them.

        Args:
            path: the HTML file.
            comparison: what `keras_tl.compare` gave: whether transfer helps. It is kept, too.

        Returns:
            The file written.

        Raises:
            ConfigError: `comparison` is something else.
        """
        if comparison is not None:
            self.exhibits = self.exhibits.with_files(keep_comparison(comparison))
        self.prepare_report()
        write_report(Path(path), self._material())
        return Path(path)

    def _repr_html_(self) -> str:
        return summary_of(self._material())

    def _material(self) -> Material:
        recorded = self._recorded()
        facts = self._facts(recorded)
        return Material(
            facts=facts,
            task=self.task,
            history=tuple(self.history),
            evaluations=self.evaluations,
            outcomes={split: self.answered(split) for split in self.outcomes},
            exhibits=self.exhibits,
            overfitting=self._fit_of_curves(facts),
            findings=recorded.get("findings"),
        )

    def _fit_of_curves(self, facts: Mapping[str, Any]) -> dict[str, Any] | None:
        """Whether the model overfits, by what is recorded of the data, be they here or not."""
        if not self.history:
            return None
        splits = {} if facts["data"] is None else facts["data"]["splits"]
        items = splits["validation"]["items"] if "validation" in splits else None
        return find_overfitting(self.history, self.task, self.config, self.blocks, items).to_json()

    def _recorded(self) -> dict[str, Any]:
        """What a run records, as it is read again: a saved run must say the same."""
        return json.loads(json.dumps(self._about()))

    def _facts(self, recorded: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What a model card and a report say of the model.

        Args:
            recorded: see `_recorded`, where it is at hand.
        """
        parameters = {"backbone": self.backbone.count_params(), "head": self.head.count_params()}
        return card_facts(recorded or self._recorded(), parameters, self._files)

    def _keep_top_items(self, rows: np.ndarray) -> None:
        chosen = self.data.split("test").take(rows)
        files = keep_top_items(
            rows,
            chosen,
            self._modality.pictures(chosen),
            # Grad-CAM looks at the weights as they are served, in float32.
            self._float32_parts(),
            self.task,
            self.answered("test").take(rows),
        )
        self.exhibits = self.exhibits.without_answers().with_files(files)

    def _keep_map_before(self) -> None:
        """What `fine_tune` does first."""
        try:
            self._keep_map(BEFORE)
        except DataError as error:
            # Items that training has no need of must not stop it.
            self._reporter.say(f"No feature map from before fine-tuning: {error}")

    def _keep_map(self, when: str) -> None:
        """Keeps the features of a sample, of the same items before and after."""
        before, splits = self.exhibits.feature_map(BEFORE), self.data.splits
        names = [name for name in ("test", "validation") if len(splits.get(name, ()))]
        if not names:
            return
        # The test split unless only the other one's features are there already.
        name = next(filter(lambda n: self._trainer.has_features(splits[n]), names), names[0])
        if before is not None and before.split in names:
            name = before.split
        split = splits[name]
        order = np.random.default_rng(self.seed).permutation(len(split))
        rows = np.sort(order[:MOST_ITEMS])
        found = FeatureMap.of(name, split.labels[rows], self._trainer.features_of(split, rows))
        if found is not None:
            self.exhibits = self.exhibits.with_files(keep_map(when, found))

    def _figures(self) -> dict[str, Figure]:
        figures = {}
        if self.history:
            figures["Learning curves"] = self.plot_curves()
        shown = None
        if self.data is not None and "test" in self.data.splits:
            shown = self.data.split("test").sample(_GRID, self.seed)
            self.answered("test")
        figures |= plots.metric_figures(self.evaluations.get("test", {}), self.class_names)
        pixels = None if shown is None else self._modality.pictures(shown)
        if pixels is not None:
            truths = [self.task.name_of(label) for label in shown.labels]
            figures["Predictions"] = plots.prediction_grid(
                pixels, truths, self.predict(pixels), self.task.exact
            )
            figures["Top losses"] = self.plot_top_losses()
        if self.data is not None or self.exhibits.files:
            with contextlib.suppress(DataError):
                figures["Features"] = self.plot_features()
        return figures

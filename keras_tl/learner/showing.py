"""What a learner shows of itself: a summary for notebooks, the report, and what that keeps."""

import dataclasses
import json
import os
from pathlib import Path

import numpy as np

from keras_tl.base.files import local_path
from keras_tl.base.overwriting import check_new
from keras_tl.errors import DataError
from keras_tl.evaluation.feature_map import MOST_ITEMS, FeatureMap
from keras_tl.evaluation.overfitting import Overfitting, find_overfitting
from keras_tl.learner.state import State
from keras_tl.report.exhibits import (
    AFTER,
    BEFORE,
    SHOWN,
    Compared,
    Exhibits,
    keep_comparison,
    keep_map,
    keep_top_items,
)
from keras_tl.report.facts import Facts, facts_of
from keras_tl.report.material import Material
from keras_tl.report.page import summary_of, write_report


class Showing(State):
    """The part of a learner that makes its report."""

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
            kept = self._items_shown(rows, "test")
            if kept is not self.exhibits:
                self.exhibits = self.exhibits.without_answers().with_files(kept.files)
        if self.exhibits.feature_map(AFTER) is None:
            self._keep_map(AFTER)

    def report(
        self,
        path: str | os.PathLike,
        comparison: Compared | None = None,
        overwrite: bool = False,
    ) -> Path:
        """Writes one self-contained HTML file with all that is known of the model.

        What is made from the data is kept in the learner; a saved run gives the same report again,
        byte for byte, without them.

        Args:
            path: the HTML file.
            comparison: the `Comparison` that `keras_tl.compare` gave: whether transfer helps. The
                learner keeps it, too, also when it is trained again.
            overwrite: replace another file that is there. A learner replaces its own report, and
                the one in the folder of its run, without being asked.

        Returns:
            The file written.

        Raises:
            ConfigError: `comparison` is something else, or of another task or other classes;
                nothing was written or kept of it. Or another file is at the path.
        """
        path = local_path(path)
        check_new(path, overwrite=overwrite or self._own_files.hold(path))
        compared = {} if comparison is None else keep_comparison(comparison, self.task)
        for split in [*self.evaluations]:
            if self.data is not None and len(self.data.splits.get(split, ())):
                self.answered(split)
        self.prepare_report()
        material = self._material()
        exhibits = self.exhibits.with_files(compared)
        write_report(path, dataclasses.replace(material, exhibits=exhibits))
        self._own_files.note(path)
        self.exhibits = exhibits
        return path

    def _repr_html_(self) -> str:
        return summary_of(self._material())

    def _material(self) -> Material:
        facts = self._facts()
        return Material(
            facts=facts,
            evaluations=self.evaluations,
            outcomes={split: self._as_calibrated(split) for split in self.outcomes},
            exhibits=self.exhibits,
            overfitting=self._fit_of_curves(facts),
            findings=self.findings,
            fitted=self.fitted,
        )

    def _fit_of_curves(self, facts: Facts) -> Overfitting | None:
        """Whether the model overfits, by what is recorded of the data, be they here or not."""
        if not self.history:
            return None
        splits = {} if facts.data is None else facts.data.splits
        items = splits["validation"].items if "validation" in splits else None
        return find_overfitting(self.history, self.task, self.config, self.blocks, items)

    def _facts(self) -> Facts:
        """What a model card and a report say of the model."""
        # As it is read again: a saved run must say the same.
        recorded = json.loads(json.dumps(self._about()))
        parameters = {"backbone": self.backbone.count_params(), "head": self.head.count_params()}
        return facts_of(recorded, parameters, self._files)

    def _items_shown(self, rows: np.ndarray, split: str) -> Exhibits:
        """What has the items of a split in it: the learner's exhibits, or new ones.

        Raises:
            DataError: these have none of them, and there are no data.
        """
        outcomes = self.answered(split).take(rows)
        # A temperature or thresholds may have put others first, or changed what is answered.
        asked = self.task.question(outcomes.labels, outcomes.logits)
        answers = None if self.data is None else asked.names
        if split == "test" and self.exhibits.show(rows, answers):
            return self.exhibits
        chosen = self._need_data().split(split).take(rows)
        files = keep_top_items(
            rows,
            chosen,
            self._modality.pictures(chosen),
            # Grad-CAM looks at the weights as they are served, in float32.
            self._float32_parts(),
            self.task,
            outcomes,
        )
        return Exhibits(files)

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
        name = next(filter(lambda n: self._trainer.features.has(splits[n]), names), names[0])
        if before is not None and before.split in names:
            name = before.split
        split = splits[name]
        order = np.random.default_rng(self.seed).permutation(len(split))
        rows = np.sort(order[:MOST_ITEMS])
        found = FeatureMap.of(name, split.labels[rows], self._trainer.features.rows(split, rows))
        if found is not None:
            self.exhibits = self.exhibits.with_files(keep_map(when, found))

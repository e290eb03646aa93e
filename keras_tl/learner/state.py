"""What a learner is made of, and what all of its parts need."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_tl.backbones.layer import Backbone
from keras_tl.backbones.loading import BackboneFiles, LoadedBackbone, copy_weights
from keras_tl.base.config import ModelConfig
from keras_tl.base.keras_compat import shares_storage
from keras_tl.base.overwriting import OwnFiles
from keras_tl.base.reporting import Reporter
from keras_tl.data.image_data import ImageData
from keras_tl.data.labelled_data import LabelledData
from keras_tl.data.text_data import TextData
from keras_tl.errors import ConfigError, DataError
from keras_tl.evaluation.outcomes import Outcomes
from keras_tl.export.serving import ServingModel
from keras_tl.models.assembly import assemble, float32_twin
from keras_tl.models.heads import TransferModel
from keras_tl.preflight.findings import Findings
from keras_tl.report.exhibits import Exhibits
from keras_tl.runs.ancestry import learned_splits
from keras_tl.runs.history import PhaseRecord
from keras_tl.selection.result import FitResult
from keras_tl.tasks import Task, task_of
from keras_tl.training.trainer import Trainer


class State:
    """The model, where it runs, the data, and what is known of them so far."""

    # What `check` found; `None` if nobody looked.
    findings: Findings | None = None
    # What `fit` decided; `None` if the model was trained otherwise.
    fitted: FitResult | None = None
    # Whether it runs by itself before the first training.
    _is_checked = True

    def _build(
        self,
        config: ModelConfig,
        weights: str | None,
        strategy: tf.distribute.Strategy,
        seed: int,
        data: LabelledData | None,
        verbose: bool,
        loaded: LoadedBackbone | None = None,
        files: BackboneFiles = BackboneFiles(),  # noqa: B008 (frozen)
    ) -> None:
        self.config = config
        self.seed = seed
        self.data = data
        self.weights = weights
        self.evaluations: dict[str, dict[str, Any]] = {}
        self.outcomes: dict[str, Outcomes] = {}
        self.exhibits = Exhibits()
        # The runs and reports that this learner wrote or was loaded from.
        self._own_files = OwnFiles()
        self._ancestry: tuple[dict[str, Any], ...] = ()
        # What a loaded run says of the data and the versions that it was trained with.
        self._trained_with: dict[str, Any] | None = None
        self._served: ServingModel | None = None
        self._reporter = Reporter(verbose)
        self._strategy = strategy
        built = assemble(config, weights, strategy, seed, loaded, files)
        self._parts, self._modality, self._files = built.parts, built.modality, built.files
        self._trainer = Trainer(config, built, strategy, seed, self._reporter)

    @property
    def model(self) -> keras.Model:
        """An ordinary Keras model, from pixels or tokens to logits.

        float32 (batch, height, width, 3) in [0, 255], or a dict of an encoder's tokens, int32
        (batch, length) each, to float32 (batch, classes); one logit for two classes, one value for
        a regression.
        """
        return self._parts.model

    @property
    def extractor(self) -> keras.Model:
        """The same inputs to the float32 features that the head is given."""
        return self._parts.extractor

    @property
    def backbone(self) -> Backbone:
        """The backbone layer inside the model."""
        return self._parts.backbone

    @property
    def head(self) -> keras.Model:
        """Those features to logits."""
        return self._parts.head

    @property
    def serving_model(self) -> ServingModel:
        """Raw bytes in, named outputs out, in float32; what `predict` and `export` use."""
        parts = self._float32_parts()
        # A graph holds the temperature and the thresholds that it was made with.
        if self._served is None or self._served.task != self.task:
            self._served = ServingModel(parts, self.task, self._modality)
        return self._served

    def _float32_parts(self) -> TransferModel:
        """The model in float32 and outside of any strategy, with the weights as they are now."""
        if not shares_storage(self.model, self._twin.model):
            copy_weights(self.model, self._twin.model)
        return self._twin

    @cached_property
    def _twin(self) -> TransferModel:
        return float32_twin(self.config, self._parts, self._files)

    @property
    def history(self) -> list[PhaseRecord]:
        """One record for each phase that ran."""
        return self._trainer.history

    @property
    def task(self) -> Task:
        """What is learned: decides the head's outputs, the loss, the metrics and the answers."""
        return task_of(self.config)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the logits; none for a regression."""
        return self.config.class_names

    @property
    def blocks(self) -> tuple[str, ...]:
        """The names of the backbone's blocks, from input to output, for `unfreeze=`."""
        return self._parts.backbone.blocks

    @property
    def _learned_splits(self) -> tuple[str, ...]:
        """The splits on whose labels the backbone was fine-tuned, here or in an earlier run."""
        earlier = learned_splits(self._ancestry, self._need_data())
        here = () if self._trainer.features.is_original else ("train",)
        return tuple(name for name in self.data.splits if name in {*earlier, *here})

    @property
    def _source_settings(self) -> Mapping[str, Any]:
        """The `source_settings` of the data, or of those that a loaded run was trained on."""
        if self.data is not None:
            return self.data.source_settings
        recorded = (self._trained_with or {}).get("data") or {}
        return recorded.get("source_settings") or {}

    def _need_data(self) -> ImageData | TextData:
        if self.data is None:
            raise DataError(
                "This learner was loaded without data. Pass them: Learner.load(path, data=...)."
            )
        return self.data

    def _logits_to_measure(self, name: str) -> np.ndarray:
        """float32 (n, outputs) of a split, all of them finite.

        Raises:
            DataError: there are no data, or no such split.
            ConfigError: one is not: the model has diverged.
        """
        logits = self._trainer.logits(self._need_data().split(name))
        bad = np.count_nonzero(~np.isfinite(logits).all(axis=1))
        if bad:
            raise ConfigError(
                f"The answers to {bad:,} of the {len(logits):,} {self.data.item}s of the {name} "
                "split are not finite numbers: training diverged, or the weights are not right. "
                "Train a new Learner at a lower rate (learning_rate=; lr_find() finds one), or "
                "with precision='float32'."
            )
        return logits

    def __repr__(self) -> str:
        phases = ", ".join(record.phase.name for record in self.history) or "untrained"
        return f"Learner({self.config.backbone}, {self.task.kind}, {phases})"

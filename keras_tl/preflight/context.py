"""Inputs of the preflight checks: the data, and the model before its training."""

import contextlib
import dataclasses
from collections.abc import Iterator
from functools import cached_property

import numpy as np

from keras_tl.base.config import ModelConfig
from keras_tl.data.labelled_data import LabelledData, Split
from keras_tl.errors import KerasTLError
from keras_tl.features.store import Features
from keras_tl.models.heads import TransferModel
from keras_tl.models.modality import Modality
from keras_tl.preflight.findings import NotChecked, Unreadable
from keras_tl.preflight.thumbnails import pixels_at
from keras_tl.tasks import Task, get_task
from keras_tl.training.trainer import Trainer

# Number of sampled training items that represent the training split in slow checks.
SAMPLE = 512
# Number of sampled training items if their features are not cached: one batch of the extractor.
_SMALL_SAMPLE = 64
# Number of training images whose pixels are checked.
_PICTURES = 32
_THUMBNAIL = (32, 32)


@dataclasses.dataclass(frozen=True)
class CheckedModel:
    """The model under check and its trainer.

    Attributes:
        parts: The model with its backbone and its head.
        modality: Object that describes and preprocesses the model's inputs.
        trainer: Trainer of the model, which also computes features.
        features: Items whose features a check may use: `"all"` (the features are cached),
            `"sample"`, or `"none"` (the backbone is not frozen).
        weighted: Whether training uses class weights.
        is_random: Whether the backbone has random weights.
    """

    config: ModelConfig
    parts: TransferModel
    modality: Modality
    trainer: Trainer
    features: str
    weighted: bool = False
    is_random: bool = False

    @property
    def task(self) -> Task:
        """Task of the model's trainer. The task defines the loss and the targets."""
        return self.trainer.task


@dataclasses.dataclass(frozen=True)
class CheckContext:
    """Data and model under check.

    Attributes:
        data: Data with all their splits.
        given: The model under check. `None`: there is no model yet.
    """

    data: LabelledData
    given: CheckedModel | None = None

    @property
    def task(self) -> Task:
        """Task of the data. `given.task` also has the model's target scaling and thresholds."""
        return get_task(self.data.task)(self.data.class_names)

    @property
    def train(self) -> Split:
        """Training split of the data."""
        return self.data.splits["train"]

    @property
    def held_out(self) -> dict[str, Split]:
        """Validation and test split of the data, by name, without empty splits."""
        return {name: x for name, x in self.data.splits.items() if name != "train" and len(x)}

    @property
    def model(self) -> CheckedModel:
        """The model under check.

        Raises:
            NotChecked: There is no model yet.
        """
        if self.given is None:
            raise NotChecked("there is no model yet")
        return self.given

    @contextlib.contextmanager
    def skip_if_unreadable(self, name: str) -> Iterator[None]:
        """Context manager for code that reads a split: checks skip an unreadable held-out split.

        Args:
            name: Name of the split that the code in the `with` block reads.

        Raises:
            Unreadable: The code in the `with` block raised a `KerasTLError`, and `name` is not
                `"train"`. For the training split, the `KerasTLError` itself is raised.
        """
        try:
            yield
        except KerasTLError as error:
            if name == "train":
                raise
            raise Unreadable(f"the {name} split: {str(error).rstrip('.')}") from error

    def features(self, name: str) -> Features:
        """Return the frozen backbone's features of the split `name`.

        Raises:
            NotChecked: The feature cache does not hold the features of all items.
            Unreadable: The split `name` cannot be read, and is not the training split.
        """
        if self.model.features != "all":
            raise NotChecked("the feature cache does not hold the features of all items")
        with self.skip_if_unreadable(name):
            return self.model.trainer.features.of(self.data.splits[name])

    @cached_property
    def pixels(self) -> np.ndarray:
        """Some training images at the model's image size: float32 (n, height, width, 3), [0, 255].

        Without a model, the image size is 32 x 32.
        """
        size = _THUMBNAIL if self.given is None else self.given.config.image_size
        shown = self.train.sample(_PICTURES, seed=0)
        return pixels_at(shown, size, self.data.resize, self.data.value_range)

    @cached_property
    def sample_rows(self) -> np.ndarray:
        """Row numbers of the sampled training items, ascending."""
        count = SAMPLE if self.model.features == "all" else _SMALL_SAMPLE
        return np.sort(np.random.default_rng(0).permutation(len(self.train))[:count])

    @cached_property
    def sample(self) -> tuple[np.ndarray, np.ndarray]:
        """Features, float32 (n, ...), and labels of the training items in `sample_rows`."""
        if self.model.features == "none":
            raise NotChecked("the backbone is not frozen")
        rows, labels = self.sample_rows, self.train.labels[self.sample_rows]
        if self.model.features == "all":
            return self.features("train").read(rows), labels
        batches = self.model.trainer.features.batches(self.train.take(rows))
        return np.concatenate([*batches]), labels

"""What the checks look at: data, and a model that is about to be trained on them."""

import contextlib
import dataclasses
from collections.abc import Iterator
from functools import cached_property

import numpy as np

from keras_tl.backbones.texts import TextPreprocessor
from keras_tl.base.config import ModelConfig
from keras_tl.data.labelled_data import LabelledData, Split
from keras_tl.errors import KerasTLError
from keras_tl.features.rows import Features
from keras_tl.models.heads import TransferModel
from keras_tl.models.modality import Modality
from keras_tl.preflight.findings import NotChecked, Unreadable
from keras_tl.preflight.thumbnails import pixels_at
from keras_tl.tasks import Task
from keras_tl.training.trainer import Trainer

# Items that stand for all of train where looking at all would take long.
SAMPLE = 512
# Where their features are not kept, one batch of the extractor.
_SMALL_SAMPLE = 64
# Images that are looked into.
_PICTURES = 32
_THUMBNAIL = (32, 32)


@dataclasses.dataclass(frozen=True)
class Inside:
    """A model and what trains it.

    Attributes:
        config: what the model is.
        parts: the model, its backbone and its head.
        modality: what goes into it.
        trainer: gives features.
        features: how many may be asked for: `"all"`, as they are kept; `"sample"`; or `"none"`, as
            the backbone is not frozen.
        weighted: whether the classes are to be weighted.
        is_random: whether the backbone has random weights.
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
        """Decides loss and targets."""
        return self.trainer.task

    @property
    def preprocessor(self) -> TextPreprocessor:
        """What makes tokens.

        Raises:
            NotChecked: there is none.
        """
        if self.modality.preprocessor is None:
            raise NotChecked("the encoder makes its tokens itself")
        return self.modality.preprocessor


@dataclasses.dataclass(frozen=True)
class Subject:
    """What is looked at.

    Attributes:
        data: all the splits.
        given: the model; `None`: there is none yet.
    """

    data: LabelledData
    given: Inside | None = None

    @property
    def train(self) -> Split:
        """The training split."""
        return self.data.splits["train"]

    @property
    def held_out(self) -> dict[str, Split]:
        """The validation and test splits that there are."""
        return {name: x for name, x in self.data.splits.items() if name != "train" and len(x)}

    @property
    def model(self) -> Inside:
        """The model.

        Raises:
            NotChecked: there is none.
        """
        if self.given is None:
            raise NotChecked("there is no model yet")
        return self.given

    @contextlib.contextmanager
    def reading(self, name: str) -> Iterator[None]:
        """Stands around what reads this split: training can go on without a held-out one.

        Raises:
            Unreadable: in the place of the toolkit's own errors, unless it is the training split.
        """
        try:
            yield
        except KerasTLError as error:
            if name == "train":
                raise
            raise Unreadable(f"the {name} split: {str(error).rstrip('.')}") from error

    def features(self, name: str) -> Features:
        """The frozen backbone's features of the split of this name.

        Raises:
            NotChecked: they are not kept.
            Unreadable: see `reading`.
        """
        if self.model.features != "all":
            raise NotChecked("features of all items are not kept in a cache")
        with self.reading(name):
            return self.model.trainer.features.of(self.data.splits[name])

    @cached_property
    def pixels(self) -> np.ndarray:
        """float32 (n, height, width, 3) in [0, 255]: a few training images as the model sees them.

        Without a model they are small.
        """
        size = _THUMBNAIL if self.given is None else self.given.config.image_size
        shown = self.train.sample(_PICTURES, seed=0)
        return pixels_at(shown, size, self.data.resize, self.data.value_range)

    @cached_property
    def sample_rows(self) -> np.ndarray:
        """Row numbers, ascending, of the training items that stand for all."""
        count = SAMPLE if self.model.features == "all" else _SMALL_SAMPLE
        return np.sort(np.random.default_rng(0).permutation(len(self.train))[:count])

    @cached_property
    def sample(self) -> tuple[np.ndarray, np.ndarray]:
        """float32 (n, ...) features of the items of `sample_rows`, and their labels."""
        if self.model.features == "none":
            raise NotChecked("the backbone is not frozen")
        rows = self.sample_rows
        if self.model.features == "all":
            features = self.features("train").read(rows)
        else:
            batches = self.model.trainer.features.batches(self.train.take(rows))
            features = np.concatenate([*batches])
        return features, self.train.labels[rows]

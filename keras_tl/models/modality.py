"""Interface of a modality: all that the toolkit asks of a kind of input."""

import abc
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import keras
import numpy as np
import tensorflow as tf

from keras_tl.backbones.texts import TextPreprocessor
from keras_tl.base.config import ModelConfig
from keras_tl.data.items import Items
from keras_tl.data.labelled_data import LabelledData, Split
from keras_tl.data.pipeline import Pipeline

Tensors = tf.Tensor | Mapping[str, tf.Tensor]
Specs = dict[str, tf.TensorSpec]


@dataclasses.dataclass(frozen=True)
class Numbers:
    """A signature for clients that preprocess themselves.

    Attributes:
        name: of the signature.
        inputs: what it takes.
        read: makes the model's inputs of them.
    """

    name: str
    inputs: Specs
    read: Callable[[dict[str, tf.Tensor]], Tensors]


class Modality(abc.ABC):
    """Kind of input. The class has what holds for all models, an instance the inputs of one.

    Attributes:
        item: name of the modality, and what messages call one item.
        data_type: the class of labelled data.
        can_augment: whether the inputs can be augmented.
        are_pictures: whether items can be drawn.
        can_preprocess: whether `preprocess=` is for every backbone, not only for a `keras.Model`.
        backbones_to_compare: names of the catalogue that underfitting models are compared with.
        file_suffixes: endings of those words of a command line that are files, where the other
            words are items themselves; `None`: every word is a file.
        group_examples: columns for groups that matter, for the model card.
        unusable: what an export answers to items that it cannot read, for the model card.
        about: facts for a report.
        cache_key: what the inputs depend on beside the items, as JSON types.
        preprocessor: holds what an export has to track, `None` where there is nothing.
    """

    item: ClassVar[str]
    data_type: ClassVar[type[LabelledData]]
    can_augment: ClassVar[bool]
    are_pictures: ClassVar[bool]
    can_preprocess: ClassVar[bool]
    backbones_to_compare: ClassVar[tuple[str, ...]]
    file_suffixes: ClassVar[tuple[str, ...] | None]
    group_examples: ClassVar[str]
    unusable: ClassVar[str]

    about: str
    cache_key: dict[str, Any]
    preprocessor: tf.Module | None

    @classmethod
    @abc.abstractmethod
    def of(
        cls, config: ModelConfig, network: keras.Model, preprocessor: TextPreprocessor | None
    ) -> Self:
        """Make the modality of a model.

        Args:
            config: of the model.
            network: its backbone.
            preprocessor: makes tokens, `None` where there is none.
        """

    @classmethod
    @abc.abstractmethod
    def source_options(cls, data: LabelledData) -> dict[str, Any]:
        """Return the arguments of `keras_tl.models.sources.find_backbone` that data decide."""

    @classmethod
    @abc.abstractmethod
    def backbones_at_hand(cls) -> tuple[str, ...]:
        """Return the names of the backbones whose weights are on this machine.

        Raises:
            ConfigError: no backbone of this modality comes with the toolkit.
        """

    @abc.abstractmethod
    def inputs(self) -> keras.KerasTensor | dict[str, keras.KerasTensor]:
        """New symbolic inputs of a model."""

    @abc.abstractmethod
    def pipeline(self, whole_batches: bool) -> Pipeline:
        """What makes such inputs of a split."""

    @abc.abstractmethod
    def read(self, items: Any, settings: Mapping[str, Any], on_invalid: str) -> Items:
        """Reads what `predict` and `features` are given.

        Args:
            items: what a user gives.
            settings: the `source_settings` of the data that the model was trained on.
            on_invalid: `"raise"` an error if an item cannot be opened.

        Raises:
            DataError: it is nothing that can be asked about.
        """

    @abc.abstractmethod
    def as_split(self, items: Items) -> Split:
        """The items as an unlabelled split."""

    @property
    @abc.abstractmethod
    def raw(self) -> Specs:
        """What an item is before anything is done to it: string (batch,) each, by name."""

    @abc.abstractmethod
    def read_raw(self, raw: dict[str, tf.Tensor]) -> tuple[Tensors, tf.Tensor | None]:
        """Makes the model's inputs of raw items; TensorFlow only.

        Returns:
            The inputs, and bool (batch,): which items could be read; `None`: all.
        """

    @property
    @abc.abstractmethod
    def numbers(self) -> Numbers | None:
        """How to ask with numbers only; `None` where the model takes raw items."""

    @abc.abstractmethod
    def pictures(self, split: Split) -> np.ndarray | None:
        """(n, height, width, 3) in [0, 255] of a few items; `None` if they are no pictures."""

    @abc.abstractmethod
    def made_up(self) -> dict[str, np.ndarray]:
        """A few arguments of the signatures, by their names, to ask an export with."""

    @abc.abstractmethod
    def made_up_inputs(self) -> dict[str, np.ndarray]:
        """The made-up items as the model's own inputs, by name, at their full size.

        Of a model that takes numbers.
        """

    @property
    @abc.abstractmethod
    def preparation(self) -> dict[str, Any]:
        """How an item becomes the model's own inputs, for clients that do it; JSON types."""

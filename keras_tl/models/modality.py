"""Interface of a modality (a kind of input): images or texts."""

import abc
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import keras
import numpy as np
import tensorflow as tf

from keras_tl.backbones.texts import TextPreprocessor
from keras_tl.base.config import ModelConfig
from keras_tl.data.labelled_data import LabelledData, Split
from keras_tl.data.pipeline import Pipeline
from keras_tl.data.prediction_items import PredictionItems

Tensors = tf.Tensor | Mapping[str, tf.Tensor]
Specs = dict[str, tf.TensorSpec]


@dataclasses.dataclass(frozen=True)
class Numbers:
    """A signature of an export for preprocessed items: clients preprocess the items themselves.

    Attributes:
        name: Name of the signature, such as `"pixels"`.
        inputs: Inputs of the signature: a dict from name to shape and dtype.
        read: Function that converts the inputs of the signature to the model's inputs.
    """

    name: str
    inputs: Specs
    read: Callable[[dict[str, tf.Tensor]], Tensors]


class Modality(abc.ABC):
    """Kind of a model's input: images or texts. Each model has its own instance of `Modality`.

    The class attributes are the same for all models of a modality.

    Attributes:
        item: Name of the modality, and the word for one item in messages, such as `"image"`.
        data_type: Class of the labelled data: `ImageData` or `TextData`.
        can_augment: Whether training can augment the inputs.
        are_pictures: Whether items are images, so that figures can show them.
        can_preprocess: Whether every backbone of this modality accepts `preprocess=`, not only a
            `keras.Model`.
        backbones_to_compare: Catalogue names of backbones to try if a model underfits.
        file_suffixes: Suffixes of files on the command line. An argument without one of these
            suffixes is itself an item, such as a text. With `None`, every argument is a file.
        group_examples: Examples of columns that define groups of items, for the model card.
        unusable: Sentences for the model card about items that an export cannot read.
        about: Size of the model's inputs as text, for a report.
        cache_key: All settings on which the model's inputs depend, as JSON types.
        preprocessor: Preprocessor with TensorFlow resources that an export must track. `None`:
            there is no preprocessor to track.
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
        """Create the modality of a model from its configuration, network and preprocessor."""

    @classmethod
    @abc.abstractmethod
    def source_options(cls, data: LabelledData) -> dict[str, Any]:
        """Return the `keras_tl.models.sources.find_backbone` arguments that depend on the data."""

    @classmethod
    @abc.abstractmethod
    def backbones_without_download(cls) -> tuple[str, ...]:
        """Return the names of the backbones whose weights are on this machine.

        Raises:
            ConfigError: The toolkit has no backbone of this modality.
        """

    @abc.abstractmethod
    def inputs(self) -> keras.KerasTensor | dict[str, keras.KerasTensor]:
        """Return new `keras.Input` tensors for a model."""

    @abc.abstractmethod
    def pipeline(self, whole_batches: bool) -> Pipeline:
        """Return a pipeline from the items of a split to the model's inputs."""

    @abc.abstractmethod
    def read(self, items: Any, settings: Mapping[str, Any], on_invalid: str) -> PredictionItems:
        """Read items that a user passes to `predict` or `features`.

        Args:
            settings: The `source_settings` of the training data.
            on_invalid: `"raise"`: raise an error if an item cannot be opened. `"skip"` and
                `"keep"`: if an item cannot be opened, mark the item as invalid.

        Raises:
            DataError: `items` is not an input of this modality.
        """

    @abc.abstractmethod
    def as_split(self, items: PredictionItems) -> Split:
        """Return the items as an unlabelled split."""

    @property
    @abc.abstractmethod
    def raw(self) -> Specs:
        """Inputs of an export's raw signatures: name -> `tf.TensorSpec` of strings (batch,)."""

    @abc.abstractmethod
    def read_raw(self, raw: dict[str, tf.Tensor]) -> tuple[Tensors, tf.Tensor | None]:
        """Convert raw items to the model's inputs, with TensorFlow operations only.

        Returns:
            The model's inputs, and a bool tensor (batch,): whether each item could be read. `None`
            in place of the bool tensor means that all items could be read.
        """

    @property
    @abc.abstractmethod
    def numbers(self) -> Numbers | None:
        """Signature for preprocessed items, or `None` if the export accepts only raw items."""

    @abc.abstractmethod
    def pictures(self, split: Split) -> np.ndarray | None:
        """Return the pixels (n, height, width, 3) of a split, in [0, 255]. For texts: `None`."""

    @abc.abstractmethod
    def example_inputs(self) -> dict[str, np.ndarray]:
        """Return a few example inputs of the signatures, by input name, to verify an export."""

    @abc.abstractmethod
    def example_model_inputs(self) -> dict[str, np.ndarray]:
        """Return the example items as inputs of the model: a dict from name to array.

        Images have the model's image size, and tokens have the full sequence length. Call
        this method only for models with numeric inputs (pixels or tokens).
        """

    @property
    @abc.abstractmethod
    def preparation(self) -> dict[str, Any]:
        """Settings with which clients convert an item to the model's inputs, as JSON types."""

"""What the rest of the toolkit asks of a kind of input."""

import abc
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_tl.data.items import Items
from keras_tl.data.labelled_data import Split
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
    """A kind of input, and what is particular to one model's.

    Attributes:
        item: what messages call one item.
        about: facts for a report.
        cache_key: what the inputs depend on beside the items, as JSON types.
        preprocessor: holds what an export has to track, `None` where there is nothing.
    """

    item: str
    about: str
    cache_key: dict[str, Any]
    preprocessor: tf.Module | None

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

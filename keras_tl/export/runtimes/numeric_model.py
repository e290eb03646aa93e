"""Numeric part of a model, for LiteRT and ONNX: it maps numeric inputs to numeric outputs."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from keras_tl.errors import ExportError
from keras_tl.export.serving import ServingModel
from keras_tl.models.heads import TransferModel
from keras_tl.models.modality import Modality
from keras_tl.tasks import Task


class NumericModel:
    """The model without parts that only TensorFlow has: image decoding, tokenizers, string labels.

    Args:
        serving: Serving model, which holds the variables and lookup tables.
        parts: Two Keras models: from the modality's inputs to features, and from features to
            logits.
        task: Task of the model, which converts logits to outputs.
        modality: Object that describes the inputs of the model, for images or for texts.

    Attributes:
        task, modality: Task and modality of the model, as in the arguments.
        tracked: Module with the variables and tables of the model, for converters that need them.
        parameters: Number of parameters of the model, trainable and frozen.
        questions: Example inputs at the model's input size: arrays (n, ...) by input name.

    Raises:
        ExportError: The model takes strings, for which other runtimes have no operations.
    """

    def __init__(self, serving: ServingModel, parts: TransferModel, task: Task, modality: Modality):
        if modality.numbers is None:
            raise ExportError(
                f"This model takes each {modality.item} as a string, and only TensorFlow has "
                "operations for strings. Export the model with "
                'format="savedmodel", or train a backbone that takes tokens.'
            )
        self.task, self.modality = task, modality
        self.tracked = tf.Module()
        self.tracked.model_variables = serving.model_variables
        self.tracked.resources = serving.resources
        self.parameters = parts.model.count_params()
        self.questions = modality.example_model_inputs()
        self._structure = modality.inputs()
        self._parts = parts

    def function(self, fixed: bool) -> tf.types.experimental.PolymorphicFunction:
        """Return a function from the named inputs to the numeric outputs of the task.

        Args:
            fixed: Whether the function takes exactly one item, which has the size of the example
                inputs. Otherwise, the function takes any number of items, and texts of any length
                that the backbone accepts.
        """
        specs = [
            tf.TensorSpec(
                (1, *self.questions[spec.name].shape[1:]) if fixed else spec.shape,
                spec.dtype,
                name=spec.name,
            )
            for spec in keras.tree.flatten(self._structure)
        ]

        def answer(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
            return self._answer(tensors)

        return tf.function(answer, input_signature=specs, autograph=False)

    def answers(self) -> dict[str, np.ndarray]:
        """Return the model's outputs for its example inputs."""
        specs = keras.tree.flatten(self._structure)
        answers = self._answer([tf.constant(self.questions[spec.name]) for spec in specs])
        return {name: values.numpy() for name, values in answers.items()}

    def _answer(self, tensors: Sequence[tf.Tensor]) -> dict[str, tf.Tensor]:
        """Return the numeric outputs of the model for its flattened inputs (`tensors`)."""
        inputs = keras.tree.pack_sequence_as(self._structure, tensors)
        logits = self._parts.head(self._parts.extractor(inputs, training=False), training=False)
        answers = self.task.answers(logits)
        return {name: x for name, x in answers.items() if x.dtype != tf.string}

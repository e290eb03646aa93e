"""What goes into other runtimes: the model from its own inputs to answers, numbers only."""

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from keras_tl.errors import ExportError
from keras_tl.export.serving import ServingModel
from keras_tl.models.heads import TransferModel
from keras_tl.models.modality import Modality
from keras_tl.tasks import Task


class NumericModel:
    """The model without what only TensorFlow has: files' bytes, tokenizers, labels as strings.

    Args:
        serving: holds the variables and tables.
        parts: from the modality's inputs to features, and from those to logits.
        task: turns logits into answers.
        modality: what goes in.

    Attributes:
        task, modality: the same.
        tracked: holds what the function reads, for converters that save it.
        parameters: how many numbers the model has learned or was given.
        questions: made-up inputs by name, each of (n, ...), at the model's size.

    Raises:
        ExportError: the model takes strings itself.
    """

    def __init__(self, serving: ServingModel, parts: TransferModel, task: Task, modality: Modality):
        if modality.numbers is None:
            raise ExportError(
                f"This model takes each {modality.item} as a string, and only TensorFlow has "
                "operations for strings: it cannot go to another runtime. Export it with "
                'format="savedmodel", or train an encoder that takes tokens.'
            )
        self.task, self.modality = task, modality
        self.tracked = tf.Module()
        self.tracked.model_variables = serving.model_variables
        self.tracked.resources = serving.resources
        self.parameters = parts.model.count_params()
        self.questions = modality.made_up_inputs()
        self._structure = modality.inputs()
        self._parts = parts

    def function(self, fixed: bool) -> tf.types.experimental.PolymorphicFunction:
        """From inputs, by name, to the outputs of the task that are numbers.

        Args:
            fixed: one item, of the size of the questions; else any number of items, of texts of
                any length that the backbone takes.
        """
        specs = [
            tf.TensorSpec(
                (1, *self.questions[spec.name].shape[1:]) if fixed else spec.shape,
                spec.dtype,
                name=spec.name,
            )
            for spec in keras.tree.flatten(self._structure)
        ]
        names = [spec.name for spec in specs]

        def answer(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
            return self._answer(dict(zip(names, tensors, strict=True)))

        return tf.function(answer, input_signature=specs, autograph=False)

    def answers(self) -> dict[str, np.ndarray]:
        """What the model answers to its questions."""
        given = {name: tf.constant(array) for name, array in self.questions.items()}
        return {name: values.numpy() for name, values in self._answer(given).items()}

    def _answer(self, given: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        wanted = [given[spec.name] for spec in keras.tree.flatten(self._structure)]
        inputs = keras.tree.pack_sequence_as(self._structure, wanted)
        logits = self._parts.head(self._parts.extractor(inputs, training=False), training=False)
        answers = self.task.answers(logits)
        return {name: x for name, x in answers.items() if x.dtype != tf.string}

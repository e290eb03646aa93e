"""The serving model: bytes or strings in, named outputs out; what `predict` and `export` use."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_tl.backbones.hub import find_hub_layers
from keras_tl.modalities.base import Modality, Tensors
from keras_tl.tasks import Task

BATCH = 32


class ServingModel(tf.Module):
    """The model with what reads its items in front and the labels behind, as TensorFlow functions.

    Args:
        model: the modality's inputs to logits (batch, outputs).
        task: turns logits into answers.
        modality: what goes in.
    """

    def __init__(self, model: keras.Model, task: Task, modality: Modality):
        super().__init__(name="keras_tl")
        # What is saved is the functions and the variables they read, nothing of Keras.
        self.model_variables = [variable.value for variable in model.variables]
        # What they read beside variables, such as lookup tables.
        self.resources = [x for layer in find_hub_layers(model) for x in layer.resources]
        self.preprocessor = modality.preprocessor

        def answer(inputs: Tensors) -> dict[str, tf.Tensor]:
            return task.answers(tf.cast(model(inputs, training=False), tf.float32))

        # TensorFlow keeps the name `signatures` of what is saved for itself.
        self._functions = modality.signatures(answer)

    @property
    def signatures(self) -> dict[str, Callable]:
        """Name to function; what they take is the modality's (see its `signatures`).

        All give the outputs of the task:

        * multiclass, binary: `probabilities` (float32, (batch, classes)), `class_id` (int64,
          (batch,)) and `label` (string, (batch,));
        * multi-label: `probabilities` (float32, (batch, labels)) and `labels_mask` (bool, (batch,
          labels)), true above probability 0.5;
        * regression: `value` (float32, (batch,)).
        """
        return dict(self._functions)

    def answers_to(
        self, questions: Iterable[tuple[str, Mapping[str, Any]]]
    ) -> dict[str, np.ndarray]:
        """Asks the signatures, a batch at a time.

        Args:
            questions: names of signatures and their arguments.

        Returns:
            Each named output of all the batches together.

        Raises:
            tf.errors.InvalidArgumentError: bytes that are not an image.
        """
        answers = [self.ask(name, arguments) for name, arguments in questions]
        return {name: np.concatenate([part[name] for part in answers]) for name in answers[0]}

    def ask(self, name: str, arguments: Mapping[str, Any]) -> dict[str, tf.Tensor]:
        """The named outputs of one signature for one batch of arguments."""
        function = self._functions[name]
        given = tf.nest.map_structure(
            lambda spec: tf.constant(arguments[spec.name], spec.dtype), function.input_signature
        )
        return function(*given)

    def inputs_of(self, name: str) -> list[str]:
        """The names of what one signature takes."""
        return [spec.name for spec in tf.nest.flatten(self._functions[name].input_signature)]

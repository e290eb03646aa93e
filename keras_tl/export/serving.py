"""The serving model: bytes or strings in, named outputs out; what `predict` and `export` use."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_tl.backbones.hub import find_hub_layers
from keras_tl.base.reporting import no_retracing_warnings
from keras_tl.models.heads import TransferModel
from keras_tl.models.modality import Modality, Tensors
from keras_tl.tasks import Task

BATCH = 32
INPUTS = "inputs"
VALID = "valid"
# What stands in the place of an answer where there was nothing to answer. NaN is not valid JSON.
_NOTHING = {tf.float32: 0.0, tf.int64: -1, tf.string: "", tf.bool: False}


class ServingModel(tf.Module):
    """The model with what reads its items in front and the labels behind, as TensorFlow functions.

    Args:
        parts: from the modality's inputs to features, and from those to logits.
        task: turns logits into answers.
        modality: what goes in.

    Attributes:
        task: the same; its temperature and thresholds are in the functions.
    """

    def __init__(self, parts: TransferModel, task: Task, modality: Modality):
        super().__init__(name="keras_tl")
        self.task = task
        # What is saved is the functions and the variables they read, nothing of Keras.
        self.model_variables = [variable.value for variable in parts.model.variables]
        # What they read beside variables, such as lookup tables.
        self.resources = [x for layer in find_hub_layers(parts.model) for x in layer.resources]
        self.preprocessor = modality.preprocessor
        self._raw = modality.raw
        standard, method = task.standard
        self.methods = {standard: method}

        # Functions of their own, so that each is traced once for all signatures.
        @tf.function(autograph=False)
        def read(raw: dict[str, tf.Tensor]) -> tuple[Tensors, tf.Tensor | None]:
            return modality.read_raw(raw)

        @tf.function(autograph=False)
        def features(inputs: Tensors) -> tf.Tensor:
            return parts.extractor(inputs, training=False)

        @tf.function(autograph=False)
        def answer(inputs: Tensors) -> dict[str, tf.Tensor]:
            return task.answers(parts.head(features(inputs), training=False))

        @tf.function(input_signature=[modality.raw], autograph=False)
        def serving_default(raw: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            inputs, valid = read(raw)
            return _marked(answer(inputs), valid)

        @tf.function(input_signature=[modality.raw], autograph=False)
        def embed(raw: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            inputs, valid = read(raw)
            width = int(np.prod(parts.extractor.output_shape[1:]))
            rows = tf.reshape(features(inputs), (-1, width), "features")
            return _marked({"features": rows}, valid)

        examples = tf.TensorSpec([None], tf.string, name=INPUTS)

        @tf.function(input_signature=[examples], autograph=False)
        def by_example(examples: tf.Tensor) -> dict[str, tf.Tensor]:
            # What an example lacks is an empty text, or no image.
            wanted = {name: tf.io.FixedLenFeature((), tf.string, "") for name in modality.raw}
            raw = tf.io.parse_example(examples, wanted)
            return task.standard_answers(serving_default(raw))

        # TensorFlow keeps the name `signatures` of what is saved for itself.
        self._functions = {
            "serving_default": serving_default,
            standard: by_example,
            "embed": embed,
        }
        numbers = modality.numbers
        if numbers is not None:
            self._functions[numbers.name] = tf.function(
                lambda given: answer(numbers.read(given)),
                input_signature=[numbers.inputs],
                autograph=False,
            )

    @property
    def signatures(self) -> dict[str, Callable]:
        """Name to function. Every first dimension is the batch, of any size.

        * `serving_default` takes what the modality calls raw: files' bytes, or texts.
        * `pixels` or `tokens` take numbers (see the modality's `numbers`), for clients that
          preprocess; models that take strings have neither.
        * `classify`, of a regression `regress`, takes `inputs`: string (batch,), each a serialised
          `tf.Example` with the raw features by their names. They answer by TF Serving's API of the
          same names: `classes` (string) and `scores` (float32), each (batch, classes) in the
          order of the outputs; or `outputs` (float32, (batch,)).
        * `embed` takes the same as `serving_default` and gives `features`: float32 (batch, d), what
          the head is given.

        The others give the outputs of the task:

        * multiclass, binary: `probabilities` (float32, (batch, classes)), `class_id` (int64,
          (batch,)) and `label` (string, (batch,));
        * multi-label: `probabilities` (float32, (batch, labels)) and `labels_mask` (bool, (batch,
          labels)), true above the label's threshold, 0.5 if none was chosen;
        * regression: `value` (float32, (batch,)).

        `serving_default` and `embed` also give `valid` (bool, (batch,)): false for bytes that are
        no image, and for texts that are blank or not UTF-8. Their numbers are 0, with class_id -1
        and no label.
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
        """
        answers = [self.ask(name, arguments) for name, arguments in questions]
        return {name: np.concatenate([part[name] for part in answers]) for name in answers[0]}

    def ask(self, name: str, arguments: Mapping[str, Any]) -> dict[str, tf.Tensor]:
        """The named outputs of one signature for one batch of arguments."""
        function = self._functions[name]
        given = tf.nest.map_structure(
            lambda spec: tf.constant(arguments[spec.name], spec.dtype), function.input_signature
        )
        with no_retracing_warnings():
            return function(*given)

    def examples(self, raw: Mapping[str, Sequence[bytes]]) -> np.ndarray:
        """Raw items as `classify` and `regress` take them: object (batch,), serialised."""
        names = list(self._raw)
        rows = zip(*(raw[name] for name in names), strict=True)
        return np.array([_example(zip(names, row, strict=True)) for row in rows], object)

    def inputs_of(self, name: str) -> list[str]:
        """The names of what one signature takes."""
        return [spec.name for spec in tf.nest.flatten(self._functions[name].input_signature)]


def _example(features: Iterable[tuple[str, bytes]]) -> bytes:
    values = {n: tf.train.Feature(bytes_list=tf.train.BytesList(value=[v])) for n, v in features}
    return tf.train.Example(features=tf.train.Features(feature=values)).SerializeToString()


def _marked(answers: dict[str, tf.Tensor], valid: tf.Tensor | None) -> dict[str, tf.Tensor]:
    """The answers and `valid`, and nothing in the place of those that are not."""
    if valid is None:
        return answers
    marked = {}
    for name, values in answers.items():
        rows = tf.reshape(valid, [-1] + [1] * (len(values.shape) - 1))
        nothing = tf.constant(_NOTHING[values.dtype], values.dtype)
        marked[name] = tf.where(rows, values, nothing, name=name)
    return marked | {VALID: tf.identity(valid, VALID)}

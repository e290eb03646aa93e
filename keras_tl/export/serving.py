"""Serving model that `predict` and `export` use: it maps bytes or strings to named outputs."""

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
# Values that replace the outputs of an invalid item, by dtype. JSON does not allow NaN.
_NOTHING = {tf.float32: 0.0, tf.int64: -1, tf.string: "", tf.bool: False}


class ServingModel(tf.Module):
    """The complete model as TensorFlow functions: preprocessing, backbone, head and labels.

    Args:
        parts: Two Keras models: from the modality's inputs to features, and from features to
            logits.
        task: Task with its temperature and thresholds. The task converts logits to outputs.
        modality: Object that describes and preprocesses the inputs, for images or for texts.

    Example:
        >>> sorted(learner.serving_model.signatures)
        ['classify', 'embed', 'pixels', 'serving_default']
    """

    def __init__(self, parts: TransferModel, task: Task, modality: Modality):
        super().__init__(name="keras_tl")
        self.task = task
        # A SavedModel holds the functions and their variables, but no Keras objects.
        self.model_variables = [variable.value for variable in parts.model.variables]
        # Besides variables, the functions read resources of TF-Hub modules, such as lookup tables.
        self.resources = [x for layer in find_hub_layers(parts.model) for x in layer.resources]
        self.preprocessor = modality.preprocessor
        self._raw = modality.raw
        standard, method = task.standard
        self.methods = {standard: method}

        # Signatures share the next functions, so that TensorFlow traces each function only once.
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
            # A feature that an example lacks becomes an empty string: an empty text, or no image.
            wanted = {name: tf.io.FixedLenFeature((), tf.string, "") for name in modality.raw}
            raw = tf.io.parse_example(examples, wanted)
            return task.standard_answers(serving_default(raw))

        # `self.signatures` is not possible: TensorFlow reserves this attribute on saved objects.
        self._functions = {"serving_default": serving_default, standard: by_example, "embed": embed}
        numbers = modality.numbers
        if numbers is not None:
            self._functions[numbers.name] = tf.function(
                lambda given: answer(numbers.read(given)),
                input_signature=[numbers.inputs],
                autograph=False,
            )

    @property
    def signatures(self) -> dict[str, Callable[..., Any]]:
        """Dict from signature name to function. The first dimension of all tensors is the batch.

        * `serving_default` takes the modality's raw items: bytes of image files, or texts.
        * `pixels` or `tokens` take preprocessed numbers (see the modality's `numbers`), for clients
          that preprocess items. Models that take strings have neither `pixels` nor `tokens`.
        * `classify` (regression: `regress`) takes `inputs`: string (batch,), serialised
          `tf.Example`s with the raw features by name. TF Serving prescribes the outputs of its
          APIs Classify and Regress. `classify` returns `classes` (string) and `scores` (float32),
          each (batch, classes) in the order of the outputs. `regress` returns `outputs` (float32,
          (batch,)).
        * `embed` takes the same inputs as `serving_default` and returns `features`: float32 (batch,
          d), the input of the head.

        `serving_default`, `pixels` and `tokens` return the outputs of the task:

        * multiclass, binary: `probabilities` (float32, (batch, classes)), `class_id` (int64,
          (batch,)) and `label` (string, (batch,)).
        * multi-label: `probabilities` (float32, (batch, labels)) and `labels_mask` (bool, (batch,
          labels)). `labels_mask` is true for a probability above the label's threshold (default:
          0.5).
        * regression: `value` (float32, (batch,)).

        `serving_default` and `embed` also return `valid` (bool, (batch,)). `valid` is false for
        bytes that are no image and for texts that are blank or not UTF-8. For an item that is not
        valid, all float outputs are 0, `class_id` is -1 and `label` is empty.

        Example:
            >>> "pixels" in learner.serving_model.signatures
            True
        """
        return dict(self._functions)

    def answers_to(
        self, questions: Iterable[tuple[str, Mapping[str, Any]]]
    ) -> dict[str, np.ndarray]:
        """Call the named signature with each batch of arguments, and join the outputs of all calls.

        Example:
            >>> batch = {"pixels": np.zeros((2, 16, 16, 3))}
            >>> answers = learner.serving_model.answers_to([("pixels", batch), ("pixels", batch)])
            >>> answers["probabilities"].shape
            (4, 2)
        """
        answers = [self.ask(name, arguments) for name, arguments in questions]
        return {name: np.concatenate([part[name] for part in answers]) for name in answers[0]}

    def ask(self, name: str, arguments: Mapping[str, Any]) -> dict[str, tf.Tensor]:
        """Return the named outputs of one signature for one batch of arguments.

        Example:
            >>> answers = learner.serving_model.ask("pixels", {"pixels": np.zeros((1, 16, 16, 3))})
            >>> sorted(answers), answers["probabilities"].numpy().shape
            (['class_id', 'label', 'probabilities'], (1, 2))
        """
        function = self._functions[name]
        given = tf.nest.map_structure(
            lambda spec: tf.constant(arguments[spec.name], spec.dtype), function.input_signature
        )
        with no_retracing_warnings():
            return function(*given)

    def examples(self, raw: Mapping[str, Sequence[bytes]]) -> np.ndarray:
        """Serialise raw items for `classify` and `regress`: `tf.Example`s, object array (batch,).

        Example:
            >>> learner.serving_model.examples({"image_bytes": [b"first", b"second"]}).shape
            (2,)
        """
        names = list(self._raw)
        rows = zip(*(raw[name] for name in names), strict=True)
        return np.array([_example(zip(names, row, strict=True)) for row in rows], object)

    def inputs_of(self, name: str) -> list[str]:
        """Return the input names of a signature.

        Example:
            >>> learner.serving_model.inputs_of("serving_default")
            ['image_bytes']
        """
        return [spec.name for spec in tf.nest.flatten(self._functions[name].input_signature)]


def _example(features: Iterable[tuple[str, bytes]]) -> bytes:
    values = {n: tf.train.Feature(bytes_list=tf.train.BytesList(value=[v])) for n, v in features}
    return tf.train.Example(features=tf.train.Features(feature=values)).SerializeToString()


def _marked(answers: dict[str, tf.Tensor], valid: tf.Tensor | None) -> dict[str, tf.Tensor]:
    """Add `valid` to the outputs, and replace outputs of invalid items by values of `_NOTHING`."""
    if valid is None:
        return answers
    marked = {}
    for name, values in answers.items():
        rows = tf.reshape(valid, [-1] + [1] * (len(values.shape) - 1))
        nothing = tf.constant(_NOTHING[values.dtype], values.dtype)
        marked[name] = tf.where(rows, values, nothing, name=name)
    return marked | {VALID: tf.identity(valid, VALID)}

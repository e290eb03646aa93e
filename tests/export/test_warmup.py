"""Warm-up requests: what TensorFlow Serving's own messages make of them."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow_serving.apis import prediction_log_pb2

from keras_tl.export.warmup import prediction_log
from keras_tl.export.without_keras.serving_messages import EXAMPLE_LOGS, WARMUP, PredictionLog

PREDICT = "tensorflow/serving/predict"
EXAMPLES = [tf.train.Example().SerializeToString(), b"\x0a\x00"]


def test_every_signature_is_asked_one_item_and_all(learner, exported):
    asked = {}
    for record in tf.data.TFRecordDataset(str(exported / "assets.extra" / WARMUP)):
        ((field, log),) = PredictionLog.FromString(record.numpy()).ListFields()
        request = log.request
        if field.name in EXAMPLE_LOGS:
            items = len(request.input.example_list.examples)
        else:
            tensors = [TensorProto.FromString(pair.value) for pair in request.inputs]
            (items,) = {tensor.tensor_shape.dim[0].size for tensor in tensors}
        assert request.model_spec.name == "model"
        asked.setdefault(request.model_spec.signature_name, []).append(items)
    assert set(asked) == set(learner.serving_model.signatures)
    assert all(one == 1 and several > 1 for one, several in asked.values())


@pytest.mark.parametrize(
    "inputs",
    [
        {"x": np.array([[1.5, np.pi]], np.float32)},
        {"text": np.array([b"\x00\xff", b"", b"abc"], object), "ids": np.array([1, -2, 3])},
    ],
)
def test_official_messages_read_what_is_asked(inputs):
    official = prediction_log_pb2.PredictionLog
    ours = prediction_log("a/b", "tokens", PREDICT, inputs).SerializeToString()
    log = official.FromString(ours)
    assert log.WhichOneof("log_type") == "predict_log"
    request = log.predict_log.request
    assert (request.model_spec.name, request.model_spec.signature_name) == ("a/b", "tokens")
    assert set(request.inputs) == set(inputs)
    for name, array in inputs.items():
        np.testing.assert_array_equal(tf.make_ndarray(request.inputs[name]), array)
    # The other way round, with fields that ours does not declare.
    request.model_spec.version.value = 3
    request.output_filter.append("y")
    again = PredictionLog.FromString(log.SerializeToString())
    assert {pair.key for pair in again.predict_log.request.inputs} == set(inputs)
    assert official.FromString(again.SerializeToString()) == log


@pytest.mark.parametrize("kind", EXAMPLE_LOGS)
def test_official_messages_read_which_examples_are_asked(kind):
    official = prediction_log_pb2.PredictionLog
    inputs = {"inputs": np.array(EXAMPLES, object)}
    ours = prediction_log("model", "examples", EXAMPLE_LOGS[kind], inputs).SerializeToString()
    log = official.FromString(ours)
    assert log.WhichOneof("log_type") == kind
    request = getattr(log, kind).request
    assert (request.model_spec.name, request.model_spec.signature_name) == ("model", "examples")
    asked = [example.SerializeToString() for example in request.input.example_list.examples]
    assert asked == EXAMPLES

"""Warm-up: requests that TensorFlow Serving answers before it reports a version as ready.

Source: https://www.tensorflow.org/tfx/serving/saved_model_warmup
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from keras_tl.export.without_keras.examples import EXAMPLES, decode_array
from keras_tl.export.without_keras.serving_messages import EXAMPLE_LOGS, WARMUP, PredictionLog


def write_warmup(folder: Path, model: str) -> None:
    """Write warm-up requests for every signature of a version, from the recorded example inputs.

    Each signature gets a request with one example and a request with all examples, because
    TensorFlow chooses some kernels and allocates memory by batch size. The example inputs are
    generated: real inputs would publish training data.
    """
    saved = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    signatures = saved.meta_graphs[0].signature_def
    recorded = json.loads((folder / "assets.extra" / EXAMPLES).read_text("utf-8"))
    with tf.io.TFRecordWriter(str(folder / "assets.extra" / WARMUP)) as writer:
        for name, example in recorded.items():
            for inputs in _batches(example["inputs"]):
                log = prediction_log(model, name, signatures[name].method_name, inputs)
                writer.write(log.SerializeToString(deterministic=True))


def prediction_log(
    model: str, signature: str, method: str, inputs: Mapping[str, np.ndarray]
) -> PredictionLog:
    """Return a warm-up request. `inputs` has the arrays of one batch, by input name.

    For the methods `tensorflow/serving/classify` and `tensorflow/serving/regress`, `inputs` has one
    array (batch,) of serialised `tf.Example`s (bytes).
    """
    log = PredictionLog()
    kind = next((kind for kind, name in EXAMPLE_LOGS.items() if name == method), "predict_log")
    request = getattr(log, kind).request
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    if kind in EXAMPLE_LOGS:
        (examples,) = inputs.values()
        request.input.example_list.examples.extend(examples)
    else:
        for name, array in inputs.items():
            tensor = tf.make_tensor_proto(array).SerializeToString()
            request.inputs.add(key=name, value=tensor)
    return log


def _batches(inputs: Mapping[str, dict]) -> Iterator[dict[str, np.ndarray]]:
    whole = {name: decode_array(array) for name, array in inputs.items()}
    yield {name: array[:1] for name, array in whole.items()}
    yield whole

"""Warm-up: requests that TensorFlow Serving answers before it reports a version as ready.

Source: https://www.tensorflow.org/tfx/serving/saved_model_warmup
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_tl.export.without_keras.serving_messages import EXAMPLE_LOGS, WARMUP, PredictionLog

_PREDICT = tf.compat.v1.saved_model.PREDICT_METHOD_NAME


def write_warmup(
    folder: Path,
    model: str,
    methods: Mapping[str, str],
    inputs: Mapping[str, Mapping[str, np.ndarray]],
) -> None:
    """Write warm-up requests for every signature of a version, from example inputs.

    Each signature gets a request with one example and a request with all examples, because
    TensorFlow chooses some kernels and allocates memory by batch size. The example inputs are
    generated: real inputs would publish training data.
    """
    with tf.io.TFRecordWriter(str(folder / "assets.extra" / WARMUP)) as writer:
        for name, examples in inputs.items():
            for batch in ({key: array[:1] for key, array in examples.items()}, examples):
                log = prediction_log(model, name, methods.get(name, _PREDICT), batch)
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

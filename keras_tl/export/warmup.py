"""Warm-up: requests that TensorFlow Serving answers before it says that a version is ready.

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


def write_warmup(folder: Path, model: str) -> int:
    """Writes the warm-up requests of a version: its recorded questions, for every signature.

    Each signature is asked one item, and all the items together: some kernels are chosen, and
    memory is allocated, by the size of the batch. The questions are made up; real ones would ship
    training data.

    Args:
        folder: of the version, with saved_model.pb and the recorded examples.
        model: the name under which a server has the model.

    Returns:
        How many requests there are: two for each signature.
    """
    saved = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    signatures = saved.meta_graphs[0].signature_def
    recorded = json.loads((folder / "assets.extra" / EXAMPLES).read_text("utf-8"))
    logs = [
        prediction_log(model, name, signatures[name].method_name, inputs)
        for name, example in recorded.items()
        for inputs in _batches(example["inputs"])
    ]
    with tf.io.TFRecordWriter(str(folder / "assets.extra" / WARMUP)) as writer:
        for log in logs:
            writer.write(log.SerializeToString(deterministic=True))
    return len(logs)


def prediction_log(
    model: str, signature: str, method: str, inputs: Mapping[str, np.ndarray]
) -> PredictionLog:
    """One request.

    Args:
        model: the model's name on the server.
        signature: the signature's name.
        method: its method name; `tensorflow/serving/classify` and `/regress` take examples.
        inputs: an array for each of its inputs, of one batch; for those two one array of
            serialised `tf.Example`, (batch,) of bytes.
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

"""Replay warm-up requests, and report the requests that a server would refuse.

A server does not load a version with a warm-up request that fails, or with more than 1000 requests:
https://www.tensorflow.org/tfx/serving/saved_model_warmup
"""

import dataclasses
from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.framework import tensor_pb2

from . import graph
from .errors import first_line
from .serving_messages import EXAMPLE_LOGS, PredictionLog

MOST = 1000
REPLAYED = {"predict_log", *EXAMPLE_LOGS}


@dataclasses.dataclass
class Replayed:
    """Result of a replay of warm-up requests.

    Attributes:
        problems: A sentence for each record that a server would refuse, with the record's
            number. The first record has number 1.
        notes: A sentence for each record of a kind that the replay does not support.
        asked: By signature name, the inputs of the last record that called the signature.
    """

    problems: list[str] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)
    asked: dict[str, dict[str, np.ndarray]] = dataclasses.field(default_factory=dict)


def read_records(file: Path) -> tuple[list[bytes], str | None]:
    """Return the records of a TFRecord file, and a problem if a server would refuse the file."""
    records = []
    try:
        for record in tf.data.TFRecordDataset(str(file)).take(MOST + 1):
            records.append(record.numpy())
    except tf.errors.DataLossError:
        return records, f"{file.name} is truncated or damaged after record {len(records)}"
    if len(records) > MOST:
        return records, f"{file.name} has more than {MOST:,} records, the limit of a server"
    return records, None


def replay(session, signatures, records: list[bytes]) -> Replayed:
    """Send the request in each record to its signature. Records are serialised `PredictionLog`s."""
    replayed = Replayed()
    for number, record in enumerate(records, 1):
        try:
            log = PredictionLog.FromString(record)
            kind = _kind(log)
            if kind not in REPLAYED:
                replayed.notes.append(
                    f"Warm-up record {number} is a {kind}, which is not replayed here"
                )
                continue
            name, arrays = _question(kind, getattr(log, kind).request, signatures)
            replayed.asked[name] = arrays
            graph.ask(session, signatures[name], arrays)
        except DecodeError:
            replayed.problems.append(f"Warm-up record {number} is not a PredictionLog")
        except Exception as error:
            replayed.problems.append(f"Warm-up record {number}: {first_line(error)}")
    return replayed


def _kind(log) -> str:
    kinds = [field.name for field, _ in log.ListFields()]
    if len(kinds) != 1:
        raise ValueError(f"expected a PredictionLog with 1 request, received {len(kinds)} requests")
    return kinds[0]


def _question(kind: str, request, signatures) -> tuple[str, dict[str, np.ndarray]]:
    """Return signature name and inputs of a request, or raise `ValueError` for a wrong request."""
    name = request.model_spec.signature_name or "serving_default"
    if name not in signatures:
        raise ValueError(
            f"the request calls the signature {name!r}, which the export does not have"
        )
    signature = signatures[name]
    if kind in EXAMPLE_LOGS:
        examples = np.array(request.input.example_list.examples, object)
        if not len(examples):
            raise ValueError("the request has no examples")
        if signature.method_name != EXAMPLE_LOGS[kind]:
            raise ValueError(
                f"a {kind} needs a signature with the method name {EXAMPLE_LOGS[kind]}, but "
                f"{name!r} has {signature.method_name}"
            )
        given = dict.fromkeys(signature.inputs, examples)
    else:
        given = {
            pair.key: tf.make_ndarray(tensor_pb2.TensorProto.FromString(pair.value))
            for pair in request.inputs
        }
    if set(given) != set(signature.inputs):
        raise ValueError(
            f"the signature {name!r} takes {sorted(signature.inputs)}, the request has "
            f"{sorted(given)}"
        )
    for key, array in given.items():
        _check_input(name, key, signature.inputs[key], array)
    return name, given


def _check_input(name: str, key: str, info, array: np.ndarray) -> None:
    dtype, shape = tf.dtypes.as_dtype(info.dtype), tf.TensorShape(info.tensor_shape)
    found = tf.string if array.dtype == object else tf.dtypes.as_dtype(array.dtype)
    if found != dtype or not shape.is_compatible_with(array.shape):
        raise ValueError(
            f"{name}/{key} takes {dtype.name} {shape}, the request has {found.name} {array.shape}"
        )

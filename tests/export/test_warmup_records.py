"""Warm-up requests that a server would refuse."""

import os

import numpy as np
import pytest
import tensorflow as tf

from keras_tl.base.files import write_checksums
from keras_tl.export.verification import CHECKSUMS, verify
from keras_tl.export.warmup import prediction_log
from keras_tl.export.without_keras.examples import EXAMPLES
from keras_tl.export.without_keras.serving_messages import WARMUP, PredictionLog

PREDICT = "tensorflow/serving/predict"


def wrong_records(exported):
    """A right record, and wrong ones with what is said of each."""
    good = np.zeros((2, 9, 9, 3), np.float32)

    def record(signature, method=PREDICT, **inputs):
        return prediction_log("model", signature, method, inputs).SerializeToString()

    return [
        (record("pixels", pixels=good), None),
        (b"no message", "is not a PredictionLog"),
        (b"", ": expected a PredictionLog with 1 request, received 0 requests"),
        (
            record("no", pixels=good),
            ": the request calls the signature 'no', which the export does not have",
        ),
        (
            record("pixels", images=good),
            ": the signature 'pixels' takes ['pixels'], the request has ['images']",
        ),
        (
            record("pixels", pixels=good.astype(np.uint8)),
            ": pixels/pixels takes float32 (None, None, None, 3), "
            "the request has uint8 (2, 9, 9, 3)",
        ),
        (
            record("pixels", pixels=good[..., :2]),
            ": pixels/pixels takes float32 (None, None, None, 3), "
            "the request has float32 (2, 9, 9, 2)",
        ),
        (
            record("pixels", "tensorflow/serving/classify", inputs=np.array([b""], object)),
            ": a classify_log needs a signature with the method name tensorflow/serving/classify, "
            "but 'pixels' has tensorflow/serving/predict",
        ),
        (
            record("pixels", "tensorflow/serving/regress", inputs=np.array([], object)),
            ": the request has no examples",
        ),
        # A record without a signature's name asks serving_default.
        (
            record("", pixels=good),
            ": the signature 'serving_default' takes ['image_bytes'], the request has ['pixels']",
        ),
    ]


def test_wrong_warmup_records_are_named_by_their_numbers(exported, verified_here):
    records = wrong_records(exported)
    streamed = PredictionLog(predict_streamed_log=b"\n\0").SerializeToString()
    with tf.io.TFRecordWriter(str(exported / "assets.extra" / WARMUP)) as writer:
        for record in [*(record for record, _ in records), streamed]:
            writer.write(record)
    # Without examples, the signatures that decode files are not called, which takes seconds.
    (exported / "assets.extra" / EXAMPLES).unlink()
    write_checksums(exported, CHECKSUMS)
    found = verify(exported, timings=False)
    assert found.problems == tuple(
        f"Warm-up record {number}{' ' * (said[0] != ':')}{said}"
        for number, (_, said) in enumerate(records, 1)
        if said
    )
    assert found.notes == (
        f"Warm-up record {len(records) + 1} is a predict_streamed_log, which is not replayed here",
    )
    assert found.warmup_records == len(records) + 1


def cut_the_last_record(file, count):
    os.truncate(file, file.stat().st_size - 1)
    return f"is truncated or damaged after record {count - 1}"


def repeat_until_too_many(file, count):
    file.write_bytes(file.read_bytes() * (1000 // count + 1))
    return "has more than 1,000 records, the limit of a server"


@pytest.mark.slow
@pytest.mark.parametrize("spoil", [cut_the_last_record, repeat_until_too_many])
def test_a_wrong_warmup_file(exported, spoil):
    count = verify(exported, timings=False).warmup_records
    problem = spoil(exported / "assets.extra" / WARMUP, count)
    (said,) = verify(exported, timings=False).problems
    assert said.startswith(f"{WARMUP} {problem}")

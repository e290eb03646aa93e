"""What TensorFlow and libjpeg say of themselves does not stand between our lines."""

import logging
import subprocess
import sys

import numpy as np
import pytest

from keras_tl.base.reporting import KERAS_TRAINER, no_retracing_warnings
from tests.conftest import make_small_learner, make_tiny_data

# A JPEG with bytes too many, which decodes; then a line of ours, and one of a library that fails.
TALKS = """
import io, os, sys
import numpy as np
from PIL import Image
from keras_tl.cli.group import start_toolkit

start_toolkit()
import tensorflow as tf
buffer = io.BytesIO()
Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), "u1")).save(buffer, "JPEG")
content = buffer.getvalue()
pixels = tf.io.decode_jpeg(content[:-2] + bytes(40) + content[-2:])
print("ours:", pixels.shape, file=sys.stderr)
os.write(2, b"a library fails\\n")
os.abort() if sys.argv[1] == "abort" else sys.exit(3)
"""


# The fast tier has a process with TensorFlow in tests/test_cli.py.
@pytest.mark.slow
@pytest.mark.parametrize(("end", "code"), [("exit", 3), ("abort", -6)])
def test_the_command_line_drops_notes_and_keeps_failures(end, code, monkeypatch):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    done = subprocess.run(
        [sys.executable, "-c", TALKS, end], capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert sorted(done.stderr.splitlines()) == ["a library fails", "ours: (64, 64, 3)"]


@pytest.fixture
def warned():
    """The warnings of TensorFlow in Python."""
    records = []

    class Keep(logging.Handler):
        def emit(self, record):
            records.append(record.getMessage())

    handler = Keep()
    logging.getLogger("tensorflow").addHandler(handler)
    yield records
    logging.getLogger("tensorflow").removeHandler(handler)


HELD_BACK = {
    "nothing": (None, True),
    "all": ("", False),
    "of-keras": (KERAS_TRAINER, True),
    "of-these": ("trace_often", False),
}


@pytest.mark.parametrize("name", HELD_BACK)
def test_only_the_warning_of_the_functions_meant_is_held_back(warned, name):
    of, is_warned = HELD_BACK[name]
    # TensorFlow warns twice of the same code, so each case has its own.
    source = "import tensorflow as tf\ndef trace_often():\n for _ in range(6):\n"
    source += f"  tf.function(lambda x: x + {len(name)}, autograph=False)(tf.constant(1))\n"
    space = {}
    exec(source, space)
    if of is None:
        space["trace_often"]()
    else:
        with no_retracing_warnings(of):
            space["trace_often"]()
            logging.getLogger("tensorflow").warning("something else")
    assert any("retracing" in message for message in warned) == is_warned
    assert ("something else" in warned) == (of is not None)
    assert logging.getLogger("tensorflow").filters == []


@pytest.mark.slow
def test_many_learners_in_one_process_cause_no_warning(warned):
    data = make_tiny_data(4)
    pixels = np.zeros((1, 32, 32, 3), np.float32)
    for seed in range(6):
        learner = make_small_learner(data, seed=seed)
        learner.fit_head(epochs=1, cache="off")
        learner.predict(pixels)
    assert warned == []

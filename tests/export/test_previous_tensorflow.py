"""An export loads and answers under TensorFlow's previous release, in an environment of its own."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import tensorflow as tf

import keras_tl as ktl
from keras_tl.export.verification import verify
from keras_tl.testing.cases import randomise_head
from tests import hub_modules, language_models
from tests.conftest import make_small_learner, make_tiny_data

pytestmark = pytest.mark.slow


def run(*command):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def previous():
    """The previous minor release, and the interpreter of a new environment that has it."""
    major, minor = tf.__version__.split(".")[:2]
    release = f"{major}.{int(minor) - 1}"
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "bin" / "python"
        assert run(sys.executable, "-m", "venv", folder).returncode == 0
        # It depends on TensorFlow of the same version.
        wanted = f"tensorflow-text=={release}.*"
        done = run(python, "-m", "pip", "install", "--quiet", wanted)
        if "(from versions: none)" in done.stderr:
            pytest.skip(f"pip reaches no package registry to install {wanted} from")
        assert done.returncode == 0, done.stderr
        yield release, str(python)


def make_texts_learner(backbone, preprocess=None):
    texts = ktl.TextData.from_arrays(
        ["good film", "bad film"] * 9, ["good", "bad"] * 9, verbose=False
    )
    learner = ktl.Learner(backbone, texts, preprocess=preprocess, seed=0, verbose=False)
    randomise_head(learner)
    return learner


def words_to_tokens(folder):
    """The tokenizer is operations of tensorflow_text."""
    vocabulary = hub_modules.write_vocabulary(folder / "vocab.txt")
    encoder = hub_modules.make_encoder(folder / "encoder")
    return make_texts_learner(f"tfhub:{encoder}", str(vocabulary))


LEARNERS = {
    "images": lambda folder: make_small_learner(make_tiny_data()),
    "word pieces": words_to_tokens,
    "words": lambda folder: make_texts_learner(
        f"ulmfit:{language_models.save_language_model(folder / 'words')}"
    ),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_it_answers_as_it_did(previous, tmp_path, name):
    release, python = previous
    learner = LEARNERS[name](tmp_path)
    found = verify(learner.export(tmp_path / "model"), timings=False, python=python)
    assert found.problems == ()
    assert found.tensorflow.startswith(f"{release}.")
    assert set(found.differences) == set(learner.serving_model.signatures)
    assert found.warmup_records == 2 * len(found.signatures)
    assert bool(found.text_operations) == (name == "word pieces")

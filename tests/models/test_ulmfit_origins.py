"""Language models as backbones: what they bring, what a run of one keeps, and what is refused."""

import shutil

import numpy as np
import pytest

import keras_tl as ktl
from keras_tl.base.config import HeadConfig
from keras_tl.base.keras_compat import eagerly
from keras_tl.errors import BackboneError, ConfigError, RunError
from keras_tl.learner.reporting import facts
from keras_tl.testing.cases import randomise_head
from keras_tl.training.policies import HEAD_CONFIGS
from tests import language_models
from tests.conftest import make_tiny_data
from tests.test_text_journey import make_texts

BLOCKS = ("embedding", "lstm_1", "lstm_2", "lstm_3")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return language_models.save_language_model(tmp_path_factory.mktemp("models") / "model")


def make(folder, data=None, **options):
    options = {"seed": 0, "verbose": False} | options
    learner = ktl.Learner(f"ulmfit:{folder}", data or make_texts(), **options)
    randomise_head(learner)
    return learner


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    """A run of one, whose head and whose embedding have been trained, and its learner."""
    path = tmp_path_factory.mktemp("runs") / "run"
    copied = shutil.copytree(folder, path.with_name("model"))
    learner = make(copied)
    with eagerly():
        learner.fit_head(epochs=1)
    embeddings = learner.backbone.block_layers("embedding")[0].embeddings
    embeddings.assign(embeddings + 1)
    learner.save(path)
    # A run needs nothing of what it was made of.
    shutil.rmtree(copied)
    return path, learner


def test_what_a_language_model_brings(folder):
    learner = make(folder)
    config = learner.config
    assert config.backbone == f"ulmfit:{folder}"
    assert config.head == HEAD_CONFIGS["ulmfit"]
    assert config.sequence_length == 16
    assert learner.backbone.blocks == BLOCKS
    assert learner.trainer.parts.extractor.output_shape == (None, 3 * language_models.WIDTH)
    assert make(folder, make_texts(sequence_length=9)).config.sequence_length == 9
    # Unlike those of BERT's family it has no positions that it could run out of.
    assert make(folder, make_texts(sequence_length=600)).config.sequence_length == 600
    mine = HeadConfig("avg", dropout=0.0)
    assert make(folder, head=mine).config.head == mine


def test_mixed_precision_is_inside_only_and_not_in_what_is_served(folder):
    learner = make(folder, precision="mixed_bfloat16")
    types = {
        layer.compute_dtype for block in BLOCKS for layer in learner.backbone.block_layers(block)
    }
    assert types == {"bfloat16"}
    assert {weight.dtype for weight in learner.model.weights} == {"float32"}
    assert learner.trainer.parts.extractor.output.dtype == learner.model.output.dtype == "float32"
    # What is served computes in float32, with the same weights.
    texts = ["good film", "the bad film s"]
    expected = make(folder, precision="float32").predict(texts).probabilities
    np.testing.assert_allclose(learner.predict(texts).probabilities, expected, atol=1e-6)
    tokens = learner.serving_model.preprocessor(texts)
    half = 1 / (1 + np.exp(-np.asarray(learner.model(tokens))))
    assert 0 < np.abs(half[:, 0] - expected[:, 1]).max() < 0.03


@pytest.mark.parametrize("kind", ["run", "learner"])
def test_another_task_takes_the_encoder_of_a_run(run, kind):
    path, source = run
    data = ktl.TextData.from_arrays(["good", "bad", "film"] * 8, [0, 1, 2] * 8, verbose=False)
    given = f"run:{path}" if kind == "run" else source
    learner = ktl.Learner(given, data, seed=1, verbose=False)
    assert learner.config.family == "ulmfit"
    assert learner.config.head == HEAD_CONFIGS["ulmfit"]
    assert learner.config.head.pooling == "concat"
    assert learner.backbone.blocks == BLOCKS
    for ours, theirs in zip(learner.backbone.weights, source.backbone.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert learner.predict("good").probabilities.shape == (1, 3)


def test_a_run_is_loaded_with_its_words(run):
    path, learner = run
    loaded = ktl.Learner.load(path, verbose=False)
    assert loaded.config == learner.config
    texts = ["good film", "the", "never seen"]
    answers = (x.predict(texts).probabilities for x in (loaded, learner))
    np.testing.assert_array_equal(*answers)
    before = facts(loaded._state).pretraining
    assert before == facts(learner._state).pretraining
    assert (before.weights, before.kind) == ("ulmfit:model", "language model")
    (corpus,) = before.ancestry
    assert {"texts": corpus.texts, "tokens": corpus.tokens} == language_models.ABOUT


def damaged(folder, tmp_path):
    copied = shutil.copytree(folder, tmp_path / "damaged")
    with open(copied / "vocabulary.txt", "ab") as file:
        file.write(b"more\n")
    return copied


# What is asked for, and what the message says.
REFUSED = {
    "weights": (
        lambda f, t: make(f, weights="some.h5"),
        ConfigError,
        r"^weights= is only for a backbone from the catalogue\. .* a language model .* have their",
    ),
    "preprocessor": (
        lambda f, t: make(f, preprocess="vocab.txt"),
        ConfigError,
        r"^The language model '\S+' has its own vocabulary\. Leave preprocess= out\.$",
    ),
    "images": (
        lambda f, t: make(f, make_tiny_data()),
        BackboneError,
        r"^The backbone 'ulmfit:\S+' takes texts, but the data are images\.",
    ),
    "image-size": (
        lambda f, t: make(f, image_size=32),
        BackboneError,
        r"^image_size= is for images, but the data are texts\. Leave image_size= out\.",
    ),
    "output-block": (
        lambda f, t: make(f, output_block="lstm_2"),
        BackboneError,
        r"^output_block= cannot cut a text encoder\. Leave output_block= out\.$",
    ),
    "pooling": (
        lambda f, t: make(f, head=HeadConfig("pooled")),
        ConfigError,
        "needs the output pooled_output, but this encoder returns sequence_output",
    ),
    "pairs": (
        lambda f, t: make(f, make_texts(pairs=True)),
        ConfigError,
        "^A language model reads one text at a time",
    ),
    "pairs-of-a-length": (
        lambda f, t: make(f, make_texts(pairs=True, sequence_length=9)),
        ConfigError,
        "^A language model reads one text at a time",
    ),
    "missing": (
        lambda f, t: make(t / "absent"),
        RunError,
        r"^No language model at '\S+absent'\. Expected a folder that .* wrote",
    ),
    "something-else": (
        lambda f, t: make(t),
        RunError,
        "^No language model at ",
    ),
    "damaged": (
        lambda f, t: make(damaged(f, t)),
        RunError,
        r"^The language model at '\S+' is damaged: vocabulary\.txt is missing or has changed",
    ),
    "missing-for-images": (
        lambda f, t: make(t / "absent", make_tiny_data()),
        RunError,
        "^No language model at ",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_mistake_gets_one_clear_sentence(folder, tmp_path, name):
    act, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        act(folder, tmp_path)

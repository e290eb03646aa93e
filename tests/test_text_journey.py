"""Texts from end to end: tokens or strings into a TF-Hub module, words into a language model."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

import keras_tl as ktl
from keras_tl.backbones.texts import WordPiecePreprocessor
from keras_tl.base.config import Phase
from keras_tl.base.files import sha256_of_folder
from keras_tl.errors import BackboneError, ConfigError, DataError, RunError
from keras_tl.export.verification import verify
from keras_tl.learner.reporting import facts
from keras_tl.testing.cases import randomise_head
from tests import hub_modules, language_models
from tests.conftest import make_tiny_data

WORDS = {"good": ["good", "good film", "the good film"], "bad": ["bad", "bad film .", "the bad s"]}


def make_texts(pairs=False, per_class=18, **options):
    """Two classes that one word tells apart; of pairs, the second text tells."""
    texts, labels = [], []
    for label, phrases in WORDS.items():
        for number in range(per_class):
            phrase = phrases[number % 3] + " film" * (number // 9)
            texts.append(("the film", phrase) if pairs else phrase)
            labels.append(label)
    options = {"validation_split": 0, "verbose": False} | options
    return ktl.TextData.from_arrays(texts, labels, **options)


class Modules(dict):
    """Folders of modules by name, each made when it is first asked for."""

    def __init__(self, folder):
        super().__init__(vocabulary=hub_modules.write_vocabulary(folder / "vocab.txt"))
        self._folder = folder

    def __missing__(self, name):
        self[name] = MAKERS[name](self._folder / name, self["vocabulary"])
        return self[name]


MAKERS = {
    "encoder": lambda folder, vocabulary: hub_modules.make_encoder(folder),
    "seeded": lambda folder, vocabulary: hub_modules.make_encoder(folder, seeded=True),
    "plain": lambda folder, vocabulary: hub_modules.make_encoder(folder, dropout=0.0),
    "fixed": lambda folder, vocabulary: hub_modules.make_encoder(folder, length=10),
    "preprocess": hub_modules.make_preprocessor,
    "strings": lambda folder, vocabulary: hub_modules.make_text_module(folder),
    "words": lambda folder, vocabulary: language_models.save_language_model(folder),
    "images": lambda folder, vocabulary: hub_modules.make_image_module(folder),
}


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    return Modules(tmp_path_factory.mktemp("modules"))


# The backbone, its preprocessor, whether items are pairs.
CASES = {
    "hub": ("encoder", "preprocess", False),
    "vocabulary": ("encoder", "vocabulary", False),
    "fixed": ("fixed", "vocabulary", False),
    "pairs": ("encoder", "preprocess", True),
    "strings": ("strings", None, False),
    "seeded": ("seeded", "vocabulary", False),
    "plain": ("plain", "vocabulary", False),
    "ulmfit": ("words", None, False),
}


def make_learner(modules, name, data=None, **options):
    backbone, preprocessor, pairs = CASES[name]
    given = None
    if preprocessor is not None:
        given = str(modules[preprocessor])
        given = given if preprocessor == "vocabulary" else f"tfhub:{given}"
    kind = "ulmfit" if name == "ulmfit" else "tfhub"
    learner = ktl.Learner(
        f"{kind}:{modules[backbone]}",
        data or make_texts(pairs),
        preprocess=given,
        **({"seed": 0, "verbose": False} | options),
    )
    randomise_head(learner)
    return learner


def weights_of(model):
    return {weight.path: weight.numpy() for weight in model.weights}


# In the fast tier, the checks of conformance run on texts.
@pytest.mark.slow
@pytest.mark.parametrize("name", ["hub", "pairs", "fixed", "strings", "ulmfit"])
def test_a_journey(modules, name, tmp_path):
    # The head of a language model is another: the last, the maximum and the mean, and BatchNorm.
    head = None if name == "ulmfit" else ktl.HeadConfig(dropout=0.0)
    learner = make_learner(modules, name, head=head)
    pairs = learner.data.is_pair
    before = weights_of(learner.backbone)
    learner.fit_head(epochs=80, learning_rate=0.2, batch_size=8)
    after = weights_of(learner.backbone)
    assert all(np.array_equal(before[path], after[path]) for path in before)
    assert learner.evaluate("train")["accuracy"] >= 0.8
    learner.fine_tune(1)
    assert any(
        not np.array_equal(before[path], value)
        for path, value in weights_of(learner.backbone).items()
    )
    asked = [("the", "good film"), ("film", "s")] if pairs else ["good film", "s"]
    answers = learner.predict(asked)
    assert answers[0].label == "good"
    assert answers[0].source == ("the | good film" if pairs else "good film")
    width = 3 * language_models.WIDTH if name == "ulmfit" else hub_modules.WIDTH
    assert learner.features(asked).shape == (2, width)

    learner.save(tmp_path / "run")
    loaded = ktl.Learner.load(tmp_path / "run", data=learner.data, verbose=False)
    assert loaded.config == learner.config
    np.testing.assert_array_equal(loaded.predict(asked).probabilities, answers.probabilities)
    loaded.fine_tune(1)
    assert [record.phase.name for record in loaded.history] == ["head", "fine-tune", "fine-tune"]

    version = learner.export(tmp_path / "model")  # It raises unless it has verified itself.
    signatures = tf.saved_model.load(str(version)).signatures
    assert ("tokens" in signatures) == (name != "strings")
    served = signatures["serving_default"]
    texts = {"text", "text_pair"} if pairs else {"text"}
    assert set(served.structured_input_signature[1]) == texts
    columns = zip(*asked, strict=True) if pairs else [asked]
    given = {key: tf.constant(column) for key, column in zip(sorted(texts), columns, strict=True)}
    np.testing.assert_allclose(served(**given)["probabilities"], answers.probabilities, atol=1e-5)
    # A module's vocabulary is an asset; ours is in the graph.
    vocabularies = [f for f in (version / "assets").iterdir() if f.name != "labels.txt"]
    assert len(vocabularies) == (name in ("hub", "pairs", "strings"))
    for file in vocabularies:
        file.unlink()
        assert verify(version).problems == (f"assets/{file.name} is missing",)
    learner.report(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert ("texts of any length" if name == "strings" else "tokens") in page
    assert f"{len(learner.data.split('test'))} texts of the test split" in page


@pytest.mark.slow
def test_cached_features_are_those_of_the_live_model(modules):
    learner = make_learner(modules, "hub")
    split = learner.data.split("train")
    cached = learner.features(list(split.texts))
    tokens = learner.serving_model.preprocessor(list(split.texts))
    # Padding to the whole length changes nothing.
    np.testing.assert_allclose(learner.trainer.parts.extractor(tokens), cached, atol=1e-5)
    assert np.abs(cached).max() > 0


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights(modules):
    def train(seed):
        # The dropout of some modules has seeds of its own that nobody can set.
        learner = make_learner(modules, "seeded", seed=seed)
        learner.fit_head(epochs=2)
        learner.fine_tune(1)
        return learner.trainer.parts.head.get_weights()

    first, again, other = train(0), train(0), train(1)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


@pytest.mark.slow
def test_two_replicas_learn_what_one_learns(modules):
    features, weights = [], []
    for strategy in ("single", "mirrored"):
        data, head = make_texts(test_split=0), ktl.HeadConfig(dropout=0.0)
        learner = make_learner(modules, "plain", data, strategy=strategy, head=head)
        train = data.split("train")
        assert len(train) % 2 == 0
        features.append(learner.features(list(train.texts)))
        learner.fit_head(1, learning_rate=0.0)
        step = Phase(
            "step",
            epochs=1,
            learning_rate=0.1,
            unfreeze="all",
            optimizer="sgd",
            batch_size=len(train),
        )
        before = learner.backbone.get_weights()
        learner.fine_tune(policy=step)
        assert not all(map(np.array_equal, before, learner.backbone.get_weights()))
        weights.append(learner.model.get_weights())
        assert np.isfinite(learner.evaluate("train")["loss"])
    np.testing.assert_allclose(*features, atol=1e-6)
    for one, two in zip(*weights, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)


def test_the_length_is_chosen_from_the_texts_unless_given(modules):
    short = make_learner(modules, "vocabulary")
    assert short.config.sequence_length == 16
    texts = ["good " * 40, "bad " * 40] * 8
    data = ktl.TextData.from_arrays(texts, [0, 1] * 8, verbose=False)
    assert make_learner(modules, "vocabulary", data).config.sequence_length == 48
    given = make_texts(sequence_length=9)
    assert make_learner(modules, "vocabulary", given).config.sequence_length == 9
    assert make_learner(modules, "fixed").config.sequence_length == 10


def test_the_vocabulary_says_whether_it_is_of_lower_case(modules, tmp_path):
    assert "lower_case=True" in WordPiecePreprocessor(modules["vocabulary"]).identity
    cased = hub_modules.write_vocabulary(tmp_path / "cased.txt", words=("Good", "bad"))
    assert "lower_case=False" in WordPiecePreprocessor(cased).identity


@pytest.mark.slow
def test_another_learner_and_a_run_give_their_encoder(modules, tmp_path):
    source = make_learner(modules, "hub")
    source.fit_head(epochs=1)
    source.fine_tune(1, learning_rate=0.01)
    source.save(tmp_path / "run")
    data = ktl.TextData.from_arrays(["good", "bad", "film"] * 8, [0, 1, 2] * 8, verbose=False)
    for backbone in (source, f"run:{tmp_path / 'run'}"):
        learner = ktl.Learner(backbone, data, seed=0, verbose=False)
        theirs, ours = weights_of(source.backbone), weights_of(learner.backbone)
        assert all(
            np.array_equal(a, b) for a, b in zip(theirs.values(), ours.values(), strict=True)
        )
        learner.fit_head(epochs=1)
        assert learner.predict("good").probabilities.shape == (1, 3)


def test_a_run_holds_the_module_and_notices_a_change(modules, tmp_path):
    learner = make_learner(modules, "hub")
    known = facts(learner._state)
    assert known.pretraining.module_sha256 == sha256_of_folder(modules["encoder"])
    assert known.tokenizer == "tfhub"
    learner.save(tmp_path / "run")
    assert facts(ktl.Learner.load(tmp_path / "run", verbose=False)._state) == known
    sums = json.loads((tmp_path / "run" / "checksums.json").read_text())
    assert "module/saved_model.pb" in sums
    assert "preprocessor/preprocessor.json" in sums
    program = tmp_path / "run" / "module" / "saved_model.pb"
    program.write_bytes(program.read_bytes() + b"\0")
    with pytest.raises(
        RunError, match=r"damaged: module/saved_model\.pb is missing or has changed"
    ):
        ktl.Learner.load(tmp_path / "run")


@pytest.mark.slow
def test_a_loaded_run_can_be_saved_over_itself(modules, tmp_path):
    make_learner(modules, "hub").save(tmp_path / "run")
    learner = ktl.Learner.load(tmp_path / "run", verbose=False)
    expected = learner.predict("good").probabilities
    learner.save(tmp_path / "run")
    again = ktl.Learner.load(tmp_path / "run", verbose=False)
    np.testing.assert_array_equal(again.predict("good").probabilities, expected)


@pytest.mark.slow
def test_a_run_needs_nothing_of_what_it_was_made_of(modules, tmp_path):
    copied = dict(modules)
    for name in ("encoder", "preprocess"):
        copied[name] = shutil.copytree(modules[name], tmp_path / name)
    learner = make_learner(copied, "hub")
    learner.save(tmp_path / "run")
    expected = learner.predict("good").probabilities
    for name in ("encoder", "preprocess"):
        shutil.rmtree(copied[name])
    moved = (tmp_path / "run").rename(tmp_path / "elsewhere")
    loaded = ktl.Learner.load(moved, verbose=False)
    np.testing.assert_array_equal(loaded.predict("good").probabilities, expected)


# The checks of conformance run on one in the fast tier too.
@pytest.mark.slow
def test_a_module_for_images(modules, tmp_path):
    learner = ktl.Learner(
        f"tfhub:{modules['images']}", make_tiny_data(size=16), image_size=16, verbose=False, seed=0
    )
    learner.fit_head(epochs=1)
    learner.fine_tune(1)
    learner.save(tmp_path / "run")
    loaded = ktl.Learner.load(tmp_path / "run", verbose=False)
    images = learner.data.split("test").images
    np.testing.assert_array_equal(
        loaded.predict(images).probabilities, learner.predict(images).probabilities
    )
    learner.export(tmp_path / "model")  # It raises unless it has verified itself.


# What is asked for, and what the message says.
WRONG = {
    "texts-for-images": (
        lambda m: ktl.Learner("efficientnet_lite0", make_texts(), verbose=False),
        BackboneError,
        r"'efficientnet_lite0' takes images, but the data are texts\. For texts, pass an encoder",
    ),
    "images-for-texts": (
        lambda m: ktl.Learner(f"tfhub:{m['encoder']}", make_tiny_data(), verbose=False),
        BackboneError,
        "takes texts, but the data are images",
    ),
    "unknown-preprocessor": (
        lambda m: ktl.Learner(f"tfhub:{m['encoder']}", make_texts(), verbose=False),
        BackboneError,
        r"does not know the preprocessing .* Pass preprocess=",
    ),
    "no-vocabulary": (
        lambda m: ktl.Learner(
            f"tfhub:{m['encoder']}", make_texts(), preprocess="no.txt", verbose=False
        ),
        ConfigError,
        r"Cannot read the vocabulary 'no\.txt'",
    ),
    "module-without-its-kind": (
        lambda m: ktl.Learner(str(m["encoder"]), make_texts(), verbose=False),
        BackboneError,
        r"'tfhub:\S+encoder' for a TF-Hub module",
    ),
    "preprocessor-without-its-kind": (
        lambda m: ktl.Learner(
            f"tfhub:{m['encoder']}",
            make_texts(),
            preprocess=str(m["preprocess"]),
            verbose=False,
        ),
        ConfigError,
        r"contains no vocab\.txt .*If the folder contains a preprocessing module, "
        r"pass 'tfhub:\S+preprocess'\.",
    ),
    "preprocessor-for-strings": (
        lambda m: ktl.Learner(
            f"tfhub:{m['strings']}", make_texts(), preprocess="no.txt", verbose=False
        ),
        ConfigError,
        "takes texts, not tokens",
    ),
    "preprocessor-for-images": (
        lambda m: ktl.Learner(
            "vgg16", make_tiny_data(), weights=None, preprocess="v.txt", verbose=False
        ),
        ConfigError,
        r"For images, preprocess= is only for a keras\.Model",
    ),
    "length-of-a-fixed-one": (
        lambda m: make_learner(m, "fixed", make_texts(sequence_length=20)),
        ConfigError,
        r"takes 10 tokens\. Received sequence_length=20",
    ),
    "pooling": (
        lambda m: make_learner(m, "vocabulary", head=ktl.HeadConfig("flatten")),
        ConfigError,
        "pooling='flatten' is for images",
    ),
    "output-block": (
        lambda m: make_learner(m, "vocabulary", output_block="layer_0"),
        BackboneError,
        "cannot cut a TF-Hub module",
    ),
    "weights": (
        lambda m: make_learner(m, "vocabulary", weights="some.h5"),
        ConfigError,
        "a TF-Hub module, a preset of KerasHub, a language model and a keras.Model have their own",
    ),
    "no-module": (
        lambda m: ktl.Learner("tfhub:absent", make_texts(), verbose=False),
        BackboneError,
        r"no folder 'absent'.*Without internet access",
    ),
    "augmentation": (
        lambda m: make_learner(m, "vocabulary").fit_head(augment="standard"),
        ConfigError,
        "augment= works only for images",
    ),
    "texts-for-pairs": (
        lambda m: make_learner(m, "pairs").predict("good"),
        DataError,
        r"Expected pairs \(text, text_pair\)",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_gets_one_clear_sentence(modules, name):
    act, error, message = WRONG[name]
    with pytest.raises(error, match=message):
        act(modules)


def test_an_augmentation_is_refused_before_the_head_is_trained(modules):
    learner = make_learner(modules, "vocabulary")
    with pytest.raises(ConfigError, match="augment= works only for images"):
        learner.fit(augment="standard")
    assert len(learner.history) == 0


def test_a_run_of_texts_refuses_images(modules, tmp_path):
    make_learner(modules, "vocabulary").save(tmp_path / "run")
    with pytest.raises(DataError, match="The run is for texts, but the data have other items"):
        ktl.Learner.load(tmp_path / "run", data=make_tiny_data())

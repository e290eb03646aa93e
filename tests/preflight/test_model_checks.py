"""What shows when real items meet a model: ranges, sizes, dead layers, unknown and cut texts."""

import dataclasses
import re
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_tl as ktl
from keras_tl.backbones.loading import seeded
from keras_tl.backbones.texts import HubPreprocessor, KerasHubPreprocessor
from keras_tl.backbones.texts.words.marks import MARKS
from keras_tl.backbones.texts.words.preprocessor import WordPreprocessor
from keras_tl.backbones.texts.words.vocabulary import Vocabulary
from keras_tl.learner.checking import context
from keras_tl.preflight.checks import CHECKS, run_checks
from keras_tl.preflight.context import CheckContext, CheckedModel
from keras_tl.preflight.findings import NotChecked
from keras_tl.preflight.input_statistics import first_statistics
from keras_tl.tasks import TASKS
from keras_tl.tasks.multiclass import Multiclass
from tests import hub_modules, kerashub_presets
from tests.conftest import small_network
from tests.preflight_data import SIDE, changed, make_learner, subject_of


def look(learner, data):
    return run_checks(subject_of(learner, data))


def test_clean_data_and_a_clean_model_show_nothing(clean, learner):
    found = look(learner, clean)
    assert (tuple(found), found.not_checked) == ((), {})


def scaled(data, factor):
    for name, split in data.splits.items():
        data = changed(data, name, images=factor * split.images)
    return data


def test_pixels_in_0_1_are_found_twice(clean, learner):
    # As files or integers would give them: arrays of fractions are refused before.
    found = look(learner, scaled(clean, 1 / 255))
    assert set(found.names) >= {"pixel-range", "preprocessing"}
    assert "100% of 32 training images are black" in found[found.names.index("pixel-range")].what
    assert look(learner, scaled(clean, 0.2)).names == ()


# The share of images that are black, the brightness of the others; whether it is found.
@pytest.mark.parametrize(
    ("share", "factor", "is_found"),
    [(0.7, 1, True), (0.3, 1, False), (0, 0.005, True), (0, 0.1, False)],
)
def test_black_images_are_found(clean, share, factor, is_found):
    is_black = np.arange(120) % 10 < 10 * share
    images = np.where(is_black[:, None, None, None], 0, factor * clean.splits["train"].images)
    found = CHECKS["pixel-range"](CheckContext(changed(clean, "train", images=images)))
    assert (found is not None) == is_found


class Summed(Multiclass):
    kind = "a sum"

    def loss(self, smoothing=0.0, soft=False):
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum")


class SoftmaxTwice(Multiclass):
    kind = "softmax twice"

    def loss(self, smoothing=0.0, soft=False):
        right = super().loss(smoothing, soft)
        # Times 1, as Keras sees through an activation that is the very last operation.
        return lambda targets, logits: right(targets, 1.0 * keras.ops.softmax(logits))


def of_task(task, data, monkeypatch):
    """A learner of a task that a user has registered."""
    monkeypatch.setitem(TASKS, task.kind, task)
    return make_learner(dataclasses.replace(data, task=task.kind))


@pytest.mark.parametrize(
    ("make_task", "name", "says"),
    [
        (Summed, "initial-loss", "The untrained head has a loss of "),
        (SoftmaxTwice, "one-batch", "cannot memorise 16 training items: its loss went from"),
    ],
)
def test_a_loss_that_does_not_match_the_head_is_found(clean, monkeypatch, make_task, name, says):
    found = {finding.name: finding for finding in of_task(make_task, clean, monkeypatch).check()}
    assert found[name].severity == "warning"
    assert says in found[name].what


# The scale of the features, the factor of the loss; whether it is found.
@pytest.mark.parametrize(
    ("scale", "factor", "is_found"), [(30, 1, False), (30, 1.03, True), (1, 0.97, True)]
)
def test_the_initial_loss_is_compared_absolutely(clean, monkeypatch, scale, factor, is_found):
    weighted = type("Weighted", (Multiclass,), {"kind": "weighted", "loss_weight": factor})
    learner = of_task(weighted, clean, monkeypatch)
    kernel = learner.backbone.network.layers[-1].get_layer("second").kernel
    kernel.assign(scale * kernel)
    found = CHECKS["initial-loss"](context(learner._state, "sample"))
    assert (found is not None) == is_found
    if is_found:
        assert f"has a loss of {factor * np.log(3):.3g}. Expected 1.1" in found.what


def test_a_head_that_keras_trained_has_no_initial_loss(clean):
    learner = make_learner(clean)
    learner.trainer.parts.head.get_layer("logits").bias.assign([0.1, 0.0, 0.0])
    with pytest.raises(NotChecked, match="trained"):
        CHECKS["initial-loss"](context(learner._state, "sample"))


def test_a_narrow_hidden_layer_is_no_fault(clean):
    learner = make_learner(clean, head=ktl.HeadConfig(hidden=(2,)))
    assert CHECKS["one-batch"](context(learner._state, "sample")) is None


@pytest.mark.parametrize(
    ("value", "name", "severity"),
    [(0.0, "constant-features", "warning"), (np.nan, "non-finite-features", "error")],
)
def test_a_dead_backbone_is_found(clean, value, name, severity):
    learner = make_learner(clean)
    kernel = learner.backbone.network.layers[-1].get_layer("second").kernel
    kernel.assign(tf.fill(kernel.shape, value))
    found = look(learner, clean)
    assert [(x.name, x.severity) for x in found] == [(name, severity)]


def with_scaling():
    inputs = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(1 / 127.5, -1)(inputs)
    return keras.Model(inputs, keras.layers.Conv2D(8, 3, strides=2, name="first")(x))


def without_scaling():
    inputs = keras.Input((None, None, 3))
    return keras.Model(inputs, keras.layers.Conv2D(8, 3, strides=2, name="first")(inputs))


def trained_on_tf(pixels):
    """The small network with the statistics of its first BatchNorm as of pixels in [-1, 1]."""
    network = small_network()
    given = network.get_layer("first")(pixels / 127.5 - 1).numpy()
    norm = network.get_layer("first_norm")
    norm.moving_mean.assign(given.mean(axis=(0, 1, 2)))
    norm.moving_variance.assign(given.var(axis=(0, 1, 2)))
    return network


# A network (some know the pixels they were trained on), preprocess=, whether it is wrong.
PREPROCESSING = {
    "own-scaling": (lambda x: with_scaling(), "none", False),
    "scaled-twice": (lambda x: with_scaling(), "tf", True),
    "as-it-expects": (lambda x: without_scaling(), "torch", False),
    "raw-around-0": (lambda x: without_scaling(), "caffe", False),
    "raw": (lambda x: without_scaling(), "none", True),
    "trained": (trained_on_tf, "tf", False),
    "trained-elsewhere": (trained_on_tf, "lite", False),
    "trained-not-raw": (trained_on_tf, "none", True),
    "trained-not-caffe": (trained_on_tf, "caffe", True),
}


@pytest.mark.parametrize("name", PREPROCESSING)
def test_wrong_preprocessing_is_found(clean, name):
    make, preprocess, is_wrong = PREPROCESSING[name]
    with seeded(0):
        network = make(clean.splits["train"].images)
    options = {"image_size": SIDE, "preprocess": preprocess, "seed": 0, "verbose": False}
    learner = ktl.Learner(network, clean, **options)
    inside = CheckedModel(
        learner.config,
        learner.trainer.parts,
        learner.trainer.parts.modality,
        learner.trainer,
        "none",
    )
    found = CHECKS["preprocessing"](CheckContext(clean, inside))
    assert (found is not None) == is_wrong
    if is_wrong:
        assert "preprocess=" in found.action


def test_how_far_off_a_first_normalisation_is(clean):
    pixels = clean.splits["train"].images
    with seeded(0):
        network = trained_on_tf(pixels)
    options = {"image_size": SIDE, "preprocess": "tf", "seed": 0, "verbose": False}
    learner = ktl.Learner(network, clean, **options)
    norm = learner.backbone.network.layers[-1].get_layer("first_norm")
    variance, norm.epsilon = norm.moving_variance.numpy(), 1e-9
    looked_at = context(learner._state, "none")
    found = {}
    for ratio in (0.1, 0.2, 4, 8):
        norm.moving_variance.assign(variance / ratio**2)
        found[ratio] = CHECKS["preprocessing"](looked_at) is not None
    assert found == {0.1: True, 0.2: False, 4: False, 8: True}


def test_statistics_are_those_of_the_first_layer_even_deep_inside(clean):
    pixels = clean.splits["train"].images
    network = trained_on_tf(pixels)
    outer = keras.Sequential([keras.Input((SIDE, SIDE, 3)), keras.layers.Rescaling(2.0), network])
    layer, ratio = first_statistics(outer, pixels / 127.5 - 1)
    assert layer == "first_norm"
    assert ratio == pytest.approx(2.0, rel=0.02)


# Side of the images and of the model, whether its weights are of 224 pixels, what is said.
SIZES = {
    "as-they-are": (16, 16, False, None),
    "three-times": (16, 48, False, None),
    "enlarged": (16, 64, False, "The median image has 16 x 16 pixels and is enlarged 4.0 times"),
    "small-model": (
        120,
        96,
        True,
        "takes 96 x 96 pixels, but its weights were trained at 224 x 224",
    ),
    "half": (120, 112, True, None),
    "seven-times": (224, 32, False, None),
    "shrunk": (
        256,
        32,
        False,
        "The median image has 256 x 256 pixels and is shrunk 8.0 times to 32",
    ),
    "shrunk-small-model": (768, 96, True, "is shrunk 8.0 times to 96 x 96"),
}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_far_from_each_other_are_noted(clean, learner, name):
    side, wanted, is_lite, says = SIZES[name]
    backbone = "efficientnet_lite0" if is_lite else "own"
    config = types.SimpleNamespace(image_size=(wanted, wanted), backbone=backbone)
    inside = dataclasses.replace(CheckedModel(None, None, None, None, "none"), config=config)
    data = changed(clean, "train", images=np.zeros((1, side, side, 3), np.uint8))
    found = CHECKS["image-size"](CheckContext(data, inside))
    assert (found is not None) == bool(says)
    if says:
        assert found.severity == "note"
        assert says in found.what
    # Random weights were trained at no size.
    found = CHECKS["image-size"](CheckContext(data, dataclasses.replace(inside, is_random=True)))
    assert "trained at" not in getattr(found, "what", "")


def test_sizes_of_files_are_read_from_their_headers(clean, tmp_path):
    for number in range(6):
        folder = tmp_path / "ab"[number % 2]
        folder.mkdir(exist_ok=True)
        pixels = np.full((20, 30, 3), number, np.uint8)
        content = tf.io.encode_jpeg(pixels) if number % 3 else tf.io.encode_png(pixels)
        (folder / f"{number}.img.jpg").write_bytes(content.numpy())
    options = {"test_split": 0, "validation_split": 0, "check_files": False, "verbose": False}
    data = ktl.ImageData.from_folder(tmp_path, **options)
    config = types.SimpleNamespace(image_size=(224, 112), backbone="own")
    inside = dataclasses.replace(CheckedModel(None, None, None, None, "none"), config=config)
    found = CHECKS["image-size"](CheckContext(data, inside))
    assert "30 x 20 pixels and is enlarged 11.2 times to 112 x 224" in found.what


WORDS = ("good", "bad", "film", "the")


def look_at_texts(texts, length, pairs=None):
    items = texts if pairs is None else list(zip(texts, pairs, strict=True))
    labels = [number % 2 for number in range(len(items))]
    data = ktl.TextData.from_arrays(
        items, labels, test_split=0, validation_split=0, max_bad=1, verbose=False
    )
    preprocessor = WordPreprocessor(Vocabulary([*MARKS, *WORDS]), length)
    modality = types.SimpleNamespace(preprocessor=preprocessor)
    context = CheckContext(data, CheckedModel(None, None, modality, None, "none"))
    return [CHECKS[name](context) for name in ("unknown-tokens", "truncated-texts")]


# Texts; what is said of unknown tokens, of truncated texts. Each text has a mark in front.
TEXTS = {
    "clean": (["the good film", "the bad film"] * 50, None, None),
    "few-unknown": (["the good film"] * 84 + ["the ugly film"] * 16, None, None),
    "some-unknown": (
        ["the good film"] * 68 + ["the ugly film"] * 32,
        "8% of the tokens of the training texts are not in the encoder's vocabulary, with the "
        "largest share in 'the ugly film'.",
        None,
    ),
    "unknown": (["the good film", "le film bon"] * 50, "25% of the tokens", None),
    "just-as-long": (["the good bad film"] * 100, None, None),
    "few-long": (["the good film"] * 96 + ["the good bad film the good film"] * 4, None, None),
    "long": (
        ["the good film"] * 90 + ["the good bad film the good film the"] * 10,
        None,
        "10% of the training texts have more than 5 tokens (median 4, longest 9): 9% of all",
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_unknown_and_truncated_texts_are_found(name):
    texts, *expected = TEXTS[name]
    for found, says in zip(look_at_texts(texts, 5), expected, strict=True):
        assert (found is not None) == bool(says)
        if says:
            assert found.severity == "warning"
            assert says in found.what
            assert ("lower_case=False" in found.action) == (found.name == "unknown-tokens")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A preprocessing module that cuts texts to eight tokens itself."""
    folder = tmp_path_factory.mktemp("whole")
    vocabulary = hub_modules.write_vocabulary(folder / "vocab.txt")
    made = hub_modules.make_preprocessor(folder / "module", vocabulary, parts=False)
    return HubPreprocessor(made)


@pytest.fixture(scope="module")
def strings(tmp_path_factory):
    """An encoder of strings."""
    return hub_modules.make_text_module(tmp_path_factory.mktemp("strings") / "module")


@pytest.mark.parametrize(("words", "says"), [(6, "10% of the training texts fill all"), (5, None)])
def test_what_a_module_cuts_off_is_not_called_nothing(words, says, whole):
    texts = ["the good film"] * 90 + ["film " * words] * 10
    data = ktl.TextData.from_arrays(
        texts, [0, 1] * 50, test_split=0, validation_split=0, verbose=False
    )
    modality = types.SimpleNamespace(preprocessor=whole)
    found = CHECKS["truncated-texts"](
        CheckContext(data, CheckedModel(None, None, modality, None, "none"))
    )
    assert (found and found.what[: len(says)]) == says
    if says:
        assert found.severity == "warning"
        assert "does not say how much of each text it cuts off" in found.what


def test_an_unknown_token_that_nothing_tells_is_a_warning():
    data = ktl.TextData.from_arrays(["a", "b"] * 5, [0, 1] * 5, test_split=0, verbose=False)
    modality = types.SimpleNamespace(preprocessor=types.SimpleNamespace(unknown_token=None))
    found = CHECKS["unknown-tokens"](
        CheckContext(data, CheckedModel(None, None, modality, None, "none"))
    )
    assert found.severity == "warning"
    assert "The unknown token of this preprocessor could not be found" in found.what


OTHER_TOKENS = {
    "same": (["good film", "the bad"] * 50, {}, None),
    "few": (["good film"] * 199 + ["Good"], {"lower": True}, None),
    "lower-case": (["good film", "the Bad"] * 50, {"lower": True}, "50% of the training texts"),
    "other-pieces": (["good film", "the bad"] * 50, {"merges": False}, "100% of the training"),
    "cut": (["good film " * 30, "the bad"] * 50, {}, None),
}


@pytest.mark.parametrize("name", OTHER_TOKENS)
def test_tokens_that_are_not_the_publisher_s_are_found(name, roberta, tmp_path):
    texts, changes, says = OTHER_TOKENS[name]
    data = ktl.TextData.from_arrays(
        texts, [0, 1] * (len(texts) // 2), test_split=0, validation_split=0, verbose=False
    )
    file = tmp_path / "tokenizer.json"
    roberta.reference = kerashub_presets.write_roberta_tokenizer(file, **changes)
    modality = types.SimpleNamespace(preprocessor=roberta)
    found = CHECKS["other-tokens"](
        CheckContext(data, CheckedModel(None, None, modality, None, "none"))
    )
    assert (found and found.what[: len(says)]) == says
    assert found is None or "such as 'the Bad'" in found.what or "'good film'" in found.what


@pytest.fixture(scope="module")
def roberta(tmp_path_factory):
    """A preprocessor of KerasHub's that is not WordPiece."""
    keras_hub = pytest.importorskip("keras_hub", reason="it needs a newer Keras than ours may be")
    preset = kerashub_presets.make_roberta(tmp_path_factory.mktemp("presets") / "roberta")
    theirs = keras_hub.models.TextClassifierPreprocessor.from_preset(str(preset))
    return KerasHubPreprocessor(theirs, sequence_length=12)


# Texts for an encoder of strings that knows "good", "bad", "film" and "the"; the share it does not.
STRINGS = {
    "known": (["the good film", "the bad film"] * 10, None),
    "one": (["the good film"] * 10 + ["the ugly film"] * 10, "17% of the words"),
    "all": (["le bon", "ce soir"] * 10, "100% of the words"),
}


@pytest.mark.parametrize("name", STRINGS)
def test_words_that_an_encoder_of_strings_does_not_know(name, strings):
    texts, says = STRINGS[name]
    data = ktl.TextData.from_arrays(
        texts, [0, 1] * 10, test_split=0, validation_split=0, verbose=False
    )
    learner = ktl.Learner(f"tfhub:{strings}", data, seed=0, verbose=False)
    looked_at = context(learner._state, "none")
    found = CHECKS["unknown-tokens"](looked_at)
    assert (found and found.what[: len(says)]) == says
    with pytest.raises(NotChecked, match="makes its tokens itself"):
        CHECKS["truncated-texts"](looked_at)


# More words than are asked, in an order of their own: Latin ones come first in the alphabet.
LATIN = [f"word{number}" for number in range(2200)]
MANY_WORDS = {
    # The encoder knows the Latin words only.
    "half-unknown": (["слово"], "5[0-9]% of the words"),
    "frequent-and-known": (["word0"], None),
    "many-cyrillic": ([f"слово{number}" for number in range(50)], "5[0-9]% of the words"),
}


@pytest.fixture(scope="module")
def latin(tmp_path_factory):
    return hub_modules.make_text_module(tmp_path_factory.mktemp("latin") / "module", words=LATIN)


@pytest.mark.parametrize("name", MANY_WORDS)
def test_of_many_words_the_most_frequent_are_asked(name, latin):
    others, says = MANY_WORDS[name]
    size = len(others)
    # Each text has four other words and four Latin ones, each of which comes once or twice.
    texts = [
        " ".join([LATIN[(4 * n + i) % 2200] for i in range(4)] + [others[n % size]] * 4)
        for n in range(800)
    ]
    data = ktl.TextData.from_arrays(
        texts, [0, 1] * 400, test_split=0, validation_split=0, verbose=False
    )
    learner = ktl.Learner(f"tfhub:{latin}", data, seed=0, verbose=False)
    found = CHECKS["unknown-tokens"](context(learner._state, "none"))
    assert (found is not None) == bool(says)
    assert found is None or re.match(says, found.what)
    assert found is None or found.action == "Use an encoder for this language."


def test_a_check_that_fails_is_named_and_stops_nothing(clean, monkeypatch):
    def broken(context):
        raise ZeroDivisionError("of ours")

    monkeypatch.setitem(CHECKS, "few-items", broken)
    found = run_checks(CheckContext(clean))
    assert found.not_checked["few-items"] == "the check failed, ZeroDivisionError: of ours"
    assert found.names == ()

"""Presets of KerasHub as backbones: what they take, what they give, and what is kept of them."""

import shutil
import types

import keras
import numpy as np
import pytest

import keras_tl as ktl
from keras_tl.backbones.kerashub.loading import load_kerashub
from keras_tl.backbones.kerashub.tokens import find_preprocessor
from keras_tl.backbones.texts import (
    KerasHubPreprocessor,
    WordPiecePreprocessor,
    load_preprocessor,
)
from keras_tl.base.config import Phase
from keras_tl.errors import BackboneError, ConfigError
from keras_tl.models.sources import find_backbone
from keras_tl.preflight.checks import CHECKS
from keras_tl.preflight.context import CheckContext, CheckedModel
from keras_tl.preflight.findings import NotChecked
from tests import hub_modules, kerashub_presets
from tests.conftest import make_tiny_data
from tests.test_text_journey import make_texts

keras_hub = pytest.importorskip("keras_hub", reason="it needs a newer Keras than ours may be")

TEXTS = ["good film", "the bad", "", "a much longer text that is cut off at some place"]
PAIRS = ["bad", "the good film", "film", "another text that has its own many words"]
MAKERS = {
    "bert": kerashub_presets.make_bert,
    "roberta": kerashub_presets.make_roberta,
    "resnet": kerashub_presets.make_resnet,
    "vit": kerashub_presets.make_vit,
}
ENCODERS, IMAGES = ("bert", "roberta"), ("resnet", "vit")
# TensorFlow takes long to trace its tokenizer.
SLOW_ROBERTA = pytest.param("roberta", marks=pytest.mark.slow)
BLOCKS = {
    "bert": ["embeddings", "layer_0", "layer_1"],
    "roberta": ["embeddings", "layer_0", "layer_1"],
    "resnet": ["P2", "P3"],
}


@pytest.fixture(scope="module")
def presets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("presets")
    return {name: make(folder / name) for name, make in MAKERS.items()}


def make_data(name):
    return make_texts() if name in ENCODERS else make_tiny_data(size=32)


def make_learner(presets, name, data=None, **options):
    return ktl.Learner(
        f"kerashub:{presets[name]}",
        data or make_data(name),
        **({"seed": 0, "verbose": False} | options),
    )


def theirs_of(preset, length):
    return keras_hub.models.TextClassifierPreprocessor.from_preset(
        str(preset), sequence_length=length
    )


@pytest.mark.parametrize("name", ["bert", SLOW_ROBERTA])
@pytest.mark.parametrize("pairs", [None, PAIRS])
def test_the_tokens_and_the_numbers_are_kerashub_s(presets, name, pairs):
    loaded = load_kerashub(str(presets[name]))
    tokens = loaded.preprocessor.with_length(16)(TEXTS, pairs)
    expected = theirs_of(presets[name], 16)((TEXTS, pairs) if pairs else TEXTS, None)
    np.testing.assert_array_equal(tokens["input_word_ids"], expected["token_ids"])
    np.testing.assert_array_equal(tokens["input_mask"], expected["padding_mask"])
    if "segment_ids" in expected:
        np.testing.assert_array_equal(tokens["input_type_ids"], expected["segment_ids"])
    given = {key: tokens[key] for key in loaded.network.input}
    found = loaded.network(given, training=False)
    wanted = keras_hub.models.Backbone.from_preset(str(presets[name]))(expected)
    wanted = wanted if isinstance(wanted, dict) else {"sequence_output": wanted}
    for key, value in wanted.items():
        np.testing.assert_allclose(found[key], value, atol=1e-5)


# What a tokenizer of KerasHub is made with; whether its tokens are BERT's.
OF_BERT = {
    "bert": ("BertTokenizer", {}, True),
    "distilbert": ("DistilBertTokenizer", {}, True),
    "electra": ("ElectraTokenizer", {}, True),
    "accents": ("BertTokenizer", {"strip_accents": True}, True),
    "cased": ("BertTokenizer", {"lowercase": False}, True),
    "chinese-words": ("BertTokenizer", {"split_on_cjk": False}, True),
    "not-split": ("BertTokenizer", {"split": False}, False),
    "other-pieces": ("BertTokenizer", {"suffix_indicator": "@@"}, False),
}


@pytest.mark.parametrize("name", OF_BERT)
def test_wordpiece_is_bert_s_whatever_kerashub_strips(name, tmp_path):
    kind, options, is_bert_s = OF_BERT[name]
    file = hub_modules.write_vocabulary(tmp_path / "vocab.txt")
    tokens = [*file.read_text("utf-8").split(), "[MASK]"]
    models = keras_hub.models
    tokenizer = getattr(models, kind)(tokens, **({"lowercase": True} | options))
    theirs = getattr(models, kind.replace("Tokenizer", "TextClassifierPreprocessor"), None)
    theirs = (theirs or models.BertTextClassifierPreprocessor)(tokenizer, sequence_length=9)
    found = find_preprocessor("a preset", lambda: theirs)
    assert isinstance(found, WordPiecePreprocessor if is_bert_s else KerasHubPreprocessor)
    assert found.sequence_length == 9
    if is_bert_s:
        lower_case = options.get("lowercase", True)
        assert found.rules.lower_case == found.rules.strip_accents == lower_case
        assert found.rules.split_cjk == options.get("split_on_cjk", True)
        words = [tokens[number] for number in found(["the GÒÓD film"])["input_word_ids"][0]]
        assert words[:4] == ["[CLS]", "the", "good" if lower_case else "[UNK]", "film"]


def test_the_publisher_s_tokenizer_is_known_where_kerashub_s_stands_in(presets, tmp_path):
    preset = str(presets["roberta"])
    theirs = keras_hub.models.TextClassifierPreprocessor.from_preset(preset)
    # A preset of KerasHub's has a tokenizer.json of its own kind.
    assert find_preprocessor(preset, lambda: theirs).reference is None
    file = kerashub_presets.write_roberta_tokenizer(tmp_path / "tokenizer.json")
    found = find_preprocessor(str(tmp_path), lambda: theirs)
    assert isinstance(found, KerasHubPreprocessor)
    assert found.with_length(9).reference == found.reference == file


# A preset, and whether the files of its publisher are out of sight.
HANDLES = {
    "hf://someone/encoder": True,
    "modelscope://someone/encoder": True,
    "kaggle://keras/bert/keras/encoder": False,
    "bert_tiny_en_uncased": False,
}


@pytest.mark.parametrize("name", ["bert", "roberta"])
@pytest.mark.parametrize("handle", HANDLES)
def test_files_out_of_sight_are_not_called_compared(handle, name, presets, tmp_path, monkeypatch):
    # A folder of the same name, which KerasHub does not look at.
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / handle
    folder.mkdir(parents=True)
    kerashub_presets.write_roberta_tokenizer(folder / "tokenizer.json")
    theirs = keras_hub.models.TextClassifierPreprocessor.from_preset(str(presets[name]))
    found = find_preprocessor(handle, lambda: theirs).with_length(9)
    assert found.reference is None
    data = make_texts()
    modality = types.SimpleNamespace(preprocessor=found)
    context = CheckContext(data, CheckedModel(None, None, modality, None, "none"))
    if HANDLES[handle]:
        with pytest.raises(NotChecked, match=rf"not read the tokenizer\.json of '{handle}'"):
            CHECKS["other-tokens"](context)
    else:
        assert CHECKS["other-tokens"](context) is None


def test_a_folder_whose_rules_are_not_bert_s_needs_another_preprocessor(presets, tmp_path):
    folder = shutil.copytree(presets["bert"], tmp_path / "preset")
    vocabulary = hub_modules.write_vocabulary(folder / "vocab.txt")
    (folder / "tokenizer_config.json").write_text('{"word_tokenizer_type": "mecab"}')
    with pytest.raises(ConfigError, match=r"rules that differ from BERT's .*pass preprocess="):
        load_kerashub(str(folder))
    given = WordPiecePreprocessor(shutil.copy(vocabulary, tmp_path), strip_accents=False)
    texts = make_texts().split("train")
    found = find_backbone(f"kerashub:{folder}", texts=texts, preprocess=given)
    assert found.preprocessor.rules == given.rules


@pytest.mark.slow
@pytest.mark.parametrize(("name", "pairs"), [("bert", None), ("bert", PAIRS), ("roberta", PAIRS)])
def test_the_count_of_tokens_is_what_would_be_made_of_a_whole_text(presets, name, pairs):
    preprocessor = load_kerashub(str(presets[name])).preprocessor
    whole = preprocessor.with_length(200)(TEXTS, pairs)["input_mask"]
    counts = preprocessor.with_length(8).token_counts(TEXTS, pairs)
    np.testing.assert_array_equal(counts, np.sum(whole, axis=1))


@pytest.mark.parametrize("name", ["bert", SLOW_ROBERTA])
def test_a_saved_preprocessor_makes_the_same_tokens(presets, name, tmp_path):
    preprocessor = load_kerashub(str(presets[name])).preprocessor.with_length(12)
    preprocessor.save(tmp_path / "saved")
    again = load_preprocessor(tmp_path / "saved")
    assert again.identity == preprocessor.identity
    assert again.identity != preprocessor.with_length(13).identity
    for key, value in preprocessor(TEXTS, PAIRS).items():
        np.testing.assert_array_equal(again(TEXTS, PAIRS)[key], value)


@pytest.mark.parametrize("name", IMAGES)
def test_the_pixels_are_prepared_as_kerashub_does(presets, name):
    loaded = load_kerashub(str(presets[name]))
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    converter = keras_hub.layers.ImageConverter.from_preset(str(presets[name]))
    backbone = keras_hub.models.Backbone.from_preset(str(presets[name]))
    expected = backbone(converter(pixels), training=False)
    np.testing.assert_allclose(loaded.network(pixels, training=False), expected, atol=1e-5)


@pytest.mark.parametrize("name", ["bert", SLOW_ROBERTA, "resnet"])
def test_the_blocks_are_the_layers(presets, name):
    assert list(make_learner(presets, name).backbone.blocks) == BLOCKS[name]


# The table of conformance has BERT and ResNet.
@pytest.mark.slow
@pytest.mark.parametrize("name", ["roberta", "vit"])
def test_a_journey(presets, name, tmp_path):
    learner = make_learner(presets, name)
    before = learner.backbone.get_weights()
    learner.fit_head(epochs=2, learning_rate=0.1)
    assert all(map(np.array_equal, before, learner.backbone.get_weights()))
    learner.fine_tune(
        policy=Phase("step", epochs=1, learning_rate=0.01, unfreeze="all", patience=None)
    )
    assert not all(map(np.array_equal, before, learner.backbone.get_weights()))
    asked = ["good film", "the"] if name in ENCODERS else learner.data.split("test").images[:2]
    answers = learner.predict(asked)
    learner.save(tmp_path / "run")
    loaded = ktl.Learner.load(tmp_path / "run", data=learner.data, verbose=False)
    assert loaded.backbone.blocks == learner.backbone.blocks
    np.testing.assert_array_equal(loaded.predict(asked).probabilities, answers.probabilities)
    learner.export(tmp_path / "model")  # It raises unless it has verified itself.


@pytest.mark.parametrize("name", ["bert", "resnet"])
def test_mixed_precision_is_inside_only_and_not_in_what_is_served(presets, name):
    learner = make_learner(presets, name, precision="mixed_bfloat16")
    inner = {layer.compute_dtype for layer in learner.backbone.network.layers if layer.weights}
    assert inner == {"bfloat16"}
    inputs = learner.model.input
    given = inputs if isinstance(inputs, dict) else {"pixels": inputs}
    made = {
        key: np.ones((1, *[4 if n is None else n for n in x.shape[1:]]), "int32")
        for key, x in given.items()
    }
    assert learner.model(made if name == "bert" else made["pixels"]).dtype == "float32"
    twin = learner._state.twin.model.get_layer("backbone").network
    assert {layer.compute_dtype for layer in twin.layers if layer.weights} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"


def test_the_pooler_is_a_block_where_it_is_read(presets):
    learner = make_learner(presets, "bert", head=ktl.HeadConfig("pooled"))
    assert list(learner.backbone.blocks) == [*BLOCKS["bert"], "pooler"]


def test_a_pyramid_can_be_cut(presets, tmp_path):
    learner = make_learner(presets, "resnet", output_block="P2")
    assert learner.backbone.blocks == ("P2",)
    assert len(learner.trainer.parts.extractor.weights) < len(
        make_learner(presets, "resnet").trainer.parts.extractor.weights
    )
    learner.save(tmp_path / "run")
    loaded = ktl.Learner.load(tmp_path / "run", verbose=False)
    images = learner.data.split("test").images[:2]
    np.testing.assert_array_equal(loaded.features(images), learner.features(images))
    again = ktl.Learner(f"run:{tmp_path / 'run'}", learner.data, seed=0, verbose=False)
    np.testing.assert_array_equal(again.features(images), learner.features(images))


def test_a_length_is_never_more_than_the_encoder_s_positions(presets):
    texts = ["good " * 100, "bad " * 100] * 8
    data = ktl.TextData.from_arrays(texts, [0, 1] * 8, verbose=False)
    assert make_learner(presets, "bert", data).config.sequence_length == kerashub_presets.LONGEST


WRONG = {
    "no-preset": (
        lambda p: ktl.Learner("kerashub:no_such_preset", make_texts(), verbose=False),
        BackboneError,
        r"Could not load a Backbone from the KerasHub preset 'no_such_preset'.*Without internet",
    ),
    "texts-for-images": (
        lambda p: make_learner(p, "resnet", make_texts()),
        BackboneError,
        "takes images, but the data are texts",
    ),
    "images-for-texts": (
        lambda p: make_learner(p, "bert", make_tiny_data(size=32)),
        BackboneError,
        "takes texts, but the data are images|image_size= is for images",
    ),
    "size-of-texts": (
        lambda p: make_learner(p, "bert", make_tiny_data(size=32), image_size=32),
        BackboneError,
        "image_size= is for images, but the preset .* takes texts",
    ),
    "too-long": (
        lambda p: make_learner(p, "bert", make_texts(sequence_length=65)),
        ConfigError,
        r"takes at most 64 tokens\. Received sequence_length=65",
    ),
    "cut-encoder": (
        lambda p: make_learner(p, "bert", output_block="layer_0"),
        BackboneError,
        "cannot cut a text encoder",
    ),
    "size-of-a-fixed-one": (
        lambda p: make_learner(p, "vit", make_tiny_data(size=32), image_size=48),
        BackboneError,
        r"takes \(32, 32\) pixels\. Received image_size=\(48, 48\)",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_gets_one_clear_sentence(presets, name):
    act, error, message = WRONG[name]
    with pytest.raises(error, match=message):
        act(presets)

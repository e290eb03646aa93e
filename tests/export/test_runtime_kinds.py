"""Learners of every task and kind of encoder, as files for other runtimes."""

import json

import numpy as np
import pytest

import keras_tl as ktl
from keras_tl.backbones.texts import load_preprocessor
from keras_tl.errors import ExportError
from keras_tl.export.runtimes.file_export import RUNTIMES
from keras_tl.testing.cases import randomise_head
from tests import hub_modules, kerashub_presets, language_models
from tests.conftest import make_small_learner, make_tiny_data

pytestmark = pytest.mark.slow

PIXELS = np.random.default_rng(0).integers(0, 255, (12, 32, 32, 3)).astype(np.uint8)
TEXTS = ["good film", "the bad film", ".", "Ünïcode: \N{SNOWMAN} \u6f22\u5b57", "many words " * 100]
CASES = [(kind, precision) for kind in ("litert", "onnx") for precision in ("float32", "float16")]


def image_learner(labels, **options):
    settings = {"precision": options.pop("precision", "float32")}
    data = ktl.ImageData.from_arrays(PIXELS, labels, verbose=False, **options)
    return make_small_learner(data, **settings)


def fine_tuned():
    """Its dropout is live, but for inference."""
    learner = make_small_learner(make_tiny_data())
    learner.fine_tune(1)
    return learner


def text_learner(backbone, pairs=False, **options):
    texts = ["good film", "bad film", "the good", "the bad"] * 5
    texts = [("the film", text) for text in texts] if pairs else texts
    data = ktl.TextData.from_arrays(texts, ["good", "bad"] * 10, verbose=False)
    return ktl.Learner(backbone, data, seed=0, verbose=False, **options)


def make(name, folder):
    several = (np.arange(36).reshape(12, 3) % 5 < 2).astype(np.int64)
    vocabulary = str(hub_modules.write_vocabulary(folder / "vocab.txt"))
    makers = {
        "binary": lambda: image_learner([0, 1] * 6),
        "multilabel": lambda: image_learner(several, task="multilabel"),
        "regression": lambda: image_learner(np.arange(12) * 100.0, task="regression"),
        "bfloat16": lambda: image_learner([0, 1, 2] * 4, precision="mixed_bfloat16"),
        "fine-tuned": fine_tuned,
        "tfhub-image": lambda: ktl.Learner(
            f"tfhub:{hub_modules.make_image_module(folder / 'module')}",
            ktl.ImageData.from_arrays(PIXELS, [0, 1] * 6, verbose=False),
            image_size=32,
            seed=0,
            verbose=False,
        ),
        "tfhub": lambda: text_learner(
            f"tfhub:{hub_modules.make_encoder(folder / 'encoder')}", preprocess=vocabulary
        ),
        "pairs": lambda: text_learner(
            f"tfhub:{hub_modules.make_encoder(folder / 'encoder')}", True, preprocess=vocabulary
        ),
        "bert": lambda: text_learner(f"kerashub:{kerashub_presets.make_bert(folder / 'bert')}"),
        "ulmfit": lambda: text_learner(
            f"ulmfit:{language_models.save_language_model(folder / 'w')}"
        ),
    }
    learner = makers[name]()
    if not learner.history:
        randomise_head(learner)
    return learner


IMAGES = ("binary", "multilabel", "regression", "bfloat16", "fine-tuned", "tfhub-image")


@pytest.mark.parametrize("name", [*IMAGES, "tfhub", "pairs", "bert", "ulmfit"])
def test_every_kind_answers_as_its_learner_in_every_runtime(tmp_path, name):
    if name == "bert":
        pytest.importorskip("keras_hub", reason="it needs a newer Keras than ours may be")
    learner = make(name, tmp_path)
    items = [*zip(TEXTS, TEXTS[::-1], strict=True)] if name == "pairs" else TEXTS
    items = PIXELS if name in IMAGES else items
    expected = learner.predict(items)
    for kind, precision in CASES:
        runtime = RUNTIMES[kind]
        file = tmp_path / f"{precision}{runtime.suffix}"
        learner.export(file, format=kind, precision=precision)
        about = json.loads(file.with_name(f"{file.name}.json").read_text("utf-8"))
        if name in IMAGES:
            inputs = {"pixels": PIXELS.astype(np.float32)}
        else:
            preprocessor = load_preprocessor(file.with_name(f"{file.name}.tokenizer"))
            assert about["preparation"]["sequence_length"] == preprocessor.sequence_length
            columns = zip(*items, strict=True) if name == "pairs" else [items]
            tokens = preprocessor(*map(list, columns))
            inputs = {key: tokens[key].numpy() for key in about["inputs"]}
        found = runtime.ask(file, inputs)
        assert set(found) == set(about["outputs"])
        tolerance = 1e-5 if precision == "float32" else 5e-3
        if name == "regression":
            np.testing.assert_allclose(found["value"], expected.values, rtol=tolerance)
            continue
        np.testing.assert_allclose(found["probabilities"], expected.probabilities, atol=tolerance)
        if name == "multilabel":
            np.testing.assert_array_equal(found["labels_mask"], found["probabilities"] > 0.5)


def test_onnx_takes_texts_of_any_length(tmp_path):
    learner = make("tfhub", tmp_path)
    file = learner.export(tmp_path / "a.onnx", format="onnx")
    tokens = learner.serving_model.preprocessor(["good film"])
    about = json.loads((tmp_path / "a.onnx.json").read_text())
    assert {tuple(x["shape"]) for x in about["inputs"].values()} == {("batch", "length")}
    found = RUNTIMES["onnx"].ask(file, {key: tokens[key].numpy()[:, :4] for key in about["inputs"]})
    expected = learner.predict(["good film"]).probabilities
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-5)


def test_a_module_that_takes_strings_is_refused(tmp_path):
    learner = text_learner(f"tfhub:{hub_modules.make_text_module(tmp_path / 'module')}")
    with pytest.raises(ExportError, match="takes each text as a string"):
        learner.export(tmp_path / "a.onnx", format="onnx")

"""Learners of every kind of item and task, exported, served and asked by both protocols."""

import json
import os
import runpy
import subprocess

import numpy as np
import pytest
import tensorflow as tf

import keras_tl as ktl
from keras_tl.errors import DataError
from keras_tl.serving import Client
from keras_tl.testing.cases import randomise_head
from tests import hub_modules, language_models
from tests.conftest import export_unverified, make_small_learner, make_tiny_data
from tests.serving_server import serving

pytestmark = pytest.mark.slow

PIXELS = np.random.default_rng(0).integers(0, 255, (12, 32, 32, 3)).astype(np.uint8)
TEXTS = [
    "good film",
    "the bad film",
    "the",
    "Ünïcode: \N{SNOWMAN} \u6f22\u5b57",
    "many words " * 100,
]


def image_learner(labels, **options):
    data = ktl.ImageData.from_arrays(PIXELS, labels, verbose=False, **options)
    return make_small_learner(data)


def text_learner(backbone, pairs=False, **options):
    texts = ["good film", "bad film", "the good", "the bad"] * 5
    texts = [("the film", text) for text in texts] if pairs else texts
    data = ktl.TextData.from_arrays(texts, ["good", "bad"] * 10, verbose=False)
    learner = ktl.Learner(backbone, data, seed=0, verbose=False, **options)
    randomise_head(learner)
    return learner


@pytest.fixture(scope="module")
def learners(tmp_path_factory):
    folder = tmp_path_factory.mktemp("modules")
    encoder = f"tfhub:{hub_modules.make_encoder(folder / 'encoder')}"
    vocabulary = str(hub_modules.write_vocabulary(folder / "vocab.txt"))
    words = language_models.save_language_model(folder / "words")
    several = (np.arange(36).reshape(12, 3) % 5 < 2).astype(np.int64)
    return {
        "multiclass": make_small_learner(make_tiny_data()),
        "binary": image_learner([0, 1] * 6),
        "multilabel": image_learner(several, class_names=["a", "b", "c"], task="multilabel"),
        "regression": image_learner(np.arange(12) * 100.0, task="regression"),
        "texts": text_learner(encoder, preprocess=vocabulary),
        "pairs": text_learner(encoder, pairs=True, preprocess=vocabulary),
        "words": text_learner(f"ulmfit:{words}"),
    }


@pytest.fixture(scope="module")
def exports(learners, tmp_path_factory):
    root = tmp_path_factory.mktemp("exports")
    for name, learner in learners.items():
        export_unverified(learner, root / name, serving=True)
    return root


@pytest.fixture(scope="module")
def addresses(exports):
    with serving({folder.name: folder for folder in exports.iterdir()}) as found:
        yield found


NAMES = ("multiclass", "binary", "multilabel", "regression", "texts", "pairs", "words")


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
@pytest.mark.parametrize("name", NAMES)
def test_a_server_answers_as_the_learner(learners, addresses, protocol, name):
    learner = learners[name]
    items = {"texts": TEXTS, "words": TEXTS, "pairs": [*zip(TEXTS, TEXTS[::-1], strict=True)]}
    items = items.get(name, PIXELS)
    by_learner = learner.predict(items)
    with Client(addresses[protocol], name) as client:
        served = client.predict(items, batch_size=4)
        features = None if items is PIXELS else client.embed(items, batch_size=4)
    assert type(served) is type(by_learner)
    assert served.sources == by_learner.sources
    if features is not None:
        np.testing.assert_allclose(features, learner.features(items), atol=1e-5)
    if name == "regression":
        np.testing.assert_allclose(served.values, by_learner.values, rtol=1e-5)
        return
    np.testing.assert_allclose(served.probabilities, by_learner.probabilities, atol=1e-5)
    assert served.labels == by_learner.labels
    # Told by the signature `classify`.
    assert served.class_names == by_learner.class_names


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
@pytest.mark.parametrize("name", ["texts", "pairs", "words"])
def test_what_is_no_text_gets_no_answer(learners, addresses, protocol, name):
    texts = ["good film", " \N{ZERO WIDTH SPACE}", b"good \xff", "", "the"]
    items = [(text, "bad") for text in texts] if name == "pairs" else texts
    with Client(addresses[protocol], name) as client:
        served = client.predict(items, on_invalid="keep")
        features = client.embed(items, on_invalid="keep")
        with pytest.raises(DataError, match=r"is blank: .* item 2, item 3 either \(5 texts"):
            client.predict(items)
    assert served.valid.tolist() == [True, False, False, False, True]
    assert np.isfinite(features).all(axis=1).tolist() == served.valid.tolist()
    good = [item for item, is_valid in zip(items, served.valid, strict=True) if is_valid]
    by_learner = learners[name].predict(good)
    np.testing.assert_allclose(
        served.probabilities[served.valid], by_learner.probabilities, atol=1e-5
    )


@pytest.mark.parametrize("name", NAMES)
def test_generated_clients_answer_as_the_learner(
    learners, exports, addresses, tmp_path, capsys, name
):
    folder, is_text = exports / name / "serving", learners[name].config.item == "text"
    if is_text:
        given = TEXTS[:4]
        items = [*zip(given[::2], given[1::2], strict=True)] if name == "pairs" else given
    else:
        given = items = [str(tmp_path / f"{number}.png") for number in range(3)]
        for file, pixels in zip(given, PIXELS, strict=False):
            tf.io.write_file(file, tf.io.encode_png(pixels))
    by_learner = learners[name].predict(items)
    ask = runpy.run_path(str(folder / "client.py"))["main"]
    output = "value" if name == "regression" else "probabilities"
    wanted = by_learner.values if name == "regression" else by_learner.probabilities
    for protocol in ("rest", "grpc"):
        ask(addresses[protocol], *given)
        answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        found = [answer[output] for answer in answers]
        np.testing.assert_allclose(found, wanted, atol=1e-5, rtol=1e-5)
        if "label" in answers[0]:
            assert [answer["label"] for answer in answers] == by_learner.labels
    # Both ask the example.
    ask(addresses["rest"])
    (wanted,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    done = subprocess.run(
        ["sh", folder / "curl.sh"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"HOST": addresses["rest"]},
    )
    asked = [json.loads(line) for line in done.stdout.splitlines() if line[:1] != "#"]
    assert asked[2]["predictions"] == [wanted]
    assert len(asked) == (4 if is_text else 5)
    (standard,) = asked[3]["results"]
    if name == "regression":
        np.testing.assert_allclose(standard, wanted["value"], rtol=1e-5)
    else:
        assert [label for label, _ in standard] == list(by_learner.class_names)
        scores = [score for _, score in standard]
        np.testing.assert_allclose(scores, wanted["probabilities"], atol=1e-5)

"""Learners of every kind of item and task, exported, served and asked by both protocols."""

import numpy as np
import pytest

import keras_tl as ktl
from keras_tl.serving import Client
from tests import hub_modules, language_models
from tests.conftest import make_small_learner, make_tiny_data
from tests.serving_server import serving

pytestmark = pytest.mark.slow

PIXELS = np.random.default_rng(0).integers(0, 255, (12, 32, 32, 3)).astype(np.uint8)
TEXTS = ["good film", "the bad film", "", "Ünïcode: \N{SNOWMAN} \u6f22\u5b57", "many words " * 100]


def image_learner(labels, **options):
    data = ktl.ImageData.from_arrays(PIXELS, labels, verbose=False, **options)
    return make_small_learner(data)


def text_learner(backbone, pairs=False, **options):
    texts = ["good film", "bad film", "the good", "the bad"] * 5
    texts = [("the film", text) for text in texts] if pairs else texts
    data = ktl.TextData.from_arrays(texts, ["good", "bad"] * 10, verbose=False)
    return ktl.Learner(backbone, data, seed=0, verbose=False, **options)


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
        "texts": text_learner(encoder, preprocessor=vocabulary),
        "pairs": text_learner(encoder, pairs=True, preprocessor=vocabulary),
        "words": text_learner(f"ulmfit:{words}"),
    }


@pytest.fixture(scope="module")
def addresses(learners, tmp_path_factory):
    root = tmp_path_factory.mktemp("exports")
    for name, learner in learners.items():
        learner.export(root / name)
    with serving({name: root / name for name in learners}) as found:
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

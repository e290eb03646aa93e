"""The client against a server process that speaks TF Serving's protocols."""

import io
import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from keras_tl.data.images.image_issues import why_no_image
from keras_tl.data.texts.text_values import BLANK_PROBLEM
from keras_tl.errors import ConfigError, DataError, ServingError
from keras_tl.serving import Client, ModelVersion
from tests.conftest import export_unverified, make_small_learner, make_tiny_data
from tests.served_models import (
    COLOURS,
    expected,
    save_image_model,
    save_pair_model,
    save_text_model,
)
from tests.serving_server import serving

PROTOCOLS = ("rest", "grpc")
PIXELS = np.random.default_rng(0).integers(0, 255, (5, 20, 30, 3)).astype(np.uint8)
GARBAGE = b"this is no image"


def png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


FILES = [png(pixels) for pixels in PIXELS]
MEANS = PIXELS.mean((1, 2))


@pytest.fixture(scope="module")
def learner():
    return make_small_learner(make_tiny_data())


@pytest.fixture(scope="module")
def addresses(learner, tmp_path_factory):
    """A server of an export, of made ones of each task, and of one that it cannot load."""
    root = tmp_path_factory.mktemp("models")
    export_unverified(learner, root / "learner")
    for version, classes in ((1, COLOURS), (2, ("rouge", "vert", "bleu"))):
        save_image_model(root / "photos", classes=classes, version=version)
    for task in ("multilabel", "regression"):
        save_image_model(root / task, task)
    save_image_model(root / "untold", standard=False)
    save_pair_model(root / "pairs")
    save_text_model(root / "texts")
    broken = root / "broken" / "1"
    broken.mkdir(parents=True)
    (broken / "saved_model.pb").write_bytes(b"")
    models = {folder.name: folder for folder in root.iterdir()}
    with serving(models, "--all-versions", "--label=stable=1") as found:
        yield found


@pytest.fixture(params=PROTOCOLS)
def address(request, addresses):
    return addresses[request.param]


@pytest.fixture
def ask(address):
    """Makes clients of either protocol."""
    clients = []

    def make(model, **options):
        clients.append(Client(address, model, **options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder of files, sorted as `FILES`."""
    folder = tmp_path_factory.mktemp("photos")
    for number, content in enumerate(FILES):
        (folder / f"{number}.png").write_bytes(content)
    return folder


ITEMS = {
    "paths": lambda folder: sorted(folder.iterdir()),
    "folder": lambda folder: folder,
    "bytes": lambda folder: FILES,
    "array": lambda folder: PIXELS,
    "arrays": lambda folder: list(PIXELS),
    "alpha": lambda folder: np.concatenate([PIXELS, PIXELS[..., :1]], axis=-1),
    "images": lambda folder: [Image.open(path) for path in sorted(folder.iterdir())],
    "buffers": lambda folder: [io.BytesIO(content) for content in FILES],
    "frame": lambda folder: pd.DataFrame({"path": sorted(map(str, folder.iterdir()))}),
    "pattern": lambda folder: f"{folder}/*.png",
}


@pytest.mark.parametrize("kind", ITEMS)
def test_it_answers_as_the_learner_does(ask, learner, photos, kind):
    items = ITEMS[kind](photos)
    by_learner = learner.predict(items)
    client = ask("learner")
    served = client.predict(items, batch_size=3)
    np.testing.assert_allclose(served.probabilities, by_learner.probabilities, atol=1e-5)
    assert type(served) is type(by_learner)
    assert served.labels == by_learner.labels
    assert served.sources == by_learner.sources
    assert served.class_names == by_learner.class_names
    assert served.probabilities.dtype == np.float32
    if kind == "bytes":
        (one,) = client.predict(FILES[0])
        assert one.label == by_learner[0].label


def test_three_of_a_batch_are_no_images(ask, learner):
    rng = np.random.default_rng(1)
    files = [png(pixels) for pixels in rng.integers(0, 255, (32, 20, 30, 3)).astype(np.uint8)]
    bad = {3: b"", 17: GARBAGE, 31: files[31][:60]}
    good = [number for number in range(32) if number not in bad]
    sent = [bad.get(number, content) for number, content in enumerate(files)]
    client = ask("learner")
    served = client.predict(sent, on_invalid="keep")
    assert np.flatnonzero(~served.valid).tolist() == [*bad]
    by_learner = learner.predict([files[number] for number in good])
    np.testing.assert_allclose(served.probabilities[good], by_learner.probabilities, atol=1e-5)
    assert [served.labels[number] for number in good] == by_learner.labels
    features = client.embed(sent, on_invalid="keep")
    by_learner = learner.features([files[number] for number in good])
    np.testing.assert_allclose(features[good], by_learner, atol=1e-5)
    with pytest.raises(DataError, match=r"item 3: empty.* for item 17, item 31 either \(32"):
        client.predict(sent)


@pytest.mark.parametrize("kind", ITEMS)
def test_what_is_sent_arrives(ask, photos, kind):
    served = ask("photos", version=1).predict(ITEMS[kind](photos), batch_size=2)
    np.testing.assert_allclose(served.probabilities, expected(MEANS), atol=1e-5)
    assert served.labels == [COLOURS[best] for best in MEANS.argmax(axis=1)]
    # Told by the signature `classify`.
    assert served.class_names == COLOURS


def test_several_labels(ask):
    served = ask("multilabel").predict(FILES)
    np.testing.assert_allclose(served.probabilities, expected(MEANS, "multilabel"), atol=1e-5)
    np.testing.assert_array_equal(served.mask, MEANS > 128)
    assert served.labels == [tuple(np.array(COLOURS)[row]) for row in MEANS > 128]


def test_regression(ask):
    served = ask("regression").predict(FILES)
    np.testing.assert_allclose(served.values, MEANS[:, 0], rtol=1e-5)
    assert served.values.dtype == np.float32


def test_pairs_of_texts(ask):
    pairs = [("a", "bcd"), ("", "Ünïcode \N{SNOWMAN}"), ('"quoted"\n', "\x00")]
    lengths = [[len(text.encode()) for text in pair] for pair in pairs]
    logits = [[one, other, one + other] for one, other in lengths]
    client = ask("pairs")
    served = client.predict(pairs, batch_size=2)
    np.testing.assert_allclose(served.probabilities, expected(logits), atol=1e-5)
    assert served.class_names == ("short", "long", "longer")
    np.testing.assert_array_equal(client.embed(pairs), np.float32(logits))


def test_what_is_no_text_is_kept_and_marked(ask, tmp_path):
    texts, valid = ["a", b"caf\xe9", "bcd", ""], [True, False, True, False]
    client = ask("texts")
    served = client.predict(texts, batch_size=3, on_invalid="keep")
    assert served.valid.tolist() == valid
    assert served.labels == ["long", "", "long", ""]
    assert served.class_names == ("short", "long")
    reasons = ["not UTF-8: invalid bytes in line 1", BLANK_PROBLEM]
    assert [row.get("reason") for row in served.to_json()[1::2]] == reasons
    assert str(served[1]) == f"no prediction ({reasons[0]})"
    features = client.embed(texts, on_invalid="keep")
    np.testing.assert_array_equal(np.isfinite(features).all(axis=1), valid)
    for ask_client in (client.predict, client.embed):
        with pytest.raises(DataError, match=r"UTF-8.* item 1,.* prediction for item 3 either \(4"):
            ask_client(texts)
    skipped = client.predict(texts, batch_size=3, on_invalid="skip")
    assert (skipped.valid, skipped.sources) == (None, ("a", "bcd"))
    np.testing.assert_array_equal(client.embed(texts, on_invalid="skip"), features[valid])
    with pytest.raises(DataError, match=r"Item 0 of 1 is blank"):
        client.predict([""], on_invalid="skip")
    gone = [tmp_path / "gone.txt", "a"]
    assert client.predict(gone, on_invalid="keep").valid.tolist() == [False, True]
    with pytest.raises(DataError, match=r"Cannot read the text .*gone\.txt"):
        client.predict(gone)


def test_features(ask):
    features = ask("photos").embed(FILES, batch_size=2)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, MEANS, rtol=1e-5)


def test_what_is_no_image_is_named(ask, photos, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(GARBAGE)
    for items, name in (([*photos.iterdir(), bad], str(bad)), ([*FILES, GARBAGE], "item 5")):
        for method in (ask("photos").predict, ask("photos").embed):
            with pytest.raises(DataError) as error:
                method(items, batch_size=2)
            assert f"Cannot decode {name}: not an image" in str(error.value)
            assert "on_invalid='keep' to mark" in str(error.value)
    with pytest.raises(DataError, match=r"item 0: .* item 1, .* item 5 and 1 more either"):
        ask("photos").predict([GARBAGE] * 7)


KEPT = [GARBAGE, *FILES, b""]
VALID = [False, *[True] * len(FILES), False]


def test_what_is_no_image_is_kept_and_marked(ask):
    served = ask("photos", version=1).predict(KEPT, batch_size=2, on_invalid="keep")
    np.testing.assert_array_equal(served.valid, VALID)
    np.testing.assert_allclose(served.probabilities[1:-1], expected(MEANS), atol=1e-5)
    assert served.labels == ["", *(COLOURS[best] for best in MEANS.argmax(axis=1)), ""]
    assert [item.label for item in served] == served.labels
    assert served.class_ids.tolist() == [-1, *MEANS.argmax(axis=1), -1]
    reason = why_no_image(GARBAGE)
    assert served.to_json()[0] == {"source": None, "valid": False, "reason": reason}
    assert served.to_json()[1]["label"] == served.labels[1]
    said = [f"no prediction ({reason})", "no prediction (empty (0 bytes))"]
    assert [str(served[number]) for number in (0, -1)] == said
    answered = ask("photos").embed(FILES)
    skipped = ask("photos", version=1).predict(KEPT, batch_size=2, on_invalid="skip")
    assert skipped.valid is None
    assert skipped.labels == served.labels[1:-1]
    np.testing.assert_array_equal(ask("photos").embed(KEPT, on_invalid="skip"), answered)
    for method in (ask("photos").predict, ask("photos").embed):
        with pytest.raises(DataError, match=r"Cannot decode item 0: not an image"):
            method([GARBAGE], on_invalid="skip")
    features = ask("photos").embed(KEPT, on_invalid="keep")
    np.testing.assert_array_equal(np.isfinite(features).all(axis=1), VALID)
    values = ask("regression").predict(KEPT, on_invalid="keep")
    assert [math.isnan(item.value) for item in values] == [not valid for valid in VALID]
    several = ask("multilabel").predict(KEPT, on_invalid="keep")
    assert several[0].labels == ()
    assert several.to_json()[0] == {"source": None, "valid": False, "reason": reason}
    assert str(several[0]) == str(values[0]) == said[0]


@pytest.mark.parametrize(
    ("options", "classes"),
    [
        ({}, ("rouge", "vert", "bleu")),
        ({"version": 2}, ("rouge", "vert", "bleu")),
        ({"version": 1}, COLOURS),
        ({"label": "stable"}, COLOURS),
    ],
)
def test_versions(ask, options, classes):
    client = ask("photos", **options)
    assert client.predict(FILES).class_names == classes
    assert client.metadata()["version"] == (1 if classes == COLOURS else 2)
    assert client.status() == (ModelVersion(2, "AVAILABLE"), ModelVersion(1, "AVAILABLE"))


def test_metadata(ask):
    found = ask("photos").metadata()["signatures"]
    assert set(found) == {"serving_default", "pixels", "embed", "classify"}
    assert found["serving_default"]["inputs"] == {"image_bytes": {"dtype": "string", "shape": [-1]}}
    assert found["pixels"]["inputs"] == {"pixels": {"dtype": "float32", "shape": [-1, -1, -1, 3]}}
    assert found["pixels"]["outputs"]["class_id"] == {"dtype": "int64", "shape": [-1]}
    assert found["embed"]["outputs"]["valid"]["dtype"] == "bool"
    assert found["classify"]["method"] == "tensorflow/serving/classify"


def test_any_signature_can_be_asked(ask):
    client = ask("photos")
    answers = client.ask("pixels", {"pixels": PIXELS.tolist()})
    np.testing.assert_allclose(answers["probabilities"], expected(MEANS), atol=1e-5)
    np.testing.assert_array_equal(answers["class_id"], MEANS.argmax(axis=1))
    assert answers["class_id"].dtype == np.int64
    assert isinstance(answers["label"][0], str)


def test_answers_by_grpc_may_be_large(addresses):
    with Client(addresses["grpc"], "photos") as client:
        answers = client.ask("pixels", {"pixels": np.zeros((220_000, 1, 1, 3), np.uint8)})
    # What gRPC takes unless told otherwise.
    assert answers["probabilities"].nbytes + answers["class_id"].nbytes > 4 * 2**20


def test_signatures_that_no_longer_fit_are_read_again(ask):
    client = ask("photos")
    # As if an earlier version had given one more.
    outputs = client.metadata()["signatures"]["pixels"]["outputs"]
    outputs["more"] = {"dtype": "float32", "shape": [-1]}
    with pytest.raises(
        ServingError, match=r"The server has switched to another version: repeat the call"
    ):
        client.ask("pixels", {"pixels": PIXELS})
    assert set(client.ask("pixels", {"pixels": PIXELS})) == {"probabilities", "class_id", "label"}


def test_classes_that_no_longer_fit_are_read_again(ask):
    client = ask("photos")
    for stale in (COLOURS, ("one", "two")):
        client._told_names = stale
        assert client.predict(FILES).class_names == ("rouge", "vert", "bleu")


def test_classes_that_nobody_tells(ask):
    files = [png(np.full((2, 2, 3), colour, np.uint8)) for colour in ((9, 0, 0), (0, 0, 9))]
    client = ask("untold")
    assert client.predict(files).class_names == ("red", "1", "blue")
    assert client.predict(files[1:]).class_names == ("0", "1", "blue")
    told = ask("untold", class_names=COLOURS)
    assert told.predict(files).class_names == COLOURS


def asks(model, **options):
    return lambda ask: ask(model, **options).predict(FILES)


# What is done, the error, and what it says.
WRONG = {
    "no-model": (asks("cats"), ServingError, "has no model 'cats'. Expected a name in"),
    "no-version": (
        asks("photos", version=3),
        ServingError,
        "model 'photos' has no version 3. The server reports: version 2 is AVAILABLE; version 1 is",
    ),
    "no-label": (asks("photos", label="canary"), ServingError, "version label: canary"),
    "not-loaded": (asks("broken"), ServingError, "'broken' is not loaded: version 1 is END ("),
    "not-loaded-version": (asks("broken", version=1), ServingError, "is not loaded: version 1 is"),
    "no-status": (lambda ask: ask("cats").status(), ServingError, "has no model 'cats'"),
    "no-metadata": (lambda ask: ask("cats").metadata(), ServingError, "has no model 'cats'"),
    "no-signature": (
        lambda ask: ask("photos").predict(FILES, signature="serving-default"),
        ServingError,
        "Unknown signature 'serving-default'. Did you mean 'serving_default'?",
    ),
    "no-predictions": (
        lambda ask: ask("photos").predict(FILES, signature="embed"),
        ServingError,
        "or 'value' (items,) from the signature. Received: 'features' (5, 3), 'valid' (5,).",
    ),
    "another-input": (
        lambda ask: ask("photos").embed(PIXELS),
        ServingError,
        "The signature 'embed' takes 'image_bytes'. Received: 'pixels'.",
    ),
    "unknown-input": (
        lambda ask: ask("photos").ask("pixels", {"pixel": PIXELS}),
        ServingError,
        "The signature 'pixels' takes 'pixels'. Received: 'pixel'.",
    ),
    "wrong-shape": (
        lambda ask: ask("photos").ask("pixels", {"pixels": [1.0]}),
        ServingError,
        "refuses the request: ",
    ),
    "wrong-kind-of-values": (
        lambda ask: ask("photos").ask("pixels", {"pixels": ["black"]}),
        ServingError,
        "Expected numbers of dtype float32 for 'pixels'",
    ),
    "wrong-kind-of-strings": (
        lambda ask: ask("photos").ask("embed", {"image_bytes": [1]}),
        ServingError,
        "Expected a list of bytes or str for 'image_bytes'",
    ),
    "no-file": (lambda ask: ask("photos").predict("a.jpg"), DataError, "Cannot read the image"),
    "no-image": (lambda ask: ask("photos").predict(3), DataError, "Expected at least one image"),
    "no-pair": (lambda ask: ask("pairs").predict("a text"), DataError, "Expected pairs"),
    "nothing": (lambda ask: ask("photos").predict([]), DataError, "at least one"),
    "class-names": (
        asks("photos", class_names=["a", "b"]),
        ServingError,
        "The model's 3 classes do not have these 2 names: 'a', 'b'. Pass the names in the order",
    ),
    "other-class-names": (
        asks("photos", class_names=["a", "b", "c"]),
        ServingError,
        "The model's 3 classes do not have these 3 names: 'a', 'b', 'c'",
    ),
    "batch-size": (
        lambda ask: ask("photos").predict(FILES, batch_size=0),
        ConfigError,
        "batch_size must be a whole number",
    ),
    "on-invalid": (
        lambda ask: ask("photos").predict(FILES, on_invalid="drop"),
        ConfigError,
        "Unknown on_invalid 'drop'",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said(ask, name):
    act, kind, said = WRONG[name]
    with pytest.raises(kind) as error:
        act(ask)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


BARRED = """
import sys
for name in ("tensorflow", "keras", "grpc", "tensorflow_serving"):
    sys.modules[name] = None
import keras_tl
from keras_tl.errors import DataError, ServingError
address, path = sys.argv[1:]
with keras_tl.serving.Client(address, model="photos", version=1) as client:
    assert client.predict(path).class_names == ("red", "green", "blue")
    assert client.embed([path, path]).shape == (2, 3)
    for items, error in ((b"garbage", DataError), ("none.png", DataError)):
        try:
            client.predict(items)
        except error as said:
            print(said)
"""


def test_rest_needs_no_tensorflow(addresses, photos):
    done = subprocess.run(
        [sys.executable, "-c", BARRED, addresses["rest"], str(photos / "0.png")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Cannot decode item 0: not an image: text that begins")
    assert "Cannot read the image 'none.png'" in done.stdout

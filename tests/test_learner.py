"""The facade: what users call, and what it answers when they are wrong."""

import json
import os
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_tl as ktl
from keras_tl.backbones.keras_configs import rebuild
from keras_tl.base.files import sha256, write_json
from keras_tl.base.keras_compat import eagerly
from keras_tl.errors import BackboneError, ConfigError, DataError, RunError, WeightsError
from keras_tl.learner.reporting import facts
from keras_tl.report.card import write_card
from tests.conftest import make_small_learner, make_tiny_data, small_network


def write_png(path, pixels):
    path.write_bytes(tf.io.encode_png(pixels).numpy())
    return str(path)


def make_trained():
    learner = make_small_learner(make_tiny_data())
    with eagerly():
        learner.fit_head(epochs=3)
    return learner


@pytest.fixture(scope="module")
def trained():
    """A learner for tests that only ask it or save it."""
    return make_trained()


def test_everything_plain_keras_can_do_with_the_model(small_learner):
    """learner.model is an ordinary model: compile, fit, evaluate, save, load."""
    small_learner.fit_head(epochs=3)
    split = small_learner.data.split("train")
    model = small_learner.model
    model.evaluate(split.images, split.labels, verbose=0)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(split.images, split.labels, epochs=1, verbose=0)
    assert model(split.images[:2]).dtype == tf.float32


def test_evaluate_agrees_with_the_model(trained):
    split = trained.data.split("test")
    metrics = trained.evaluate()
    predicted = np.argmax(trained.model(split.images), axis=1)
    assert metrics["accuracy"] == np.mean(predicted == split.labels)
    json.dumps(dict(metrics))


def test_predict_takes_paths_bytes_arrays_and_folders(trained, tmp_path):
    images = trained.data.split("test").images.astype(np.uint8)[:3]
    paths = [write_png(tmp_path / f"é {i}.png", image) for i, image in enumerate(images)]
    expected = trained.predict(images)
    contents = [Path(path).read_bytes() for path in paths]
    for items in (paths, contents, list(images), tmp_path):
        np.testing.assert_allclose(
            trained.predict(items).probabilities, expected.probabilities, atol=1e-6
        )
    assert trained.predict(paths).sources == tuple(paths)
    one = trained.predict(paths[0])[0]
    assert (one.label, one.source) == (expected.labels[0], paths[0])
    assert one.probability == pytest.approx(expected.probabilities[0].max(), abs=1e-6)
    np.testing.assert_allclose(expected.probabilities.sum(axis=1), 1, atol=1e-6)


def test_predict_takes_many_and_any_size(trained):
    images = np.random.default_rng(0).integers(0, 255, (70, 45, 61, 3)).astype(np.uint8)
    assert trained.predict(images).probabilities.shape == (70, 3)


def test_predict_names_what_it_cannot_read(trained, tmp_path):
    good = write_png(tmp_path / "good.png", np.zeros((9, 9, 3), np.uint8))
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"\xff\xd8\xff but no more")
    with pytest.raises(DataError, match=r"Cannot decode .*bad.jpg: truncated.*Expected a JPEG"):
        trained.predict([good, bad])
    with pytest.raises(DataError, match="Cannot decode item 0"):
        trained.predict([b"nothing"])
    with pytest.raises(DataError, match=r"Cannot read the image .*gone.png.*No such file"):
        trained.predict([tmp_path / "gone.png"])


def test_features_are_what_the_head_is_given(trained, tmp_path):
    images = trained.data.split("test").images.astype(np.uint8)
    features = trained.features(images)
    assert features.shape == (len(images), 16)
    assert features.dtype == np.float32
    np.testing.assert_allclose(
        trained.trainer.parts.head(features), trained.model(images.astype(np.float32)), atol=1e-4
    )
    path = write_png(tmp_path / "one.png", images[0])
    for item in (path, Path(path).read_bytes()):
        np.testing.assert_allclose(trained.features(item)[0], features[0], atol=1e-4)


@pytest.mark.parametrize(
    ("head", "shape"),
    [
        (ktl.HeadConfig("avg"), (16,)),
        (ktl.HeadConfig("max", hidden=(5, 4)), (16,)),
        (ktl.HeadConfig("flatten", hidden=(5,)), (13, 13, 16)),
    ],
)
def test_heads(tiny_data, head, shape):
    learner = make_small_learner(tiny_data, head=head)
    assert learner.trainer.parts.head.input_shape[1:] == shape
    with eagerly():
        learner.fit_head(epochs=1, cache="disk")
    images = tiny_data.split("test").images
    flat = learner.features(images)
    assert flat.shape == (len(images), np.prod(shape))
    np.testing.assert_allclose(
        learner.trainer.parts.head(flat.reshape(-1, *shape)), learner.model(images), atol=1e-4
    )


def test_a_run_trains_on_where_it_stopped(trained, tmp_path):
    trained.evaluate()
    trained.save(tmp_path / "run")
    loaded = ktl.Learner.load(tmp_path / "run", data=make_tiny_data(), verbose=False)
    assert loaded.evaluations
    with eagerly():
        loaded.fine_tune(epochs=1, augment=False)
    # What was measured is not true of the new weights.
    assert not loaded.evaluations
    assert [record.phase.name for record in loaded.history] == ["head", "fine-tune"]
    with pytest.raises(DataError, match=r"loaded without data.*Learner.load\(path, data=...\)"):
        ktl.Learner.load(tmp_path / "run", verbose=False).fit_head()


def test_what_was_measured_is_kept_until_training_begins(small_learner):
    def interrupt(batch, logs):
        raise KeyboardInterrupt

    with eagerly():
        small_learner.fit_head(epochs=1)
    small_learner.evaluate()
    with pytest.raises(ConfigError):
        small_learner.fine_tune(epochs=1, unfreeze="no such block")
    assert small_learner.evaluations
    with pytest.raises(KeyboardInterrupt):
        small_learner.fit_head(
            epochs=1, callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=interrupt)]
        )
    assert not small_learner.evaluations


def test_a_run_is_json_and_weights(tmp_path):
    trained = make_trained()
    trained.evaluate()
    trained.save(tmp_path / "run")
    assert {f.name for f in (tmp_path / "run").iterdir()} == {
        "run.json",
        "model.weights.h5",
        "results",
        "checksums.json",
    }
    trained.save(tmp_path / "run")
    assert [f.name for f in tmp_path.iterdir()] == ["run"]
    loaded = ktl.Learner.load(tmp_path / "run", verbose=False)
    assert loaded.evaluations == trained.evaluations
    assert set(loaded.evaluations) == {"test"}
    for field in ("labels", "logits"):
        there, again = (getattr(one.evaluations["test"].raw, field) for one in (trained, loaded))
        assert there.dtype == again.dtype
        assert np.array_equal(there, again)
    # Without the data it says the same of itself, and so does a run that it saves.
    assert write_card(facts(loaded._state), "model") == write_card(facts(trained._state), "model")
    loaded.save(tmp_path / "again")
    runs = ((tmp_path / name / "run.json").read_bytes() for name in ("run", "again"))
    assert len(set(runs)) == 1


def change_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def raise_format(path):
    about = json.loads(path.read_text())
    write_json(path, about | {"format": 99})
    write_json(path.parent / "checksums.json", {path.name: sha256(path)})


@pytest.mark.parametrize(
    ("file", "spoil", "message"),
    [
        ("model.weights.h5", change_byte, "damaged: model.weights.h5 is missing or has changed"),
        ("run.json", change_byte, "damaged: run.json is missing or has changed"),
        ("model.weights.h5", os.remove, "damaged: model.weights.h5"),
        ("checksums.json", os.remove, "No run at .*that learner.save.* wrote"),
        ("run.json", raise_format, "A later version of keras_tl wrote"),
    ],
)
def test_a_damaged_run_is_refused(trained, tmp_path, file, spoil, message):
    trained.save(tmp_path / "run")
    spoil(tmp_path / "run" / file)
    with pytest.raises(RunError, match=message):
        ktl.Learner.load(tmp_path / "run")


def test_a_folder_that_is_no_run_is_not_replaced(trained, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_text("precious")
    with pytest.raises(RunError, match="exists, but is not a run"):
        trained.save(tmp_path / "photos")
    assert (tmp_path / "photos" / "a.jpg").read_text() == "precious"


def test_a_saved_network_with_an_unknown_class_is_not_imported(trained, tmp_path):
    config = trained.config.to_json()
    text = json.dumps(config["architecture"]).replace('"keras.layers"', '"os.path"')
    with pytest.raises(BackboneError, match=r"class '\w+' of 'os.path', which is not registered"):
        rebuild(json.loads(text))


def test_other_classes_are_refused(trained, tmp_path):
    trained.save(tmp_path / "run")
    other = ktl.ImageData.from_arrays(np.zeros((8, 4, 4, 3)) + 9, [0, 1] * 4, test_split=0)
    with pytest.raises(
        DataError, match="classes 'red', 'green', 'blue', but the data have the classes '0', '1'"
    ):
        ktl.Learner.load(tmp_path / "run", data=other)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("resnet5", {}), BackboneError, "Unknown backbone 'resnet5'. Did you mean 'resnet50'"),
        (("zzz", {}), BackboneError, "Expected one of: 'efficientnet_lite0', 'efficientnet_lite1'"),
        (("vgg16", {"image_size": 20}), BackboneError, "at least 32 x 32 pixels"),
        (("vgg16", {"weights": "no.h5"}), WeightsError, "No weights file at 'no.h5'"),
        (("vgg16", {"weights": None, "image_size": 0}), ConfigError, "image_size must be"),
        (("vgg16", {"weights": None, "output_block": "x"}), BackboneError, "Unknown block of"),
        (("vgg16", {"weights": None, "precision": "int8"}), ConfigError, "Unknown precision"),
        (("vgg16", {"weights": None, "strategy": "many"}), ConfigError, "Unknown strategy"),
    ],
)
def test_wrong_arguments(tiny_data, arguments, error, message):
    backbone, options = arguments
    with pytest.raises(error, match=message):
        ktl.Learner(backbone, tiny_data, **({"image_size": 32} | options))


def test_models_that_cannot_be_backbones(tiny_data):
    vector = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    cases = [
        (vector, {"preprocess": "none"}, r"Received a model with input shape \(None, 4\)"),
        (small_network(), {}, "needs preprocess="),
        (small_network(), {"preprocess": "caffee"}, "Did you mean 'caffe'"),
        (small_network(), {"preprocess": "tf", "image_size": None}, "Choose a size, .*image_size="),
    ]
    for model, options, message in cases:
        with pytest.raises(BackboneError, match=message):
            ktl.Learner(model, tiny_data, **({"image_size": 32} | options))


@pytest.mark.parametrize("name", ["ResNet50", "RESNET_50", "res_net_50", "resnet50"])
def test_names_ignore_case_and_underscores(name):
    assert ktl.backbones.get_spec(name).name == "resnet50"


def test_no_test_split_is_said(tiny_data):
    data = ktl.ImageData.from_arrays(
        tiny_data.split("train").images, tiny_data.split("train").labels, test_split=0
    )
    learner = make_small_learner(data)
    with pytest.raises(DataError, match="There is no test split: the data have train, validation"):
        learner.evaluate()
    with pytest.raises(ConfigError, match=r"Unknown split 'tset'\. Did you mean 'test'"):
        learner.evaluate("tset")


def test_plots_are_saved_as_files(trained, tmp_path):
    written = ktl.figures.save(trained, tmp_path / "plots")
    assert [path.name for path in written] == [
        "learning_curves.png",
        "confusion_matrix.png",
        "reliability.png",
        "predictions.png",
        "top_losses.png",
        "features.png",
    ]
    for path in written:
        assert path.read_bytes().startswith(b"\x89PNG")


def test_the_keras_file_of_a_bare_backbone_needs_nothing_of_ours(tmp_path):
    """Notebooks and baselines load it with Keras alone."""
    network = ktl.backbones.load("vgg16", weights=None, image_size=(32, 40))
    network.save(tmp_path / "vgg16.keras")
    text = json.dumps(json.loads(network.to_json()))
    assert "keras_tl" not in text
    loaded = keras.saving.load_model(tmp_path / "vgg16.keras", compile=False)
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 32, 40, 3)).astype(np.float32)
    np.testing.assert_array_equal(loaded(pixels), network(pixels))


def test_data_split_otherwise_are_noticed(trained, tmp_path, capsys):
    trained.save(tmp_path / "run")
    ktl.Learner.load(tmp_path / "run", data=make_tiny_data())
    assert "may be images that trained the model" not in capsys.readouterr().err
    images = np.concatenate([s.images for s in trained.data.splits.values()])
    labels = np.concatenate([s.labels for s in trained.data.splits.values()])
    again = ktl.ImageData.from_arrays(
        images, labels, class_names=trained.config.class_names, seed=9
    )
    loaded = ktl.Learner.load(tmp_path / "run", data=again)
    assert "may be images that trained the model" in capsys.readouterr().err
    # It has not been trained on them.
    assert loaded._state.run_record()["data"] == trained.data.describe() != again.describe()


def test_predictions_follow_the_training_in_mixed_precision(tiny_data):
    learner = ktl.Learner(
        "vgg16",
        tiny_data,
        weights=None,
        image_size=32,
        precision="mixed_bfloat16",
        seed=0,
        verbose=False,
    )
    images = tiny_data.split("test").images
    before = learner.predict(images).probabilities
    kernel = learner.trainer.parts.head.get_layer("logits").kernel
    kernel.assign(kernel + 100 * np.eye(*kernel.shape))
    after = learner.predict(images).probabilities
    assert np.abs(after - before).max() > 1e-3
    # Nothing is copied: the model that answers has the same weights.
    assert learner.serving_model.model_variables[0] is learner.model.weights[0].value
    learner.model.set_weights([0 * weight for weight in learner.model.get_weights()])
    assert np.abs(learner.predict(images).probabilities - after).max() > 1e-3


def test_the_facade_is_small():
    members = [name for name in dir(ktl.Learner) if not name.startswith("_")]
    assert len(members) <= 24, members

"""A backbone that somebody has trained: whose weights it has, and whose it leaves alone."""

import dataclasses

import keras
import numpy as np
import pytest

import keras_tl as ktl
from keras_tl.errors import BackboneError, ConfigError, RunError
from keras_tl.learner.reporting import facts
from keras_tl.models.sources import row_of
from tests.conftest import export_unverified, make_small_learner, make_tiny_data


def values(learner):
    return [weight.numpy() for weight in learner.backbone.weights]


def equal(some, others):
    return all(np.array_equal(one, other) for one, other in zip(some, others, strict=True))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A trained learner, its run, and what its backbone had before."""
    learner = make_small_learner(make_tiny_data())
    before = values(learner)
    learner.fine_tune(epochs=1, learning_rate=0.01, augment=False)
    assert not equal(before, values(learner))
    run = learner.save(tmp_path_factory.mktemp("runs") / "source")
    return learner, f"run:{run}"


@pytest.fixture
def other_task():
    data = make_tiny_data()
    return ktl.ImageData.from_arrays(
        data.split("train").images, data.split("train").labels % 2, class_names=["even", "odd"]
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", [0, 1], ids=["learner", "run"])
def test_the_trained_backbone_is_taken_and_the_source_left_alone(
    source, other_task, kind, tmp_path
):
    given = values(source[0])
    learner = ktl.Learner(source[kind], other_task, seed=1, verbose=False)
    assert equal(values(learner), given)
    assert learner.task.kind == "binary"
    assert learner.config.image_size == (32, 32)
    pixels = other_task.split("train").images
    np.testing.assert_array_equal(learner.features(pixels), source[0].features(pixels))
    learner.fine_tune(epochs=1, learning_rate=0.01, augment=False)
    assert not equal(values(learner), given)
    assert equal(values(source[0]), given)
    # Nothing of the source is needed any more.
    learner.save(tmp_path / "run")
    loaded = ktl.Learner.load(tmp_path / "run", verbose=False)
    assert equal(values(loaded), values(learner))
    export_unverified(loaded, tmp_path / "model")
    before = facts(loaded._state).pretraining
    assert before == facts(learner._state).pretraining
    assert before.weights == ["weights of another learner", "run:source"][kind]
    (training,) = before.ancestry
    assert training.weights == "weights of the keras.Model"
    described = source[0].data.describe()["splits"]["train"]
    assert dataclasses.asdict(training.data) == described
    assert [record.phase.name for record in training.history] == ["head", "fine-tune"]


def test_a_backbone_of_ones_own_can_be_cut_short(source, other_task, tmp_path):
    assert source[0].backbone.blocks == ("first", "first_norm", "second")
    learner = ktl.Learner(source[0], other_task, output_block="first_norm", verbose=False)
    assert learner.backbone.blocks == ("first", "first_norm")
    assert equal(values(learner), values(source[0])[: len(values(learner))])
    same = make_small_learner(other_task, output_block="first_norm")
    assert same.backbone.blocks == learner.backbone.blocks
    assert (
        same.trainer.parts.extractor.output_shape
        == learner.trainer.parts.extractor.output_shape
        == (None, 8)
    )
    same.save(tmp_path / "run")
    loaded = ktl.Learner.load(tmp_path / "run", verbose=False)
    assert equal(values(loaded), values(same))


@pytest.mark.slow
def test_a_backbone_of_the_catalogue_can_be_cut_and_resized(other_task, tmp_path):
    source = ktl.Learner(
        "efficientnet_lite0", other_task, image_size=32, output_block="block4", verbose=False
    )
    path = source.save(tmp_path / "source")
    learner = ktl.Learner(
        f"run:{path}", other_task, image_size=48, output_block="block2", verbose=False
    )
    assert learner.backbone.blocks == ("stem", "block1", "block2")
    assert learner.config.output_block == "block2"
    assert equal(values(learner), values(source)[: len(values(learner))])
    whole = ktl.Learner(source, other_task, image_size=48, verbose=False)
    assert whole.backbone.blocks == source.backbone.blocks
    learner.save(tmp_path / "run")
    loaded = ktl.Learner.load(tmp_path / "run", verbose=False)
    assert equal(values(loaded), values(learner))
    with pytest.raises(BackboneError, match="Unknown block of efficientnet_lite0 'block7'"):
        ktl.Learner(source, other_task, output_block="block7")


def test_a_borrowed_backbone_takes_the_precision_asked_for(source, other_task):
    lite = ktl.Learner("efficientnet_lite0", other_task, image_size=32, verbose=False)
    learner = ktl.Learner(lite, other_task, precision="mixed_bfloat16", verbose=False)
    assert {layer.compute_dtype for layer in learner.backbone.block_layers("top")} == {"bfloat16"}
    assert equal(values(learner), values(lite))


REFUSED = {
    "weights": ({"weights": "some.h5"}, ConfigError, "have their own weights. Leave weights= out"),
    "size": ({"image_size": 48}, BackboneError, r"takes \(32, 32\) pixels. Received"),
    "block": ({"output_block": "third"}, BackboneError, "Unknown block of small_backbone 'third'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_trained_backbone_cannot_is_explained(source, other_task, name):
    options, error, message = REFUSED[name]
    for given in source:
        with pytest.raises(error, match=message):
            ktl.Learner(given, other_task, **options)


def test_a_run_gives_back_all_that_is_known_of_its_backbone(source):
    learner, run = source
    loaded = ktl.Learner.load(run.removeprefix("run:"), verbose=False)
    assert loaded.backbone.facts == learner.backbone.facts
    assert learner.backbone.source == "small"


def test_a_loaded_run_knows_the_head_before_its_training(source):
    learner, run = source
    loaded = ktl.Learner.load(run.removeprefix("run:"), verbose=False)
    trained = loaded.trainer.parts.head.get_weights()
    assert equal(trained, learner.trainer.parts.head.get_weights())
    assert any(values.any() for values in trained)
    loaded.trainer.forget()
    # The kernel of an untrained head is 0.
    assert not any(values.any() for values in loaded.trainer.parts.head.get_weights())


def test_each_kind_of_backbone_has_its_row():
    backbones = {
        keras.Model(): keras.Model,
        "run:runs/photos": "run:",
        "tfhub:https://tfhub.dev/a": "tfhub:",
        "kerashub:bert_tiny_en_uncased": "kerashub:",
        "ulmfit:models/wikitext": "ulmfit:",
        "vgg16": "",
        r"C:\models\vgg16": "",
        7: None,
    }
    assert {backbone: row_of(backbone) for backbone in backbones} == backbones


def test_a_run_that_is_not_there(other_task, tmp_path):
    with pytest.raises(RunError, match="No run at"):
        ktl.Learner(f"run:{tmp_path}", other_task)

"""Whole comparisons of a tiny network: equal budgets, what is kept, what goes on."""

import contextlib
import dataclasses
import io
import json

import keras
import numpy as np
import pytest

import keras_tl as ktl
from keras_tl.backbones.loading import seeded
from keras_tl.comparison import comparing
from keras_tl.comparison.budget import Protocol
from keras_tl.comparison.cost import Cost, extrapolate
from keras_tl.comparison.running import Run, Setup, Watch, run, scores, subset
from keras_tl.comparison.skill import Skill
from keras_tl.comparison.store import Store
from keras_tl.comparison.verdict import ARMS
from keras_tl.errors import BackboneError, ConfigError, DataError
from keras_tl.evaluation.transferability import logme
from keras_tl.tasks import TASKS
from tests import kerashub_presets, language_models
from tests.conftest import make_small_learner, make_tiny_data, small_network
from tests.test_text_journey import make_texts

# Those that train the backbone; the frozen one is part of the whole comparisons below.
LIVE = ("scratch", "fine-tuned")
SETTINGS = {"preprocess": "tf", "image_size": 32, "protocol": Protocol(epochs=3), "verbose": False}


def data_without_validation(per_class=12):
    data = make_tiny_data(per_class)
    splits = {name: data.split(name) for name in ("train", "test")}
    return dataclasses.replace(data, splits=splits)


@dataclasses.dataclass(frozen=True)
class WatchedSubject(Setup):
    """Remembers the learners that it has given out."""

    given: list = dataclasses.field(default_factory=list)

    def learner(self, *arguments):
        self.given.append(super().learner(*arguments))
        return self.given[-1]


@pytest.fixture(scope="module")
def setup():
    data = data_without_validation()
    return WatchedSubject(
        source=make_small_learner(data),
        options={},
        data=data,
        skill=Skill(data.task),
        budget=Protocol(3, head_epochs=1, head_learning_rate=3e-3, batch_size=16).budget("image"),
        augment="no-flip",
        cache=ktl.CacheConfig("memory"),
    )


@pytest.fixture(scope="module")
def runs(setup):
    before = setup.source.backbone.get_weights()
    found = {arm: run(setup, arm, 20, seed=5) for arm in LIVE}
    for one, other in zip(before, setup.source.backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    return found, dict(zip(LIVE, setup.given, strict=True))


def test_all_arms_have_the_same_budget_and_nothing_is_stopped_or_chosen(runs, setup):
    found, learners = runs
    budget = setup.budget
    phases = {"scratch": budget.scratch, "fine-tuned": (budget.head, *budget.fine_tuned)}
    for arm in LIVE:
        records = learners[arm].history
        train = learners[arm].data.split("train")
        settled = [learners[arm].trainer.settled(phase, len(train)) for phase in phases[arm]]
        assert [record.phase for record in records] == settled
        assert [phase.epochs for phase in settled] == [phase.epochs for phase in phases[arm]]
        assert sum(len(record.epochs) for record in records) == 3
        assert [record.best_epoch for record in records] == [len(r.epochs) for r in records]
        assert not any("val_loss" in epoch for record in records for epoch in record.epochs)
        assert {record.phase.batch_size for record in records} == {16}
        assert {record.augment for record in records} == {("no-flip",)}
        assert found[arm].skills.shape == (3, len(setup.data.split("test")))
        assert found[arm].skills.dtype == np.uint8
        assert np.all(np.diff(np.ravel(found[arm].marks)) >= 0)


def test_the_arms_share_items_order_and_first_head(runs, setup):
    _, learners = runs
    assert [learner.trainer.seed for learner in learners.values()] == [5, 5]
    first, other = (learner.data.split("train").images for learner in learners.values())
    assert len(first) == 20
    np.testing.assert_array_equal(first, other)
    heads = [setup.learner(arm, setup.data, 5).trainer.parts.head.get_weights() for arm in LIVE]
    for one, other in zip(*heads, strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_arm_that_diverged_is_named(setup):
    learner = setup.learner("frozen", setup.data, 0)
    learner.trainer.parts.head.set_weights(
        [np.full_like(weight, np.nan) for weight in learner.trainer.parts.head.get_weights()]
    )
    watch = Watch(learner, setup.skill, 0.0, "The arm frozen (seed 0)")
    with pytest.raises(ConfigError, match=r"The arm frozen \(seed 0\) diverged: after epoch 1"):
        watch.on_epoch_end(0)


def test_the_last_outcomes_are_those_of_the_trained_model(runs):
    found, learners = runs
    for arm in LIVE:
        labels = learners[arm].data.split("test").labels
        pixels = learners[arm].data.split("test").images
        answers = learners[arm].model(pixels, training=False).numpy().argmax(axis=1)
        np.testing.assert_array_equal(found[arm].skills[-1], answers == labels)


def test_the_arms_begin_with_the_weights_they_are_named_for(runs, setup):
    _, learners = runs
    pretrained = setup.source.backbone.get_weights()[0]
    distances = {
        arm: np.abs(learners[arm].backbone.get_weights()[0] - pretrained).max() for arm in LIVE
    }
    # A few steps at no more than 1e-3, and other random numbers.
    assert 0 < distances["fine-tuned"] < 0.03
    assert distances["scratch"] > 0.1
    assert [learner.backbone.weights_source for learner in learners.values()].count(None) == 1


def test_the_score_before_training_is_of_the_arms_own_features(setup):
    with seeded(7):
        source = ktl.Learner(
            small_network(), setup.data, image_size=32, preprocess="tf", verbose=False
        )
    setup = dataclasses.replace(setup, source=source)
    found = scores(setup)
    train = setup.data.split("train")
    fresh = setup.learner("scratch", setup.data, 0)
    for name, learner in {"pretrained": setup.source, "random": fresh}.items():
        features = learner.features(train.images)
        assert found[name] == pytest.approx(
            logme(features, train.labels, TASKS["multiclass"]), rel=1e-4
        )
    assert found["pretrained"] != found["random"]


def test_other_labels_are_another_comparison(setup):
    data = setup.data
    train = data.split("train")
    swapped = dataclasses.replace(train, labels=train.labels[::-1].copy())
    other = dataclasses.replace(data, splits=data.splits | {"train": swapped})
    one, two = (comparing._what(dataclasses.replace(setup, data=which)) for which in (data, other))
    assert one["data"].pop("labels") != two["data"].pop("labels")
    assert one == two


def test_a_size_is_drawn_in_proportion_and_anew_for_each_seed():
    data = data_without_validation(per_class=40)
    labels = data.split("train").labels
    counts = np.bincount(labels)
    drawn = [subset(data, 30, seed).split("train") for seed in (0, 0, 1)]
    for split in drawn:
        assert len(split) == 30
        np.testing.assert_allclose(np.bincount(split.labels), counts * 30 / len(labels), atol=1)
    assert np.array_equal(drawn[0].images, drawn[1].images)
    assert not np.array_equal(drawn[0].images, drawn[2].images)
    assert subset(data, None, 0) is data
    # One that is there once only is in every draw.
    rare = dataclasses.replace(data.split("train"), labels=np.r_[2, np.arange(len(labels) - 1) % 2])
    rare = dataclasses.replace(data, splits={"train": rare})
    assert [np.bincount(subset(rare, 5, seed).split("train").labels)[2] for seed in (0, 1)] == [
        1,
        1,
    ]
    assert len(subset(data, 30, 0).split("test")) == len(data.split("test"))


# By where features are kept: how often those of all items are computed for two frozen runs and a
# fine-tuned one with 3 + 3 + 1 epochs of the head, and how often the test items are evaluated then.
KEPT = {"auto": (1, 0), "disk": (1, 0), "memory": (3, 0), "off": (0, 7)}


@pytest.mark.parametrize("where", KEPT)
def test_the_cost_by_hand(setup, where):
    # Until the head is training 1 s, and 0.1 an epoch of it; 1.2 until the network is
    # training, 0.5 an epoch, 0.5 to evaluate.
    marks = ((1.0, 1.1), (1.2, 1.3), (3.0, 3.5), (4.0, 4.5))
    train, test = (len(setup.data.split(name)) for name in ("train", "test"))
    jobs = [("frozen", None, 0), ("frozen", None, 1), ("fine-tuned", None, 0)]
    jobs.append(("scratch", None, 0))
    extracted, evaluated = KEPT[where]
    chosen = dataclasses.replace(setup, cache=ktl.CacheConfig(where), augment=False)
    seconds = extrapolate(chosen, jobs, Run(None, 4.5, marks), 10, 5)
    live = 0.05 * train + 0.1 * test
    assert seconds["scratch"] == pytest.approx(1 + 1.2 + 3 * live)
    transfer = 3 * 1 + 7 * 0.01 * train + 1.2 + 2 * live
    transfer += 0.1 * (extracted * (train + test) + evaluated * test)
    assert seconds["frozen"] + seconds["fine-tuned"] == pytest.approx(transfer)
    assert "for 4 runs (already finished: 2)" in Cost(4, 2, seconds).describe()


REFUSED = {
    "no-weights": ({"weights": None}, ConfigError, "weights=None stands for random weights"),
    "no-seeds": ({"seeds": []}, ConfigError, "at least one"),
    "twice": ({"seeds": [1, 1]}, ConfigError, "no seed twice"),
    "negative": ({"seeds": [-1]}, ConfigError, "a seed must be a whole number"),
    "seeds-of-numpy": ({"seeds": np.int64(5)}, ConfigError, "seeds must be a whole number"),
    "too-large": ({"sizes": [99999]}, ConfigError, "a whole number from 3 to 26"),
    "too-small": ({"sizes": [2]}, ConfigError, "a whole number from 3 to 26"),
    "no-size": ({"sizes": []}, ConfigError, "a list with at least one number"),
    "one-size": ({"sizes": 20}, ConfigError, "a list with at least one number"),
    "no-difference": ({"min_difference": 0}, ConfigError, "min_difference must be"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_compared_is_refused_before_anything_is_built(name):
    arguments, error, says = REFUSED[name]
    with pytest.raises(error, match=says):
        # No backbone: a learner of it would be another error.
        ktl.compare(None, make_tiny_data(), **arguments)


def test_there_must_be_a_test_split():
    data = dataclasses.replace(data_without_validation(), splits={"train": None})
    with pytest.raises(DataError, match="There is no test split"):
        ktl.compare("resnet50", data)


def test_a_module_has_no_random_weights():
    with pytest.raises(BackboneError, match="cannot have random weights"):
        ktl.Learner("tfhub:somewhere", make_tiny_data(), weights=None, verbose=False)


def stored(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("runs/*.npy"))}


def without_times(comparison):
    values = comparison.to_json() | {"folder": None}
    for found in values["sizes"]:
        for curve in found["curves"].values():
            curve["seconds"] = None
    return values


def test_the_plan_has_the_groups_of_the_test_items():
    data = data_without_validation()
    assert comparing._test_groups(data) is None
    splits = {
        name: dataclasses.replace(split, slices={"patient": np.arange(len(split))[::-1] // 2})
        for name, split in data.splits.items()
    }
    grouped = dataclasses.replace(data, splits=splits, split_settings={"groups": "patient"})
    items = len(data.split("test"))
    found = comparing._test_groups(grouped)
    assert found["by"] == "patient"
    assert len(found["numbers"]) == items
    assert found["numbers"][0] == 0
    assert len({*found["numbers"]}) == -(-items // 2)
    assert json.loads(json.dumps(found)) == found


@pytest.mark.slow
def test_what_was_interrupted_goes_on_to_the_same_bytes(tmp_path):
    data, network = make_tiny_data(), small_network()
    weights = network.get_weights()
    settings = SETTINGS | {"seeds": 2, "sizes": (None, 15)}
    whole = ktl.compare(network, data, path=tmp_path / "whole", **settings)
    for one, other in zip(weights, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert [(found.size, found.seeds) for found in whole.sizes] == [(None, (0, 1)), (15, (0, 1))]
    assert len(stored(tmp_path / "whole")) == 12

    class Interrupting(io.StringIO):
        def write(self, text):
            if "4/12 " in text:  # Four runs are finished.
                raise KeyboardInterrupt
            return super().write(text)

    loud = settings | {"verbose": True}
    with pytest.raises(KeyboardInterrupt), contextlib.redirect_stderr(Interrupting()):
        ktl.compare(network, data, path=tmp_path / "parts", **loud)
    assert ktl.Comparison.load(tmp_path / "parts").sizes[0].seeds == (0,)
    assert Store(tmp_path / "parts").plan()["looks"] == []
    left = ktl.compare(network, data, path=tmp_path / "parts", dry_run=True, **settings)
    assert (left.runs, left.finished) == (8, 4)
    assert set(left.seconds) == set(ARMS)
    assert left.total > 0
    parts = ktl.compare(network, data, path=tmp_path / "parts", **settings)
    assert stored(tmp_path / "parts") == stored(tmp_path / "whole")
    looks = [Store(tmp_path / name).plan()["looks"] for name in ("parts", "whole")]
    assert looks[0] == looks[1] == [{"seeds": [0, 1], "sizes": [15, None]}]
    assert without_times(parts) == without_times(whole)
    assert json.loads(json.dumps(parts.to_json()))


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "multilabel", "regression"])
def test_all_tasks_are_compared(tmp_path, task, monkeypatch):
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    pixels = random.uniform(0, 255, (40, 32, 32, 3)).astype(np.float32)
    labels = {
        "binary": random.integers(2, size=40),
        "multilabel": random.integers(2, size=(40, 3)),
        "regression": random.normal(size=40),
    }[task]
    data = ktl.ImageData.from_arrays(pixels, labels, verbose=False)
    assert data.task == task
    found = ktl.compare(small_network(), data, seeds=1, **SETTINGS)
    assert {verdict.outcome for verdict in found.verdicts} == {"undecided"}
    assert found.sizes[0].ship.arm is None
    assert found.folder.startswith("runs/compare-")


@pytest.mark.slow
def test_what_differs_only_by_its_weights_is_trained_alike(tmp_path):
    """The fine-tuned arm can be trained exactly as the one from scratch."""
    protocol = Protocol(3, head_epochs=0, policy="scratch")
    settings = SETTINGS | {"protocol": protocol, "seeds": 1}
    found = ktl.compare(small_network(), make_tiny_data(), path=tmp_path / "c", **settings)
    budget = found.what["budget"]
    assert budget["fine-tuned"] == budget["scratch"]
    assert budget["head"] is None


def test_a_learner_from_the_same_network_has_fresh_weights_for_each_seed():
    learner = make_small_learner(data_without_validation())
    fresh = [
        ktl.Learner(learner, learner.data, weights=None, seed=seed, verbose=False)
        for seed in (1, 1, 2)
    ]
    first, same, other = (one.backbone.get_weights() for one in fresh)
    assert np.array_equal(first[0], same[0])
    assert not np.array_equal(first[0], other[0])
    assert not np.array_equal(first[0], learner.backbone.get_weights()[0])
    assert fresh[0].backbone.weights_source is None
    assert fresh[0].backbone.ancestry == ()


def test_what_was_adapted_to_data_is_no_weight_that_is_drawn_anew():
    layer = keras.layers.Normalization()
    layer.adapt(np.random.default_rng(0).normal(3, 2, (8, 4, 4, 3)))
    inputs = keras.Input((32, 32, 3))
    network = keras.Model(inputs, keras.layers.Conv2D(4, 3)(layer(inputs)))
    learner = ktl.Learner(
        network,
        data_without_validation(),
        weights=None,
        preprocess="none",
        seed=0,
        verbose=False,
    )
    given, fresh = network.get_weights(), learner.backbone.network.get_weights()
    assert len(given) == len(fresh)
    same = [np.array_equal(one, other) for one, other in zip(given, fresh, strict=True)]
    # Mean, variance and count; the kernel; the bias of zeros.
    assert same == [True, True, True, False, True]


def make_backbone(kind, folder):
    """What a comparison takes as backbone, for texts."""
    if kind == "ulmfit":
        return f"ulmfit:{language_models.save_language_model(folder)}"
    pytest.importorskip("keras_hub", reason="it needs a newer Keras than ours may be")
    return f"kerashub:{kerashub_presets.make_bert(folder)}"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ulmfit", "kerashub"])
def test_encoders_of_texts_are_compared_with_fresh_ones(tmp_path, kind):
    backbone = make_backbone(kind, tmp_path / "model")
    given = ktl.Learner(backbone, make_texts(), seed=0, verbose=False)
    fresh = ktl.Learner(backbone, make_texts(), weights=None, seed=0, verbose=False)
    shapes = [[weight.shape for weight in one.backbone.weights] for one in (given, fresh)]
    assert shapes[0] == shapes[1]
    moved = [
        not np.array_equal(one, other)
        for one, other in zip(
            given.backbone.get_weights(), fresh.backbone.get_weights(), strict=True
        )
        # Biases of attention have two axes and begin at 0.
        if one.ndim > 1 and one.any()
    ]
    assert moved
    assert all(moved)
    assert (fresh.config.sequence_length, fresh.backbone.ancestry) == (
        given.config.sequence_length,
        (),
    )
    found = ktl.compare(
        backbone, make_texts(), seeds=1, protocol=Protocol(2), path=tmp_path / "out", verbose=False
    )
    assert found.what["model"]["backbone"] == backbone
    assert [len(curve.mean) for curve in found.sizes[0].curves.values()] == [2, 2, 2]


@pytest.mark.slow
def test_two_replicas_and_half_precision(tmp_path):
    found = ktl.compare(
        small_network(),
        make_tiny_data(),
        seeds=1,
        path=tmp_path / "out",
        strategy="mirrored",
        precision="mixed_bfloat16",
        **SETTINGS,
    )
    assert found.what["model"]["precision"] == "mixed_bfloat16"
    assert len(found.verdicts) == 2

"""`rank_backbones`: what is ranked, on which items, and what becomes of a backbone that fails."""

import dataclasses
import json
import sys

import numpy as np
import pytest

import keras_tl as ktl
from keras_tl.backbones.catalogue import CATALOGUE
from keras_tl.backbones.loading import seeded
from keras_tl.data.splits import draw
from keras_tl.errors import BackboneError, ConfigError, DataError
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.evaluation.ranking import RankedBackbone, Ranking, choose_backbone
from keras_tl.evaluation.transferability import logme
from keras_tl.tasks import TASKS
from tests.conftest import make_small_learner, make_tiny_data, small_network

SETTINGS = {"image_size": 32, "preprocess": "tf", "cache": "memory", "verbose": False}


@pytest.fixture(scope="module")
def data():
    return make_tiny_data()


@pytest.fixture(scope="module")
def network():
    with seeded(0):
        return small_network()


@pytest.fixture(scope="module")
def blind(network):
    """The same network, but it gives the same for everything."""
    copy = small_network()
    copy.set_weights([0 * weight for weight in network.get_weights()])
    return copy


@pytest.fixture(scope="module")
def ranking(data, network, blind):
    given = [
        {"name": "blind", "backbone": blind},
        {"name": "too small", "backbone": "efficientnet_lite0", "image_size": 8},
        make_small_learner(data),
        network,
        {"name": "first block", "backbone": network, "output_block": "first"},
    ]
    return ktl.rank_backbones(data, given, max_items=20, **SETTINGS)


def test_the_best_is_first_and_what_cannot_be_ranked_is_last_with_the_reason(ranking):
    names = [row.name for row in ranking.rows]
    assert names[-2:] == ["blind", "too small"]
    assert ranking.best.name == ranking.chosen
    metrics = [row.metric for row in ranking.rows[:-1]]
    assert metrics == sorted(metrics, reverse=True)
    assert ranking.rows[-1].metric is None
    assert "at least 32 x 32 pixels" in ranking.rows[-1].error
    widths = {row.name: row.width for row in ranking.rows}
    assert (widths["small"], widths["first block"]) == (16, 8)


def test_a_learner_is_ranked_by_its_backbone(ranking):
    scores = {row.name: row.score for row in ranking.rows}
    assert scores["learner of small"] == pytest.approx(scores["small"], abs=1e-6)


def test_the_metric_is_that_of_the_learner_s_cross_validation(data, network):
    found = ktl.rank_backbones(data, [network], **SETTINGS)
    learner = ktl.Learner(network, data, image_size=32, preprocess="tf", seed=0, verbose=False)
    expected = learner.cross_validate(splits=["train"])
    assert found.best.metric == pytest.approx(expected["accuracy"])
    assert found.best.interval == pytest.approx(expected["intervals"]["accuracy"])
    assert found.primary_metric == "accuracy"


def made_outcomes(hits):
    """Binary outcomes of 100 items, of which so many are right."""
    labels = np.ones(100, int)
    return PredictionRecord(labels, np.where(np.arange(100) < hits, 1.0, -1.0)[:, None])


@pytest.mark.parametrize(
    ("hits", "seconds", "expected"),
    [
        ({"a": 90, "b": 60}, {"a": 2, "b": 1}, "a"),
        ({"a": 90, "b": 90}, {"a": 2, "b": 1}, "b"),
        ({"a": 90, "b": 89}, {"a": 2, "b": 1}, "b"),
        ({"a": 90, "b": 89}, {"a": 1, "b": 2}, "a"),
        ({"a": 90, "b": 89, "c": 50}, {"a": 3, "b": 2, "c": 1}, "b"),
        ({"a": 90, "b": 89}, {"a": 1.2, "b": 1}, "a"),
        ({"a": 90, "b": 89, "c": 89}, {"a": 1.3, "b": 1.2, "c": 1}, "c"),
        ({"a": 60, "b": 90, "c": 89}, {"a": 1, "b": 2.4, "c": 2}, "b"),
    ],
)
def test_the_fastest_within_one_standard_error_of_the_best_is_chosen(hits, seconds, expected):
    outcomes = {name: made_outcomes(count) for name, count in hits.items()}
    assert choose_backbone(TASKS["binary"](), outcomes, seconds) == expected


def test_few_groups_leave_more_backbones_within_one_standard_error():
    # `a` is better only on the items of one of five groups.
    outcomes = {name: made_outcomes(count) for name, count in {"a": 90, "b": 60}.items()}
    changed = outcomes["a"].logits[:, 0] != outcomes["b"].logits[:, 0]
    groups = np.where(changed, 4, np.arange(len(changed)) % 4)
    seconds = {"a": 2, "b": 1}
    assert choose_backbone(TASKS["binary"](), outcomes, seconds) == "a"
    assert choose_backbone(TASKS["binary"](), outcomes, seconds, groups) == "b"


def test_of_an_error_less_is_better():
    labels = np.arange(50, dtype=np.float32)
    outcomes = {
        name: PredictionRecord(labels, (labels + off)[:, None])
        for name, off in {"a": 1, "b": 5}.items()
    }
    seconds = {"a": 2, "b": 1}
    assert choose_backbone(TASKS["regression"](), outcomes, seconds) == "a"


def test_without_names_those_at_hand_are_ranked(monkeypatch, tmp_path, data):
    # Nothing was downloaded, and no package with weights is installed.
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    packages = [spec.weights.package for spec in CATALOGUE.values() if spec.weights]
    for package in filter(None, packages):
        monkeypatch.setitem(sys.modules, package.file.partition("/")[0], None)
    found = ktl.rank_backbones(data, image_size=32, cache="memory", verbose=False)
    assert [row.name for row in found.rows] == ["efficientnet_lite0"]
    learner = ktl.Learner("auto", data, image_size=32, seed=0, verbose=False)
    assert learner.config.backbone == "efficientnet_lite0"
    assert learner.history.ranking.chosen == "efficientnet_lite0"
    assert learner.history.ranking.best.metric == found.best.metric
    with pytest.raises(ConfigError, match="expected weights='imagenet'"):
        ktl.Learner("auto", data, weights=None)
    with pytest.raises(ConfigError, match=r"Learner\('auto'\) .* Leave preprocess= out"):
        ktl.Learner("auto", data, preprocess="tf", verbose=False)


def test_no_encoder_of_texts_is_at_hand():
    texts = ktl.TextData.from_arrays(["good", "bad"] * 10, ["a", "b"] * 10)
    with pytest.raises(ConfigError, match="Name the encoders to compare"):
        ktl.Learner("auto", texts, verbose=False)


def test_the_score_is_that_of_the_features_of_the_items_drawn(ranking, data, network):
    train = data.split("train")
    chosen = train.take(draw(train.labels, 20, seed=0))
    learner = make_small_learner(data)
    score = logme(learner.features(chosen, cache="off"), chosen.labels, TASKS[data.task])
    assert {row.name: row.score for row in ranking.rows}["small"] == pytest.approx(score, abs=1e-5)
    assert (ranking.items, ranking.item, ranking.task) == (20, "image", "multiclass")


def test_how_a_ranking_is_shown(ranking):
    text, html = ranking.describe(), ranking._repr_html_()
    lines = text.splitlines()
    assert lines[0].split("  ")[0] == "backbone"
    assert all(column in lines[0] for column in ranking.columns)
    assert len({len(line) for line in lines[:6]}) == 1
    for row in ranking.rows:
        assert row.name in text
        assert f"<td>{row.name}</td>" in html
    assert ranking.rows[-1].error in text
    assert "20 training images" in text
    read = json.loads(json.dumps(ranking.to_json()))
    assert [row["name"] for row in read["rows"]] == [row.name for row in ranking.rows]
    assert "2102.11005" in read["method"]


def test_names_are_no_markup():
    row = RankedBackbone("<b>", 0.5, None, 1.0, 2, 3, 0.1)
    rows = (row, RankedBackbone("c", error="a < b"))
    html = Ranking(rows, "binary", "accuracy", 2, "image", 0, "<b>")._repr_html_()
    assert "<td>&lt;b&gt;</td>" in html
    assert "a &lt; b" in html


@pytest.mark.parametrize("task", ["multilabel", "regression"])
def test_other_tasks_rank_too(data, network, blind, task):
    numbers = data.split("train").labels
    labels = {
        "multilabel": np.eye(3, dtype=np.float32)[numbers][:, :2],
        "regression": 100 + numbers.astype(np.float32),
    }[task]
    train = dataclasses.replace(data.split("train"), labels=labels)
    names = ("red", "green") if task == "multilabel" else ()
    other = dataclasses.replace(data, splits={"train": train}, task=task, class_names=names)
    given = [{"name": "blind", "backbone": blind}, network]
    found = ktl.rank_backbones(other, given, **SETTINGS)
    assert [row.name for row in found.rows] == ["small", "blind"]
    assert found.items == len(train)


@pytest.mark.parametrize(
    ("given", "options", "error", "message"),
    [
        ([], {}, ConfigError, "a list of at least one"),
        ("vgg16", {}, ConfigError, "a list of at least one"),
        ({"backbone": "vgg16"}, {}, ConfigError, "a list of at least one"),
        ([{"output_block": "top"}], {}, ConfigError, "needs the key 'backbone'"),
        (["vgg16", "vgg16"], {}, ConfigError, "vgg16 is given twice"),
        (
            ["vgg16"],
            {"max_items": 1},
            ConfigError,
            "max_items must be a whole number of at least 2",
        ),
        (["vgg16", "vgg61"], {}, BackboneError, "Unknown backbone 'vgg61'"),
        (
            ["efficientnet_lite0"],
            {"image_size": 8},
            ConfigError,
            "None of the backbones could be ranked. efficientnet_lite0: efficientnet_lite0 needs",
        ),
    ],
)
def test_mistakes(data, given, options, error, message):
    with pytest.raises(error, match=message):
        ktl.rank_backbones(data, given, verbose=False, **options)


def test_data_at_fault_stop_everything_before_a_backbone_is_loaded(data):
    train = data.split("train")
    same = dataclasses.replace(train, labels=np.zeros_like(train.labels))
    with pytest.raises(DataError, match="have the same label"):
        ktl.rank_backbones(dataclasses.replace(data, splits={"train": same}), ["resnet50"])


def test_what_was_ranked_is_found_again_by_the_head(tmp_path, data, network):
    cache = ktl.CacheConfig(folder=str(tmp_path))
    ktl.rank_backbones(data, [network], **(SETTINGS | {"cache": cache}))
    (entry,) = (tmp_path / "features").iterdir()
    learner = ktl.Learner(network, data, image_size=32, preprocess="tf", seed=0, verbose=False)
    features = learner.features(learner.data.split("train"), cache=cache)
    assert features.shape == (len(data.split("train")), 16)
    assert list((tmp_path / "features").iterdir()) == [entry]


# Class sizes, and how many to draw; how many of each class that makes.
DRAWS = [
    ([100, 50, 10], 32, [20, 10, 2]),
    ([100, 50, 1], 10, None),
    ([5, 5], 20, [5, 5]),
    ([90, 10], 2, [1, 1]),
    ([4, 0, 4], 4, [2, 0, 2]),
]


@pytest.mark.parametrize(("sizes", "count", "expected"), DRAWS)
def test_each_class_is_drawn_in_proportion_and_at_least_once(sizes, count, expected):
    labels = np.random.default_rng(1).permutation(np.repeat(np.arange(len(sizes)), sizes))
    rows = draw(labels, count, seed=0)
    assert len(rows) == len(set(rows)) == min(count, len(labels))
    assert list(rows) == sorted(rows)
    found = np.bincount(labels[rows], minlength=len(sizes))
    assert (found > 0).tolist() == [size > 0 for size in sizes]
    if expected is not None:
        assert found.tolist() == expected
    assert np.array_equal(rows, draw(labels, count, seed=0))
    if count < len(labels):
        assert not np.array_equal(rows, draw(labels, count, seed=1))


def test_rows_without_one_class_are_drawn_at_random():
    rows = draw(np.zeros((50, 3), np.float32), 10, seed=0)
    assert len(set(rows)) == 10
    assert set(rows) <= set(range(50))

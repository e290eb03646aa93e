"""What runs by itself before training: once, on what training needs anyway, and changes nothing."""

import dataclasses
import json
import random

import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

import keras_tl as ktl
from keras_tl.base.guesses import Guess
from keras_tl.cli import cli
from keras_tl.data.folders.unused_files import UnusedFiles
from keras_tl.data.images.image_split import ImageSplit
from keras_tl.errors import CacheError, ConfigError, DataError
from keras_tl.learner.checking import context
from keras_tl.preflight.checks import CHECKS
from keras_tl.preflight.findings import Findings
from keras_tl.preflight.findings_cache import _key as known_key
from tests.conditions import file_size_limit
from tests.preflight_data import changed, make_learner


@pytest.fixture
def counted(monkeypatch):
    """How often the first check ran."""
    calls = []
    name = next(iter(CHECKS))
    check = CHECKS[name]
    monkeypatch.setitem(CHECKS, name, lambda context: calls.append(1) or check(context))
    return calls


def states():
    return random.getstate(), str(np.random.get_state()), tf.random.uniform((3,)).numpy().tolist()


@pytest.mark.parametrize(
    "fine_tunes", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["head", "both"]
)
def test_training_is_the_same_with_it_and_without_bit_for_bit(clean, counted, capsys, fine_tunes):
    results = []
    for check in (True, False):
        learner = make_learner(clean, preflight=check, verbose=True)
        random.seed(1)
        np.random.seed(1)
        tf.random.set_seed(1)
        learner.fit_head(2, cache="memory")
        if fine_tunes:
            learner.fine_tune(1)
        losses = [record.epochs for record in learner.history]
        results.append((losses, learner.model.get_weights(), states()))
        said = capsys.readouterr().err
        assert ("Preflight: nothing found." in said) == check
        assert learner.history.findings == (Findings() if check else None)
    assert len(counted) == 1
    (losses, weights, state), (other_losses, other_weights, other_state) = results
    assert losses == other_losses
    assert state == other_state
    for one, other in zip(weights, other_weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_findings_are_kept_saved_and_loaded(clean, tmp_path, counted, capsys):
    labels = np.where(np.arange(120) < 110, 0, np.arange(120) % 2 + 1)
    faulty = changed(clean, "train", labels=labels)
    learner = make_learner(faulty, verbose=True)
    found = learner.check()
    assert found is learner.history.findings
    assert {"class-imbalance", "few-items"} == set(found.names)
    assert "warning (class-imbalance)" in capsys.readouterr().err
    learner.fit_head(1)
    # It was done already.
    assert len(counted) == 1
    learner.save(tmp_path / "run")
    loaded = ktl.Learner.load(tmp_path / "run", verbose=False)
    assert loaded.history.findings == found
    assert loaded.history.findings.not_checked == found.not_checked


@pytest.fixture
def until_training(monkeypatch):
    """A function that calls another until a learner begins to train, and not longer."""

    def interrupted(*arguments):
        raise KeyboardInterrupt

    def begin(learner, train):
        monkeypatch.setattr(learner.trainer, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(learner)

    return begin


def test_a_second_start_knows_the_findings_of_the_first(clean, counted, tmp_path, until_training):
    few = changed(clean, "test", images=clean.splits["test"].images[:9], labels=np.arange(9) % 3)
    others = changed(few, "test", labels=few.splits["test"].labels[::-1].copy())
    learner, cache = make_learner(few), ktl.CacheConfig("disk", folder=str(tmp_path))

    def start(data):
        learner._state.data, learner._state.findings = data, None
        until_training(learner, lambda x: x.fit_head(1, cache=cache))
        assert learner.history.findings.names == ("small-test-split",)
        return len(counted), learner.history.findings.not_checked

    assert start(few) == (1, {})
    assert start(few) == (1, {})
    # Labels are not among what the features depend on.
    assert start(others) == (2, {})
    assert start(few) == (2, {})
    # A file that cannot be read is no reason not to look.
    for file in (tmp_path / "preflight").iterdir():
        file.write_text("{")
    assert start(few) == (3, {})


def test_findings_are_known_by_all_that_they_depend_on(clean, learner):
    looked_at = context(learner._state, "all")
    test = clean.splits["test"]
    others = {
        "labels": {"data": changed(clean, "test", labels=test.labels[::-1].copy())},
        "guesses": {
            "data": dataclasses.replace(clean, guesses=(Guess("label-type", "Read.", "Pass."),))
        },
        "unused": {
            "data": dataclasses.replace(clean, unused_files=UnusedFiles("image", "", {".heic": 1}))
        },
        "items": {"data": changed(clean, "test", images=test.images[::-1].copy())},
        "weighted": {"given": dataclasses.replace(looked_at.given, weighted=True)},
        "head": {
            "given": dataclasses.replace(
                looked_at.given,
                config=dataclasses.replace(learner.config, head=ktl.HeadConfig(dropout=0.5)),
            )
        },
    }
    subjects = [looked_at, *(dataclasses.replace(looked_at, **x) for x in others.values())]
    assert len({known_key(x) for x in subjects}) == len(subjects)


def test_what_cannot_work_is_one_error_before_anything_is_trained(clean):
    labels = clean.splits["train"].labels.copy()
    labels[4] = 3
    learner = make_learner(changed(clean, "train", labels=labels))
    for _ in range(2):
        with pytest.raises(DataError, match=r"Received others: 1 of 120 in train, such as 3"):
            learner.fit_head(1)
    assert learner.history == ()
    assert learner.history.findings.names == ("labels-out-of-range",)


def test_a_wrong_argument_is_told_first(clean, counted):
    learner = make_learner(clean)
    with pytest.raises(ConfigError, match="Unknown class in class_weight"):
        learner.fit_head(1, class_weight={"none": 1.0})
    assert counted == []


# How training begins; what is not looked at then.
LIVE = {
    "cache-off": (lambda x: x.fit_head(1, cache="off"), {"near-duplicates"}),
    "augmented": (lambda x: x.fit_head(1, augment=True), {"near-duplicates"}),
    "scratch": (
        lambda x: x.fine_tune(1, policy="scratch"),
        {
            *("near-duplicates", "initial-loss", "one-batch"),
            *("constant-features", "non-finite-features", "feature-scale"),
        },
    ),
}


@pytest.mark.parametrize("name", LIVE)
def test_features_that_training_does_not_need_are_not_extracted(
    clean, name, tmp_path, monkeypatch, until_training
):
    train, left_out = LIVE[name]
    monkeypatch.setenv("KERAS_TL_CACHE", str(tmp_path))
    learner = make_learner(clean)
    until_training(learner, train)
    assert set(learner.history.findings.not_checked) == left_out
    assert not (tmp_path / "features").exists()


def test_balanced_classes_are_not_asked_for_again(clean, until_training):
    labels = np.where(np.arange(120) < 110, 0, np.arange(120) % 2 + 1)
    learner = make_learner(changed(clean, "train", labels=labels))
    until_training(learner, lambda x: x.fit_head(1, class_weight="balanced", cache="off"))
    assert "class-imbalance" not in learner.history.findings.names


@pytest.mark.slow
def test_a_trained_learner_can_be_checked(clean):
    learner = make_learner(clean, preflight=False)
    learner.fit_head(1, cache="memory")
    learner.fine_tune(1)
    found = learner.check()
    assert found.names == ()
    assert found.not_checked == {
        "initial-loss": "the head is trained",
        "near-duplicates": "the feature cache does not hold the features of all items",
    }


@pytest.fixture(scope="module")
def photos(clean, tmp_path_factory):
    """The same as files."""
    folder = tmp_path_factory.mktemp("photos")
    for name, split in clean.splits.items():
        for number, (pixels, label) in enumerate(zip(split.images, split.labels, strict=True)):
            file = folder / name / f"class {label}" / f"{number}.jpg"
            file.parent.mkdir(parents=True, exist_ok=True)
            content = tf.io.encode_jpeg(
                tf.cast(pixels, tf.uint8), quality=100, chroma_downsampling=False
            )
            file.write_bytes(content.numpy())
    return ktl.ImageData.from_folder(folder, verbose=False), folder


def without(data, name):
    """The same after the files of a split have gone."""
    split = data.splits[name]
    gone = ImageSplit(tuple(f"gone {number}.png" for number in range(len(split))), split.labels)
    return dataclasses.replace(data, splits=data.splits | {name: gone})


# The split that has gone; the most bytes of a file, where the features of an item take 64; what is
# said if it is in the way of the test split only.
IN_THE_WAY = {
    "test-gone": ("test", 10**9, "the test split: Cannot read gone 0.png"),
    "no-room-for-test": (None, 159 * 64, "the test split: Cannot write the feature cache"),
    "train-gone": ("train", 10**9, None),
    "no-room-for-train": (None, 119 * 64, None),
}


@pytest.mark.parametrize(
    "name",
    [pytest.param(x, marks=pytest.mark.slow) if x == "no-room-for-test" else x for x in IN_THE_WAY],
)
def test_only_what_training_needs_stops_it(photos, name, tmp_path, until_training):
    gone, most_bytes, said = IN_THE_WAY[name]
    learner = make_learner(photos[0])
    learner._state.data = photos[0] if gone is None else without(photos[0], gone)
    cache = ktl.CacheConfig("disk", folder=str(tmp_path))
    if said is None:
        with pytest.raises(DataError if gone else CacheError), file_size_limit(most_bytes):
            learner.fit_head(1, cache=cache)
        assert (learner.history, learner.history.findings) == ((), None)
        return
    with file_size_limit(most_bytes):
        until_training(learner, lambda x: x.fit_head(1, cache=cache))
    assert learner.history.findings == ()
    reason = learner.history.findings.not_checked["near-duplicates"]
    assert reason.startswith(said)
    assert not reason.endswith(".")
    # Another time it may be readable.
    assert not (tmp_path / "preflight").exists()


def test_a_check_that_failed_is_done_again_by_the_next_process(
    clean, tmp_path, monkeypatch, until_training
):
    learner, cache = make_learner(clean), ktl.CacheConfig("disk", folder=str(tmp_path))
    check, asked = CHECKS["one-batch"], []

    def fails_once(context):
        asked.append(context)
        if len(asked) == 1:
            raise MemoryError("no room")
        return check(context)

    monkeypatch.setitem(CHECKS, "one-batch", fails_once)
    reasons = []
    for _ in range(3):
        learner._state.findings = None
        until_training(learner, lambda x: x.fit_head(1, cache=cache))
        reasons.append(learner.history.findings.not_checked)
    failed = {"one-batch": "the check failed, MemoryError: no room"}
    assert (reasons, len(asked)) == ([failed, {}, {}], 2)


@pytest.mark.slow
def test_the_command_line_says_that_nothing_was_found(photos, learner, tmp_path):
    backbone = f"run:{learner.save(tmp_path / 'backbone')}"

    def train(*flags):
        arguments = ["train", "--data", f"folder:{photos[1]}", "--backbone", backbone]
        arguments += ["--head-epochs", "1", "--fine-tune-epochs", "0", "--cache", "memory", *flags]
        arguments += ["--out", str(tmp_path / "-".join(["run", *flags]))]
        return CliRunner().invoke(cli, arguments, catch_exceptions=False).stdout.splitlines()

    found = json.loads(train("--json")[-1])
    assert found["preflight"] == {"findings": [], "not_checked": {}}
    assert "Preflight: nothing found." in train()
    assert json.loads(train("--json", "--no-preflight")[-1])["preflight"] is None

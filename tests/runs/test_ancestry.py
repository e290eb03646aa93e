"""A backbone that has learned the labels of some items is not measured on them as a fresh one."""

import dataclasses
import json

import pytest

import keras_tl as ktl
from keras_tl.base.config import Phase
from keras_tl.base.files import write_checksums
from keras_tl.base.keras_compat import eagerly
from keras_tl.errors import ConfigError
from keras_tl.runs.ancestry import learned_splits
from tests.conftest import make_small_learner, make_tiny_data

TUNED = Phase(
    "fine-tune", epochs=1, learning_rate=1e-3, unfreeze="all", optimizer="adamw", patience=None
)


def joined(data):
    """The same items in a training split only, as `fit(refit=True)` leaves them."""
    return dataclasses.replace(data, splits={"train": data.joined(list(data.splits))})


def others(data):
    """Other training items."""
    train = data.split("train")
    return dataclasses.replace(
        data, splits=data.splits | {"train": train.take(range(len(train) - 1))}
    )


# What the backbone was fine-tuned on, and the splits whose labels it has seen.
CASES = {
    "the-same-split": (lambda data: data, ("train",)),
    "all-items": (joined, ("train", "validation", "test")),
    "other-items": (others, ()),
}


@pytest.mark.parametrize(
    "case", [pytest.param(x, marks=pytest.mark.slow) if x == "all-items" else x for x in CASES]
)
def test_the_items_of_an_earlier_fine_tuning_are_recognised(case, tmp_path):
    trained_on, seen = CASES[case]
    data = make_tiny_data()
    first = make_small_learner(trained_on(data))
    with eagerly():
        first.fine_tune(policy=TUNED, augment=False)
    run = first.save(tmp_path / "run")
    # Through a saved run, and through one that borrowed its backbone from there.
    second = ktl.Learner(f"run:{run}", data, verbose=False)
    third = ktl.Learner(second, data, verbose=False)
    for learner in (second, third):
        assert learned_splits(learner.backbone.ancestry, data) == seen
    ranked = {"fresh": make_small_learner(data), "tuned": second}
    given = [{"name": name, "backbone": own} for name, own in ranked.items()]
    rows = ktl.rank_backbones(data, given, cache="memory", verbose=False).rows
    errors = {row.name: row.error for row in rows}
    assert errors["fresh"] is None
    if not seen:
        assert errors["tuned"] is None
        assert second.cross_validate(folds=2)["accuracy"] >= 0
        return
    assert "was fine-tuned on these training items" in errors["tuned"]
    with pytest.raises(ConfigError, match=f"labels of these data: {', '.join(seen)}"):
        second.cross_validate()
    with pytest.raises(ConfigError, match="that has not learned these items"):
        second.fit()


def test_a_frozen_backbone_has_learned_nothing():
    data = make_tiny_data()
    first = make_small_learner(data)
    first.fit_head()
    assert ktl.Learner(first, data, verbose=False)._state.learned_splits == ()


@pytest.mark.parametrize(
    "is_old",
    [pytest.param(False, marks=pytest.mark.slow), True],
    ids=["of-this-version", "of-an-older-version"],
)
def test_each_phase_keeps_the_data_on_which_it_was_trained(tmp_path, is_old):
    first = make_tiny_data()
    second = others(first)
    learner = make_small_learner(first)
    with eagerly():
        learner.fine_tune(policy=TUNED, augment=False)
    run = learner.save(tmp_path / "run")
    if is_old:
        about = json.loads((run / "run.json").read_text("utf-8"))
        for row in about["history"]:
            del row["train_fingerprint"]
        (run / "run.json").write_text(json.dumps(about), "utf-8")
        write_checksums(run)
    loaded = ktl.Learner.load(run, data=second, verbose=False)
    # The backbone has not learned these items.
    assert loaded._state.learned_splits == ()
    assert loaded.cross_validate(folds=2)["accuracy"] >= 0
    with eagerly():
        loaded.fine_tune(policy=TUNED, augment=False)
    known = [data.split("train").identity for data in (first, second)]
    assert [record.train_fingerprint for record in loaded.history] == [known[0], *known]
    with pytest.raises(ConfigError, match="labels of these data: train"):
        loaded.cross_validate()
    again = ktl.Learner(f"run:{loaded.save(tmp_path / 'both')}", first, verbose=False)
    for data in (first, second):
        assert learned_splits(again.backbone.ancestry, data) == ("train",)


def test_an_unknown_training_split_counts_as_learned():
    data = make_tiny_data()
    assert learned_splits((), data, {None}) == ("train",)
    assert learned_splits((), data, {data.split("test").identity}) == ("test",)
    assert learned_splits((), data) == ()

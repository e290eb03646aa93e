"""A backbone that has learned the labels of some items is not measured on them as a fresh one."""

import dataclasses

import pytest

import keras_tl as ktl
from keras_tl.base.config import Phase
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


@pytest.mark.parametrize("case", CASES)
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

"""The budget: all arms make the same number of epochs."""

import dataclasses

import pytest

from keras_tl.comparison.budget import Protocol
from keras_tl.errors import ConfigError
from keras_tl.training.policies import POLICIES

(STANDARD,) = POLICIES["standard"]["image"]
TWO = (dataclasses.replace(STANDARD, epochs=2), dataclasses.replace(STANDARD, epochs=1))
# Phases that need no trained head.
LIVE = tuple(dataclasses.replace(phase, batch_norm="live") for phase in TWO)

# The arguments; then the budget, and what of it is the head's before fine-tuning.
SHARED_OUT = {
    "defaults": ({}, 13, 10),
    "texts": ({"family": "text"}, 13, 10),
    "language-models": ({"family": "ulmfit"}, 60, 30),
    "short": ({"epochs": 6}, 6, 3),
    "shortest": ({"epochs": 2}, 2, 1),
    "long": ({"epochs": 40}, 40, 10),
    "head-given": ({"epochs": 6, "head_epochs": 5}, 6, 5),
    "only-head-given": ({"head_epochs": 2}, 5, 2),
    "phases": ({"epochs": 9, "policy": TWO}, 9, 6),
    "phases-alone": ({"policy": TWO}, 13, 10),
    "live-phases": ({"epochs": 5, "policy": LIVE}, 5, 2),
    "live-phases-alone": ({"policy": LIVE}, 3, 0),
    "live-phases-as-long": ({"epochs": 3, "policy": LIVE}, 3, 0),
    "from-random": ({"epochs": 7, "policy": "scratch"}, 7, 0),
    "from-random-alone": ({"policy": "scratch"}, 30, 0),
    "batches": ({"epochs": 5, "batch_size": 7}, 5, 2),
}


@pytest.mark.parametrize("name", SHARED_OUT)
def test_every_arm_has_the_whole_budget(name):
    arguments, epochs, head = SHARED_OUT[name]
    family = arguments.get("family", "image")
    options = {key: value for key, value in arguments.items() if key != "family"}
    budget = Protocol(**options).budget(family)
    assert budget.epochs == epochs
    assert sum(phase.epochs for phase in budget.scratch) == epochs
    assert budget.frozen.epochs == epochs
    assert (budget.head.epochs if budget.head else 0) == head
    assert head + sum(phase.epochs for phase in budget.fine_tuned) == epochs
    phases = [*budget.scratch, budget.frozen, *budget.fine_tuned]
    if "batch_size" in arguments:
        assert {phase.batch_size for phase in phases} == {7}


def test_the_rate_of_the_head_is_only_its_own():
    usual, budget = (Protocol(head_learning_rate=rate).budget("image") for rate in (None, 0.05))
    assert {budget.frozen.learning_rate, budget.head.learning_rate} == {0.05}
    assert (budget.scratch, budget.fine_tuned) == (usual.scratch, usual.fine_tuned)
    assert budget.to_json() != usual.to_json()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"head_learning_rate": -1}, "learning_rate must be"),
        ({"epochs": 1}, "epochs must be a whole number of at least 2"),
        ({"epochs": 5, "head_epochs": 5}, "from 0 to 4"),
        ({"epochs": 5, "head_epochs": 0}, "need a trained head"),
        (
            {"epochs": 5, "head_epochs": 4, "policy": TWO},
            "train for 3 epochs, but the budget leaves them 1",
        ),
        ({"epochs": 3, "policy": TWO}, "train for 3 epochs, but the budget leaves them 2"),
        ({"epochs": 2, "policy": LIVE}, "train for 3 epochs, but the budget leaves them 2"),
        ({"epochs": 5, "scratch_policy": TWO}, "train for 3 epochs, but the budget leaves them 5"),
        ({"augment": "blur"}, "Unknown augmentation 'blur'"),
        ({"policy": "standart"}, "Did you mean 'standard'"),
    ],
)
def test_a_budget_that_cannot_be_shared_out(arguments, says):
    with pytest.raises(ConfigError, match=says):
        Protocol(**arguments).budget("image")

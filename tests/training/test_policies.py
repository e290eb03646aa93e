"""Policies: what each changes of the standard phases, and that they can be changed and passed."""

import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from keras_tl.base.config import HeadConfig, ModelConfig, Phase, family_of
from keras_tl.errors import ConfigError
from keras_tl.tasks import task_of
from keras_tl.training.auto_learning_rate import HIGHEST
from keras_tl.training.head_solver import Standardisation, solve
from keras_tl.training.head_start import head_problem
from keras_tl.training.policies import (
    HEAD_CONFIGS,
    HEADS,
    POLICIES,
    default_share,
    fitting_policy,
    head_after,
    head_phase,
    phases_of,
)

FAMILIES = {"image", "text", "ulmfit"}

CHANGES = {
    "standard": set(),
    "discriminative": {"discriminative_factor", "learning_rate"},
    "gradual": {"unfreeze_every"},
    "ulmfit": {"discriminative_factor", "unfreeze_every", "schedule", "learning_rate"},
}
# What a contrastive phase may change: the rate stays that of the family.
CONTRASTIVE = {
    "name",
    "objective",
    "epochs",
    "min_steps",
    "batch_size",
    "schedule",
    "clip_norm",
    "monitor",
    "patience",
}


@pytest.mark.parametrize("family", sorted(FAMILIES))
@pytest.mark.parametrize("name", CHANGES)
def test_a_policy_is_the_standard_one_with_its_method(name, family):
    (standard,), (phase,) = POLICIES["standard"][family], POLICIES[name][family]
    changed = {
        field.name
        for field in dataclasses.fields(Phase)
        if getattr(phase, field.name) != getattr(standard, field.name)
    }
    assert changed == CHANGES[name]
    assert Phase.from_json(phase.to_json()) == phase


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_contrastive_phase_has_the_rate_of_the_standard_one_and_a_head_after_it(family):
    (standard,), (phase,) = POLICIES["standard"][family], POLICIES["contrastive"][family]
    fields = {field.name for field in dataclasses.fields(Phase)} - CONTRASTIVE
    assert all(getattr(phase, name) == getattr(standard, name) for name in fields)
    assert (phase.objective, phase.patience) == ("contrastive", None)
    balanced = dataclasses.replace(phase, class_weight="balanced", label_smoothing=0.1)
    backbone, size, _ = next(values for values in BACKBONES.values() if values[2] == family)
    config = ModelConfig(backbone, size, None, "binary", ("a", "b"), HEAD_CONFIGS[family])
    default = head_phase(config)
    head = head_after(balanced, config, 50)
    l2 = None if family == "ulmfit" else 2.0
    assert head == dataclasses.replace(default, l2=l2, class_weight="balanced", label_smoothing=0.1)
    assert head_after(standard, config, 50) is None


def test_the_head_after_a_contrastive_phase_has_one_strength_for_a_number_of_items():
    (phase,) = POLICIES["contrastive"]["text"]
    config = ModelConfig("kerashub:bert", None, None, "binary", ("a", "b"))
    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=(40, 3)), np.arange(40) % 2
    problem = head_problem(task_of(config), labels, features, phase)
    scaled = Standardisation.of(features).apply(features)
    peer = LogisticRegression(C=0.01, tol=1e-8, max_iter=1000).fit(scaled, labels)
    found = solve(problem, head_after(phase, config, len(labels)).l2)
    np.testing.assert_allclose(
        found.outputs(features)[:, 0], peer.decision_function(scaled), atol=1e-4
    )


def test_every_table_has_every_family():
    for table in (*POLICIES.values(), HEADS, HEAD_CONFIGS):
        assert set(table) == FAMILIES


def test_heads_are_those_of_the_papers():
    assert HEAD_CONFIGS["image"] == HEAD_CONFIGS["text"] == HeadConfig()
    assert HEAD_CONFIGS["ulmfit"] == HeadConfig("concat", hidden=(50,), batch_norm=True)
    assert HEADS["ulmfit"].unfreeze is None


# A backbone's name, the size of its images, and its family.
BACKBONES = {
    "catalogue": ("vgg16", (32, 32), "image"),
    "image-module": ("tfhub:ulmfit:x", (32, 32), "image"),
    "encoder": ("tfhub:models/ulmfit", None, "text"),
    "preset": ("kerashub:bert", None, "text"),
    "language-model": ("ulmfit:models/x", None, "ulmfit"),
    "path-with-colons": ("ulmfit:C:/x", None, "ulmfit"),
}


@pytest.mark.parametrize("name", BACKBONES)
def test_families_of_backbones(name):
    backbone, image_size, family = BACKBONES[name]
    assert family_of(backbone, image_size) == family
    assert ModelConfig(backbone, image_size, None, "binary", ("a", "b")).family == family


@pytest.mark.parametrize("family", sorted(FAMILIES))
@pytest.mark.parametrize("policy", ["discriminative", "ulmfit"])
def test_where_there_is_a_factor_the_head_has_a_higher_rate(policy, family):
    (standard,), (phase,) = POLICIES["standard"][family], POLICIES[policy][family]
    # Of images it follows from the network, and is at most `HIGHEST`.
    own = HIGHEST / 3.1 if family == "image" else standard.learning_rate
    assert phase.learning_rate > 3 * own


def test_a_given_factor_is_honoured_by_every_policy():
    for policy in POLICIES:
        for phase in phases_of(policy, "image", discriminative_factor=1.5):
            assert phase.discriminative_factor == 1.5
    (phase,) = phases_of("ulmfit", "text", discriminative_factor=None, epochs=7)
    assert (phase.discriminative_factor, phase.epochs) == (2.6, 7)


def test_a_factor_needs_blocks_to_train():
    own = Phase("mine", epochs=1, learning_rate=1e-3, discriminative_factor=2.6)
    for policy in (own, [POLICIES["standard"]["image"][0], own]):
        with pytest.raises(ConfigError, match="the phase 'mine' has unfreeze=None"):
            phases_of(policy, "image")
    (phase,) = phases_of(own, "image", unfreeze="all")
    assert phase.discriminative_factor == 2.6
    # A given factor is for the phases that unfreeze blocks.
    head = dataclasses.replace(own, discriminative_factor=1.0)
    found = phases_of([head, phase], "image", discriminative_factor=2.0)
    assert [one.discriminative_factor for one in found] == [1.0, 2.0]
    with pytest.raises(ConfigError, match="the phase 'mine' has unfreeze=None"):
        phases_of([head, head], "image", discriminative_factor=2.0)


@pytest.mark.slow
def test_its_phases_are_changed_and_passed_back(small_learner):
    small_learner.fit_head(epochs=1, cache="memory")
    (phase,) = POLICIES["ulmfit"]["image"]
    phases = [dataclasses.replace(phase, epochs=2), dataclasses.replace(phase, epochs=1)]
    records = small_learner.fine_tune(policy=phases, augment=False)
    assert [record.phase for record in records] == phases
    # Three blocks in two epochs, and in one.
    assert len(small_learner.model.optimizer.learning_rate_factors) == 8
    again = small_learner.fine_tune(epochs=1, discriminative_factor=2, augment=False)
    assert again[0].phase.discriminative_factor == 2


def test_where_fit_stops_without_evidence():
    found = {
        (policy, family): default_share(policy, family)
        for policy in ("standard", "contrastive")
        for family in FAMILIES
    }
    assert found.pop(("standard", "image")) == 0.75
    assert set(found.values()) == {1.0}


@pytest.mark.parametrize(
    ("family", "per_class", "policy"),
    [
        ("text", (100, 100, 100), "contrastive"),
        ("text", (8, 200), "standard"),
        ("text", (8, 100, 900), "contrastive"),
        ("text", (101, 101, 101), "standard"),
        ("ulmfit", (8, 8), "standard"),
        ("image", (8, 8), "standard"),
    ],
)
def test_few_texts_of_classes_are_fine_tuned_by_pairs(family, per_class, policy):
    assert fitting_policy(family, np.array(per_class)) == policy


def test_labels_that_are_not_classes_have_no_pairs():
    assert fitting_policy("text", None) == "standard"

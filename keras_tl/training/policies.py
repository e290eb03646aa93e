"""Policies: fine-tuning methods as lists of phases, and the default phases of the head.

Each family of backbones has its own defaults (`keras_tl.base.config.family_of`). Measurements
determined the learning rates and the numbers of epochs (fine-tuning-defaults.md, text-defaults.md
and ulmfit.md in docs/explanation).
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_tl.base.choices import PolicyName
from keras_tl.base.config import HeadConfig, ModelConfig, Phase
from keras_tl.errors import ConfigError, quoted, unknown

# Phase for a head of one Dense layer on cached features. The solver sets the head's weights to the
# optimum before the training, so early stopping is not needed.
SOLVED_HEAD = Phase(
    name="head", epochs=1, learning_rate=1e-4, schedule="cosine", patience=None, l2="auto"
)

_HEAD = Phase(
    name="head", epochs=10, learning_rate=1e-3, schedule="cosine", min_steps=500, l2="auto"
)

# Phases that train heads with hidden layers, heads on augmented images, and heads for which the
# user sets `epochs`. A linear head keeps the solver's weights unless an epoch is better on the
# validation split.
HEADS = {
    "image": _HEAD,
    "text": _HEAD,
    # The head of language models has no L2 penalty and no standardised features, because this head
    # contains a BatchNorm layer.
    "ulmfit": dataclasses.replace(_HEAD, epochs=30, learning_rate=5e-3, min_steps=0, l2=None),
}

# Language models get the head of Howard and Ruder, 2018, sec. 3.3, with 50 hidden units as in
# sec. 4.1.
HEAD_CONFIGS = {
    "image": HeadConfig(),
    "text": HeadConfig(),
    "ulmfit": HeadConfig("concat", hidden=(50,), batch_norm=True),
}

# Settings for fine-tuning image backbones. docs/explanation/fit.md has the measurements behind the
# settings.
_FINE_TUNE = Phase(
    name="fine-tune",
    epochs=3,
    learning_rate="auto",
    unfreeze="all",
    optimizer="adamw",
    weight_decay=0.01,
    schedule="cosine",
    warmup=0.1,
    batch_size=32,
    patience=3,
)

# Text encoders are fine-tuned with the settings of BERT (Devlin et al., 2019, arXiv:1810.04805,
# appendix A.2-A.3).
_FINE_TUNE_TEXT = dataclasses.replace(
    _FINE_TUNE, learning_rate=5e-5, schedule="linear", clip_norm=1.0, monitor="metric"
)

# The patience is 10, because the accuracy stays the same in the first epochs of fine-tuning a
# language model (docs/explanation/ulmfit.md).
_FINE_TUNE_ULMFIT = dataclasses.replace(_FINE_TUNE_TEXT, epochs=30, learning_rate=3e-3, patience=10)

_FINE_TUNE_OF = {"image": _FINE_TUNE, "text": _FINE_TUNE_TEXT, "ulmfit": _FINE_TUNE_ULMFIT}

# Phases with discriminative learning rates: `learning_rate` is the learning rate of the head. The
# lowest blocks have far lower learning rates than the head.
_FOR_A_FACTOR = {
    "image": dataclasses.replace(_FINE_TUNE, learning_rate=1e-3),
    "text": dataclasses.replace(_FINE_TUNE_TEXT, learning_rate=5e-4),
    "ulmfit": dataclasses.replace(_FINE_TUNE_ULMFIT, learning_rate=1e-2),
}

# Values that replace fields of a fine-tuning phase, to train a baseline from random weights.
_SCRATCH = {
    "name": "scratch",
    "epochs": 30,
    "learning_rate": 1e-3,
    "patience": None,
    "batch_norm": "live",
}

# Fine-tuning methods of Howard and Ruder, 2018 (arXiv:1801.06146): discriminative learning rates
# (sec. 3.2), gradual unfreezing (sec. 3.3), and ULMFiT: discriminative learning rates, gradual
# unfreezing and the slanted triangular schedule (eq. 3).
_DISCRIMINATIVE = {"discriminative_factor": 2.6}
_GRADUAL = {"unfreeze_every": "auto"}
_ULMFIT = _DISCRIMINATIVE | _GRADUAL | {"schedule": "slanted_triangular", "warmup": 0.1}

# Settings of contrastive training, measured for text encoders (docs/explanation/text-defaults.md).
# Image backbones and language models use the same settings with another learning rate, although
# these settings were measured only for texts.
_CONTRASTIVE = {
    "name": "contrastive",
    "objective": "contrastive",
    "epochs": 4,
    "batch_size": 32,
    "schedule": "linear",
    "clip_norm": 1.0,
    "monitor": "loss",
    "patience": None,
}

# Minimum number of training steps of each policy, by family of backbones (fit.md and
# text-defaults.md in docs/explanation). The minimum does not apply if the user sets the number of
# epochs, or passes `Phase` objects instead of the name of a policy.
FEWEST_STEPS = {
    policy: {"image": 200, "text": 200, "ulmfit": 0}
    for policy in ("standard", "discriminative", "gradual", "ulmfit")
}

# Minimum number of validation items for choosing the best epoch. If the validation split is
# smaller, chance decides which epoch is best.
ENOUGH_TO_VALIDATE = 50

# Maximum number of items per class (median over the classes) for which `fit` uses the contrastive
# policy, by family of backbones (docs/explanation/text-defaults.md).
_FEW_ITEMS = {"text": 100}
# Fraction of the fine-tuned weights in the average of the weights before and after fine-tuning.
# `fit` keeps this average by default (docs/explanation/fit.md).
_DEFAULT_SHARES = {("standard", "image"): 0.75}

# Strength of the L2 penalty times the number of items, after contrastive training. The strength
# corresponds to C = 0.01 in scikit-learn's LogisticRegression (docs/explanation/text-defaults.md).
_L2_AFTER_CONTRASTIVE = 100.0


def _each(phases: dict[str, Phase], **changes: Any) -> dict[str, tuple[Phase, ...]]:
    return {family: (dataclasses.replace(phase, **changes),) for family, phase in phases.items()}


# The phases of each policy, by family of backbones.
POLICIES: dict[PolicyName, dict[str, tuple[Phase, ...]]] = {
    "standard": _each(_FINE_TUNE_OF),
    "discriminative": _each(_FOR_A_FACTOR, **_DISCRIMINATIVE),
    "gradual": _each(_FINE_TUNE_OF, **_GRADUAL),
    "ulmfit": _each(_FOR_A_FACTOR, **_ULMFIT),
    "scratch": _each(_FINE_TUNE_OF, **_SCRATCH),
    "contrastive": _each(_FINE_TUNE_OF, **_CONTRASTIVE),
}


def head_phase(config: ModelConfig, live: bool = False, epochs: int | None = None) -> Phase:
    """Return the phase that trains a model's head on the frozen backbone.

    Args:
        live: Whether the backbone runs in every epoch, for example on augmented images.
        epochs: Number of epochs that the user set. `None`: the default number of epochs.
    """
    is_solved = config.head.is_linear and not live and epochs is None
    phase = SOLVED_HEAD if is_solved else HEADS[config.family]
    return phases_of(phase, config.family, epochs=epochs)[0]


def own_head_phase(phase: Phase) -> Phase:
    """Check that the user's phase trains only the head, and return the phase.

    Raises:
        ConfigError: `phase` is not a `Phase`, or the phase unfreezes blocks of the backbone.
    """
    if not isinstance(phase, Phase):
        raise ConfigError(
            f"policy= of fit_head() must be a keras_tl.Phase. Received: {quoted(phase)}."
        )
    if phase.unfreeze is not None:
        raise ConfigError(
            f"fit_head() trains only the head and needs a phase with unfreeze=None. Received: "
            f"unfreeze={quoted(phase.unfreeze)}. Pass the phase to fine_tune() as policy=."
        )
    return phase


def fitting_policy(family: str, class_counts: np.ndarray | None) -> PolicyName:
    """Return the name of the policy with which `Learner.fit` fine-tunes.

    Args:
        class_counts: Number of training items of each class. `None`: the task does not have exactly
            one class per item.
    """
    few = class_counts is not None and np.median(class_counts) <= _FEW_ITEMS.get(family, -1)
    return "contrastive" if few else "standard"


def default_share(policy: str, family: str) -> float:
    """Return the default fraction of the fine-tuned weights in the weight average of `fit`."""
    return _DEFAULT_SHARES.get((policy, family), 1.0)


def needs_no_head(phase: Phase) -> bool:
    """Return whether a phase that unfreezes the backbone may start with an untrained head."""
    return phase.batch_norm == "live" or phase.objective == "contrastive"


def head_after(phase: Phase, config: ModelConfig, items: int) -> Phase | None:
    """Return the phase that must train the head after a contrastive phase.

    A contrastive phase fits the features to the training labels. Cross-validation on features that
    are fitted to the labels would choose too weak an L2 penalty. The function therefore sets the L2
    penalty to a constant divided by the number of training items. Phases that are not contrastive
    train the head themselves, so the function returns `None` for such phases.
    """
    if phase.objective != "contrastive":
        return None
    head = head_phase(config)
    return dataclasses.replace(
        head,
        l2=None if head.l2 is None else _L2_AFTER_CONTRASTIVE / items,
        label_smoothing=phase.label_smoothing,
        class_weight=phase.class_weight,
    )


def with_heads(
    phases: Sequence[Phase], config: ModelConfig, items: int
) -> list[tuple[Phase, bool]]:
    """Insert a phase that trains the head after each contrastive phase.

    Returns pairs (phase, inserted). `inserted` is true for the inserted phases, which train the
    head.
    """
    found = []
    for phase in phases:
        found.append((phase, False))
        if (head := head_after(phase, config, items)) is not None:
            found.append((head, True))
    return found


def phases_of(
    policy: PolicyName | Phase | Sequence[Phase], family: str, **given: Any
) -> tuple[Phase, ...]:
    """Return the phases of a policy, with the user's values in place of the defaults.

    Args:
        policy: Name of a policy, or your own phases.
        family: Family of the backbone: `"image"`, `"text"` or `"ulmfit"`.
        given: New values for fields of `Phase`. `None` keeps the value of the policy.

    Raises:
        ConfigError: The policy is unknown, `epochs` is set although there are several phases, or a
            phase that freezes the backbone has a discriminative factor above 1. A factor in `given`
            is allowed if another phase unfreezes blocks.
    """
    if isinstance(policy, str):
        if policy not in POLICIES:
            raise ConfigError(unknown("policy", policy, POLICIES))
        fewest = FEWEST_STEPS.get(policy, {}).get(family, 0)
        policy = tuple(
            dataclasses.replace(phase, min_steps=fewest) for phase in POLICIES[policy][family]
        )
    phases = (policy,) if isinstance(policy, Phase) else tuple(policy)
    changes = {name: value for name, value in given.items() if value is not None}
    if "epochs" in changes:
        changes["min_steps"] = 0
        if len(phases) > 1:
            raise ConfigError(
                f"epochs= needs a policy with one phase. This policy has {len(phases)} phases. Set "
                "the epochs in your own phases, and pass the phases as policy=."
            )
    changed = [dataclasses.replace(phase, **changes) for phase in phases]
    # Phases that train only the head ignore a factor that the user sets for all phases.
    is_for_all = "discriminative_factor" in changes and any(x.unfreeze is not None for x in changed)
    for number, phase in enumerate(changed):
        if phase.unfreeze is None and phase.discriminative_factor > 1:
            if not is_for_all:
                raise ConfigError(
                    "discriminative_factor= needs a phase that unfreezes blocks, but the phase "
                    f"{quoted(phase.name)} has unfreeze=None. Leave discriminative_factor= out, or "
                    "set unfreeze='all'."
                )
            changed[number] = dataclasses.replace(phase, discriminative_factor=1.0)
    return tuple(changed)

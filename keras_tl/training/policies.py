"""Policies: fine-tuning methods as readable lists of phases, and the defaults of the head.

By `keras_tl.base.config.family_of`. The rates and lengths are measured; the tables are in
docs/fine_tuning.md, docs/texts.md and docs/ulmfit.md.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from keras_tl.base.config import HeadConfig, ModelConfig, Phase
from keras_tl.errors import ConfigError, quoted, unknown

# A head of one Dense layer on cached features: it begins at the optimum, and nothing has to be
# stopped.
SOLVED_HEAD = Phase(
    name="head", epochs=1, learning_rate=1e-4, schedule="cosine", patience=None, l2="auto"
)

_HEAD = Phase(
    name="head", epochs=10, learning_rate=1e-3, schedule="cosine", min_steps=500, l2="auto"
)

# Other heads, heads that see augmented images, and any head for as many epochs as the user says: if
# none is better on the validation split, a solved head stays at its optimum.
HEADS = {
    "image": _HEAD,
    "text": _HEAD,
    # Its features are normalised inside the head.
    "ulmfit": dataclasses.replace(_HEAD, epochs=30, learning_rate=5e-3, min_steps=0, l2=None),
}

# Of what the head is made: for a language model as in Howard and Ruder, 2018, sec. 3.3, with the
# 50 hidden units of sec. 4.1.
HEAD_CONFIGS = {
    "image": HeadConfig(),
    "text": HeadConfig(),
    "ulmfit": HeadConfig("concat", (50,), batch_norm=True),
}

# docs/fit.md.
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

# As BERT is fine-tuned (Devlin et al., 2019, arXiv:1810.04805, appendix A.2-A.3).
_FINE_TUNE_TEXT = dataclasses.replace(
    _FINE_TUNE, learning_rate=5e-5, schedule="linear", clip_norm=1.0, monitor="metric"
)

# So many epochs at such a rate: accuracy stands still for some before it rises (docs/ulmfit.md).
_FINE_TUNE_ULMFIT = dataclasses.replace(_FINE_TUNE_TEXT, epochs=30, learning_rate=3e-3, patience=10)

_FINE_TUNE_OF = {"image": _FINE_TUNE, "text": _FINE_TUNE_TEXT, "ulmfit": _FINE_TUNE_ULMFIT}

# With a factor the rate is that of the head, and little of it is left for the lowest blocks.
_FOR_A_FACTOR = {
    "image": dataclasses.replace(_FINE_TUNE, learning_rate=1e-3),
    "text": dataclasses.replace(_FINE_TUNE_TEXT, learning_rate=5e-4),
    "ulmfit": dataclasses.replace(_FINE_TUNE_ULMFIT, learning_rate=1e-2),
}

# From random weights, to compare with.
_SCRATCH = {
    "name": "scratch",
    "epochs": 30,
    "learning_rate": 1e-3,
    "patience": None,
    "batch_norm": "live",
}

# Howard and Ruder, 2018 (arXiv:1801.06146): sec. 3.2, 3.3, and both with the slanted triangular
# schedule of eq. 3.
_DISCRIMINATIVE = {"discriminative_factor": 2.6}
_GRADUAL = {"unfreeze_every": "auto"}
_ULMFIT = _DISCRIMINATIVE | _GRADUAL | {"schedule": "slanted_triangular", "warmup": 0.1}


# docs/texts.md. The phases of images and of language models are those of encoders at their own
# learning rates, which is not measured.
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


# The steps that these policies make at least, by family, where the user does not say how many
# epochs (docs/fit.md, docs/texts.md). Phases that the user passes run as they are.
FEWEST_STEPS = {
    policy: {"image": 200, "text": 200, "ulmfit": 0}
    for policy in ("standard", "discriminative", "gradual", "ulmfit")
}

# With fewer validation items, chance decides which epoch is best.
ENOUGH_TO_VALIDATE = 50

# `fit` fine-tunes by the contrastive policy up to so many items a class, by family (docs/texts.md).
_FEW_ITEMS = {"text": 100}
# Where `fit` stops without evidence on the line from head to fine-tuned model (docs/fit.md).
_DEFAULT_SHARES = {("standard", "image"): 0.75}

# C = 0.01 of scikit-learn's LogisticRegression (docs/texts.md).
_L2_AFTER_CONTRASTIVE = 100.0


def _each(phases: dict[str, Phase], **changes) -> dict[str, tuple[Phase, ...]]:
    return {family: (dataclasses.replace(phase, **changes),) for family, phase in phases.items()}


# For each policy its phases.
POLICIES: dict[str, dict[str, tuple[Phase, ...]]] = {
    "standard": _each(_FINE_TUNE_OF),
    "discriminative": _each(_FOR_A_FACTOR, **_DISCRIMINATIVE),
    "gradual": _each(_FINE_TUNE_OF, **_GRADUAL),
    "ulmfit": _each(_FOR_A_FACTOR, **_ULMFIT),
    "scratch": _each(_FINE_TUNE_OF, **_SCRATCH),
    "contrastive": _each(_FINE_TUNE_OF, **_CONTRASTIVE),
}


def head_phase(config: ModelConfig, live: bool = False, epochs: int | None = None) -> Phase:
    """How the head of a model is trained on the frozen backbone.

    Args:
        config: of the model.
        live: whether the backbone runs in every epoch, as it does for augmented images.
        epochs: the user's; `None`: as many as the phase has by default.
    """
    is_solved = config.head.is_linear and not live and epochs is None
    phase = SOLVED_HEAD if is_solved else HEADS[config.family]
    return phases_of(phase, config.family, epochs=epochs)[0]


def own_head_phase(phase: Phase) -> Phase:
    """Return a phase of the user's own that trains a head.

    Raises:
        ConfigError: it is no phase, or not one of the head.
    """
    if not isinstance(phase, Phase):
        raise ConfigError(
            f"The policy of a head must be a keras_tl.Phase. Received: {quoted(phase)}."
        )
    if phase.unfreeze is not None:
        raise ConfigError(
            f"fit_head() trains the head alone; expected a phase with unfreeze=None. Received "
            f"unfreeze={quoted(phase.unfreeze)}: pass it to fine_tune(policy=...)."
        )
    return phase


def fitting_policy(family: str, class_counts: np.ndarray | None) -> str:
    """Return the name of the policy by which `fit` fine-tunes.

    Args:
        family: see `keras_tl.base.config.family_of`.
        class_counts: training items of each class; `None`: items do not have one class each.
    """
    few = class_counts is not None and np.median(class_counts) <= _FEW_ITEMS.get(family, -1)
    return "contrastive" if few else "standard"


def default_share(policy: str, family: str) -> float:
    """Return where `fit` stops on the line from head to fine-tuned model, without evidence.

    Args:
        policy: see `fitting_policy`.
        family: of the backbone.
    """
    return _DEFAULT_SHARES.get((policy, family), 1.0)


def needs_no_head(phase: Phase) -> bool:
    """Whether a phase that unfreezes the backbone may begin with an untrained head."""
    return phase.batch_norm == "live" or phase.objective == "contrastive"


def head_after(phase: Phase, config: ModelConfig, items: int) -> Phase | None:
    """Return the phase that trains the head on the features that a phase has changed.

    The features of the training items have seen all labels, so cross-validation on them would
    choose too weak an L2 penalty. The strength is therefore a constant for a number of items.

    Args:
        phase: any phase.
        config: of the model.
        items: of the training split.

    Returns:
        The head's default phase, with the smoothing and the class weights of `phase`; `None`: the
        phase has trained the head itself.
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
    """Return phases with the heads that follow them, each with whether it is such a head.

    Args:
        phases: of a policy.
        config: of the model.
        items: of the training split.
    """
    found = []
    for phase in phases:
        head = head_after(phase, config, items)
        found += [(phase, False)] + ([] if head is None else [(head, True)])
    return found


def phases_of(policy: str | Phase | Sequence[Phase], family: str, **given) -> tuple[Phase, ...]:
    """The phases of a policy, with the values that the user gave in place of its own.

    Args:
        policy: a name, or phases of your own.
        family: what the phases are for, `"image"`, `"text"` or `"ulmfit"`.
        given: fields of `Phase`; `None` leaves the policy's value.

    Raises:
        ConfigError: the policy is unknown, or `epochs` is given for one of several phases.
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
    if "epochs" in changes and len(phases) > 1:
        raise ConfigError(
            f"epochs= is for policies of one phase; this one has {len(phases)}. Pass the phases "
            "with the epochs you want as policy=."
        )
    return tuple(dataclasses.replace(phase, **changes) for phase in phases)

"""The call that runs a phase of training again, as code to be copied."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from keras_tl.base.config import HeadConfig, Phase
from keras_tl.training.policies import FEWEST_STEPS, HEADS, POLICIES, SOLVED_HEAD

# What `Learner.fit_head` and `Learner.fine_tune` take of a phase.
_OF_HEADS = ("epochs", "learning_rate", "batch_size", "label_smoothing", "class_weight")
_OF_POLICIES = (*_OF_HEADS, "unfreeze", "discriminative_factor")


@dataclasses.dataclass(frozen=True)
class PhaseCall:
    """What runs a phase: a method of `Learner`, and its arguments.

    Attributes:
        function: `"fit_head"` or `"fine_tune"`.
        arguments: by their names, where they are not the defaults.
        is_own: whether `policy` is the phase itself, as no name stands for it.
    """

    function: str
    arguments: dict[str, Any]
    is_own: bool = False


def call_of(phase: Phase, family: str) -> PhaseCall:
    """The shortest call that runs a phase: by the name of a policy, where one stands for it.

    Args:
        phase: what is to be run.
        family: see `keras_tl.base.config.family_of`.
    """
    given = _given(phase, SOLVED_HEAD, _OF_HEADS)
    if given is not None and "epochs" not in given:
        return PhaseCall("fit_head", given)
    lengthened = dataclasses.replace(HEADS[family], min_steps=0)
    given = _given(phase, lengthened, _OF_HEADS)
    if given is not None:
        return PhaseCall("fit_head", {"epochs": phase.epochs} | given)
    found = {}
    for name, phases in POLICIES.items():
        own = dataclasses.replace(phases[family][0], min_steps=phase.min_steps)
        given = _given(phase, own, _OF_POLICIES)
        if given is not None and len(phases[family]) == 1:
            # Without epochs= a policy makes as many as a number of steps takes.
            lasts = FEWEST_STEPS.get(name, {}).get(family, 0)
            lasting = {"epochs": phase.epochs} if lasts else {}
            found[name] = lasting | given
    if not found:
        return PhaseCall("fine_tune", {"policy": phase}, is_own=True)
    nearest = min(found, key=lambda name: len(found[name]))
    policy = {} if nearest == "standard" else {"policy": nearest}
    return PhaseCall("fine_tune", policy | found[nearest])


def _given(phase: Phase, own: Phase, names: tuple[str, ...]) -> dict[str, Any] | None:
    """The arguments of these names that make one phase of another; `None`: they cannot."""
    values = {name: getattr(phase, name) for name in names}
    given = {name: value for name, value in values.items() if value != getattr(own, name)}
    # `None` would leave the other phase's value.
    if None in given.values() or dataclasses.replace(own, **given) != phase:
        return None
    return given


def code_of(value: Any) -> str:
    """A value as Python writes it; of a configuration what is not as by default."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if not isinstance(value, Phase | HeadConfig):
        return repr(value)
    fields = [f for f in dataclasses.fields(value) if getattr(value, f.name) != f.default]
    given = {field.name: code_of(getattr(value, field.name)) for field in fields}
    return written(f"ktl.{type(value).__name__}", given)


def written(function: str, arguments: Mapping[str, str]) -> str:
    """A call, by the code of its arguments."""
    return f"{function}({', '.join(f'{name}={code}' for name, code in arguments.items())})"

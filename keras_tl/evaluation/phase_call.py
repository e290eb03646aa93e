"""Write Python code that users can copy: configurations, calls, and the phases of a run."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from keras_tl.base.config import HeadConfig, Phase
from keras_tl.data.images.augmentation import AUGMENTATIONS
from keras_tl.runs.history import PhaseRecord
from keras_tl.training.policies import FEWEST_STEPS, HEADS, POLICIES, SOLVED_HEAD

# Fields of a phase that `Learner.fit_head` and `Learner.fine_tune` take as arguments.
_OF_HEADS = ("epochs", "learning_rate", "batch_size", "label_smoothing", "class_weight")
_OF_POLICIES = (*_OF_HEADS, "unfreeze", "discriminative_factor")
_WIDTH = 88


@dataclasses.dataclass(frozen=True)
class PhaseCall:
    """Call that runs a training phase: a method of `Learner` with its arguments.

    Attributes:
        function: Name of the method: `"fit_head"` or `"fine_tune"`.
        arguments: Arguments of the call by name, without arguments that have their default value.
        is_own: Whether the call passes the phase itself as `policy=`, because no named policy fits.
    """

    function: str
    arguments: dict[str, Any]
    is_own: bool = False


def call_of(phase: Phase, family: str) -> PhaseCall:
    """Return the shortest `Learner` call that runs a phase, with a named policy if one fits.

    `family` is the key of the model's default settings, see `keras_tl.base.config.family_of`.
    """
    given = _given(phase, SOLVED_HEAD, _OF_HEADS)
    if given is not None and "epochs" not in given:
        return PhaseCall("fit_head", given)
    given = _given(phase, dataclasses.replace(HEADS[family], min_steps=0), _OF_HEADS)
    if given is not None:
        return PhaseCall("fit_head", {"epochs": phase.epochs} | given)
    found = {}
    for name, phases in POLICIES.items():
        own = dataclasses.replace(phases[family][0], min_steps=phase.min_steps)
        given = _given(phase, own, _OF_POLICIES)
        if given is not None and len(phases[family]) == 1:
            # A call without epochs= computes the number of epochs from the policy's steps.
            steps = FEWEST_STEPS.get(name, {}).get(family, 0)
            found[name] = ({"epochs": phase.epochs} if steps else {}) | given
    if not found:
        return PhaseCall("fine_tune", {"policy": phase}, is_own=True)
    nearest = min(found, key=lambda name: len(found[name]))
    policy = {} if nearest == "standard" else {"policy": nearest}
    return PhaseCall("fine_tune", policy | found[nearest])


def _given(phase: Phase, own: Phase, names: tuple[str, ...]) -> dict[str, Any] | None:
    """Return the keyword arguments of a call that runs `phase`, or `None` if no call can do so.

    `own` is the phase that the call runs without arguments. Only fields of `phase` that differ from
    the fields of `own` become arguments.
    """
    values = {name: getattr(phase, name) for name in names}
    given = {name: value for name, value in values.items() if value != getattr(own, name)}
    # No call can set a field to `None`: for an argument `None`, the call uses the value of `own`.
    if None in given.values() or dataclasses.replace(own, **given) != phase:
        return None
    return given


def phase_lines(record: PhaseRecord, family: str) -> list[str]:
    """Return the Python statements that run a recorded phase again, with its augmentation."""
    call, augment = call_of(record.phase, family), {}
    if record.augment is not None:
        augment["augment"] = augment_code(record.augment)
    if call.is_own:
        phase = call_lines("phase = ktl.Phase", changed_code(record.phase))
        return [*phase, *call_lines("learner.fine_tune", {"policy": "phase"} | augment)]
    arguments = {name: code_of(value) for name, value in call.arguments.items()}
    return call_lines(f"learner.{call.function}", arguments | augment)


def augment_code(names: Sequence[str]) -> str:
    """Return the Python code of the argument `augment=` for recorded names of augmentations.

    For a layer of the user, the code shows only the name of its class.
    """
    shown = [code_of(name) if name in AUGMENTATIONS else f"{name}(...)" for name in names]
    if not shown:
        return "False"
    return shown[0] if len(shown) == 1 else f"[{', '.join(shown)}]"


def code_of(value: Any) -> str:
    """Return the Python code of a value. For a configuration, leave out fields at their default."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Phase | HeadConfig):
        return written(f"ktl.{type(value).__name__}", changed_code(value))
    return repr(value)


def changed_code(config: Phase | HeadConfig) -> dict[str, str]:
    """Return the Python code of each field whose value is not its default, by field name."""
    values = {field: getattr(config, field.name) for field in dataclasses.fields(config)}
    return {f.name: code_of(value) for f, value in values.items() if value != f.default}


def written(function: str, arguments: Mapping[str, str], *positional: str) -> str:
    """Return the Python code of a call, from the code of each argument."""
    named = (f"{name}={code}" for name, code in arguments.items())
    return f"{function}({', '.join([*positional, *named])})"


def call_lines(function: str, arguments: Mapping[str, str], *positional: str) -> list[str]:
    """Return a call as lines of code: one line if the call is short, else a line per argument."""
    line = written(function, arguments, *positional)
    if len(line) <= _WIDTH:
        return [line]
    named = (f"{name}={code}" for name, code in arguments.items())
    return [f"{function}(", *(f"    {code}," for code in [*positional, *named]), ")"]

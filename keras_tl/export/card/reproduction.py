"""The calls that train a model again, as far as a run records them."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from keras_tl.base.config import HeadConfig, Phase, family_of
from keras_tl.data.images.augmentation import AUGMENTATIONS
from keras_tl.data.labelled_data import PLACES
from keras_tl.evaluation.phase_call import call_of
from keras_tl.export.card.pretraining import public_place

_WIDTH = 88


def calls(run: Mapping[str, Any]) -> list[str]:
    """Lines of Python; `...` stands for what only the user has.

    Args:
        run: what a run records.
    """
    lines = ["import keras_tl as ktl", ""]
    lines += _data(run) + _learner(run)
    lines += _phases(run) if run.get("fit") is None else _fit(run)
    if run["config"].get("temperature", 1) != 1:
        lines += ["learner.calibrate()"]
    if run["config"].get("thresholds"):
        lines += ["learner.choose_thresholds(...)  # what they were to reach is not recorded"]
    return lines


def _fit(run: Mapping[str, Any]) -> list[str]:
    """Return the call of `Learner.fit`, with the arguments that the run records."""
    last, plan = run["history"][-1], run["fit"]["plan"]
    values = {"minutes": plan["minutes"], "refit": run["fit"]["refit"] or None}
    values |= {name: last["phase"][name] or None for name in ("label_smoothing", "class_weight")}
    given = {name: repr(value) for name, value in values.items() if value is not None}
    given["augment"] = _augment(run["fit"]["augment"])
    notes = [f"# {cut}" for cut in plan["cuts"]]
    return [*notes, *_call("learner.fit", given)]


def _phases(run: Mapping[str, Any]) -> list[str]:
    lines = []
    family = family_of(run["config"]["backbone"], run["config"]["image_size"])
    before = None
    for record in run["history"]:
        phase = Phase.from_json(record["phase"])
        # A contrastive phase trains the head anew by itself.
        follows = before is not None and before.objective == "contrastive"
        before = phase
        if follows and phase.unfreeze is None:
            continue
        augment = record.get("augment")
        given = {} if augment is None else {"augment": _augment(augment)}
        call = call_of(phase, family)
        if call.function == "fit_head":
            values = {name: repr(value) for name, value in call.arguments.items()}
            lines += _call("learner.fit_head", values | given)
        else:
            lines += _call("phase = ktl.Phase", _differing(record["phase"], Phase))
            lines += _call("learner.fine_tune", {"policy": "phase"} | given)
    return lines


def _data(run: Mapping[str, Any]) -> list[str]:
    data, config = run["data"], run["config"]
    if data is None:
        return ["data = ...  # not recorded"]
    source = dict(data["source_settings"])
    kind = source.pop("kind", None)
    constructor = {None: "from_arrays", "digits": "digits"}.get(kind, f"from_{kind}")
    place = {} if kind == "digits" else {"": "..."}
    own = {name: data.get(name) for name in ("resize", "value_range", "sequence_length")}
    settings = source | data["split_settings"] | own
    values = {
        name: "..." if name in PLACES else repr(value)
        for name, value in settings.items()
        if value is not None
    }
    owner = "TextData" if config["image_size"] is None else "ImageData"
    return _call(f"data = ktl.{owner}.{constructor}", place | values)


def _learner(run: Mapping[str, Any]) -> list[str]:
    config = run["config"]
    weights = run["weights"]
    # A backbone that is not from the catalogue brings its weights along.
    by_name = config["architecture"] is None and ":" not in config["backbone"]
    is_own = by_name and (weights is None or not weights.startswith(("run:", "those of")))
    values = {"": repr(public_place(config["backbone"])), " ": "data"}
    if is_own:
        values["weights"] = repr(weights and public_place(weights))
    elif weights is not None and weights.startswith("run:"):
        values[""] = repr(public_place(weights))
    elif weights is not None and weights.startswith("those of"):
        values[""] = "..."
    if config["image_size"] is not None:
        values["image_size"] = repr(tuple(config["image_size"]))
    if config["output_block"] is not None:
        values["output_block"] = repr(config["output_block"])
    values["head"] = _written("ktl.HeadConfig", _differing(config["head"], HeadConfig))
    values |= {"precision": repr(config["precision"]), "seed": repr(run["seed"])}
    return _call("learner = ktl.Learner", values)


def _differing(values: Mapping[str, Any], kind: type[Phase | HeadConfig]) -> dict[str, str]:
    """The arguments that have no default, or not that value."""
    # JSON has no tuples.
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    fields = [field for field in dataclasses.fields(kind) if field.name in given]
    return {f.name: repr(given[f.name]) for f in fields if given[f.name] != f.default}


def _augment(names: list[str]) -> str:
    """Layers of the user's own are only known by their classes."""
    shown = [repr(name) if name in AUGMENTATIONS else f"{name}(...)" for name in names]
    if not shown:
        return "False"
    return shown[0] if len(shown) == 1 else f"[{', '.join(shown)}]"


def _written(function: str, values: Mapping[str, str]) -> str:
    arguments = [f"{name}={value}" if name.strip() else value for name, value in values.items()]
    return f"{function}({', '.join(arguments)})"


def _call(function: str, values: Mapping[str, str]) -> list[str]:
    """A call, in one line if it is short; arguments without a name have a blank one."""
    line = _written(function, values)
    if len(line) <= _WIDTH:
        return [line]
    arguments = [f"{name}={value}" if name.strip() else value for name, value in values.items()]
    return [f"{function}(", *(f"    {argument}," for argument in arguments), ")"]

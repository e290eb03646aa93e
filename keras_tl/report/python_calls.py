"""Write the Python calls that train a model again, from the records of a run."""

from collections.abc import Mapping, Sequence
from typing import Any

from keras_tl.base.config import ModelConfig
from keras_tl.data.labelled_data import PLACES
from keras_tl.evaluation.phase_call import augment_code, call_lines, code_of, phase_lines
from keras_tl.models.modalities import MODALITIES
from keras_tl.models.source_kinds import LEARNER, MODEL, RUN
from keras_tl.report.data_facts import DataFacts
from keras_tl.report.pretraining import public_place
from keras_tl.runs.history import PhaseRecord
from keras_tl.selection.result import FitResult


def python_calls(
    config: ModelConfig,
    weights: str | None,
    seed: int,
    data: Mapping[str, Any] | None,
    history: Sequence[PhaseRecord],
    fitted: FitResult | None,
) -> list[str]:
    """Return lines of Python that train a model again, with `...` for values not recorded."""
    lines = ["import keras_tl as ktl", "", *_data(data, config), *_learner(config, weights, seed)]
    own = None if data is None else data["splits"]["train"]["fingerprint"]
    earlier = [x.phase.name for x in history if own and x.train_fingerprint not in (None, own)]
    if earlier:
        lines += [f"# These phases had other data, which are not recorded: {', '.join(earlier)}"]
    lines += _phases(history, config.family) if fitted is None else _fit(history[-1], fitted)
    if config.temperature != 1:
        lines += ["learner.calibrate()"]
    if config.thresholds:
        lines += ["learner.choose_thresholds(...)  # the target of the thresholds is not recorded"]
    return lines


def _fit(last: PhaseRecord, fitted: FitResult) -> list[str]:
    """Return the call of `Learner.fit` with the recorded arguments."""
    values = {"minutes": fitted.plan.minutes, "refit": fitted.refit or None}
    values |= {name: getattr(last.phase, name) for name in ("label_smoothing", "class_weight")}
    given = {name: code_of(value) for name, value in values.items() if value}
    given["augment"] = augment_code(fitted.augment)
    return [*(f"# {cut}" for cut in fitted.plan.cuts), *call_lines("learner.fit", given)]


def _phases(history: Sequence[PhaseRecord], family: str) -> list[str]:
    lines = []
    for before, record in zip([None, *history], history, strict=False):
        # A contrastive phase also trains a new head, so the next head phase needs no call.
        follows = before is not None and before.phase.objective == "contrastive"
        if not follows or record.phase.unfreeze is not None:
            lines += phase_lines(record, family)
    return lines


def _data(data: Mapping[str, Any] | None, config: ModelConfig) -> list[str]:
    if data is None:
        return ["data = ...  # not recorded"]
    known = DataFacts.of(data)
    constructor = {None: "from_arrays", "digits": "digits"}.get(known.kind, f"from_{known.kind}")
    place = [] if known.kind == "digits" else ["..."]
    values = {name: code_of(value) for name, value in {**known.settings, **known.options}.items()}
    values |= {name: "..." for name in PLACES if data["source_settings"].get(name) is not None}
    owner = MODALITIES[config.item].data_type.__name__
    return call_lines(f"data = ktl.{owner}.{constructor}", values, *place)


def _learner(config: ModelConfig, weights: str | None, seed: int) -> list[str]:
    backbone, values = code_of(public_place(config.backbone)), {}
    if weights in (LEARNER, MODEL):
        backbone = "..."
    elif weights is not None and weights.startswith(RUN):
        backbone = code_of(public_place(weights))
    elif config.architecture is None and ":" not in config.backbone:
        # Only a backbone with a plain name takes `weights=`. Other sources include the weights.
        values["weights"] = code_of(weights and public_place(weights))
    if config.image_size is not None:
        values["image_size"] = code_of(tuple(config.image_size))
    if config.output_block is not None:
        values["output_block"] = code_of(config.output_block)
    values["head"] = code_of(config.head)
    values |= {"precision": code_of(config.precision), "seed": code_of(seed)}
    return call_lines("learner = ktl.Learner", values, backbone, "data")

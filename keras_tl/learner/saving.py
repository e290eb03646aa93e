"""Save a learner as a run, and load a learner from a run."""

import os
from collections.abc import Collection
from pathlib import Path

import tensorflow as tf

from keras_tl.base.config import ModelConfig
from keras_tl.base.files import local_path
from keras_tl.data.image_data import ImageData
from keras_tl.data.text_data import TextData
from keras_tl.errors import DataError, RunError, listed
from keras_tl.evaluation.evaluation import Evaluation
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.learner.reporting import prepare_report, report_context
from keras_tl.learner.state import FORMAT, State
from keras_tl.models.assembly import rebuild_model
from keras_tl.models.device import choose_strategy
from keras_tl.preflight.findings import Findings
from keras_tl.report.artifacts import Artifacts
from keras_tl.report.page import is_report, page_of
from keras_tl.runs.history import PhaseRecord
from keras_tl.runs.run_files import (
    REPORT,
    check_target,
    load_run_weights,
    read_run,
    run_files,
    run_results,
    write_run,
)
from keras_tl.selection.result import FitResult
from keras_tl.tasks import get_task


def save(state: State, path: str | os.PathLike[str], overwrite: bool = False) -> Path:
    """See `Learner.save`."""
    path = local_path(path)
    check_target(path, overwrite or state.own_files.hold(path))
    report = page_of(report_context(state)) if is_report(path / REPORT) else None
    parts = state.parts
    write_run(path, state.run_record(), parts.model, parts.backbone, _results(state), report)
    _note_run(state, path)
    return path


def _note_run(state: State, path: Path) -> None:
    state.own_files.note(path)
    if is_report(path / REPORT):
        state.own_files.note(path / REPORT)


def load(
    path: str | os.PathLike[str],
    data: ImageData | TextData | None = None,
    strategy: str | tf.distribute.Strategy = "auto",
    verbose: bool = True,
) -> State:
    """See `Learner.load`."""
    path = local_path(path)
    about = read_run(path)
    if about["format"] > FORMAT:
        raise RunError(f"A later version of keras_tl wrote {path}. Update keras_tl.")
    config = ModelConfig.from_json(about["config"])
    if data is not None:
        _check_same_task(config, data)
    chosen, seed = choose_strategy(strategy), about["seed"]
    parts = rebuild_model(config, chosen, seed, **run_files(path))
    parts.backbone.set_facts(weights_source=about["weights"], ancestry=tuple(about["ancestry"]))
    # Create `State` before loading the trained weights, because `State` copies the untrained head.
    state = State(config, parts, chosen, seed, data, verbose)
    load_run_weights(path, parts.model)
    state.trained_with = {key: about[key] for key in ("data", "versions")}
    if not state.is_training_data("train"):
        state.reporter.say(
            "The training split differs from the training split of the run. Test "
            f"{data.item}s may be {data.item}s that trained the model (leakage)."
        )
    # Older versions recorded one training split per run, not one per phase. Record the split in
    # each loaded phase now, because later phases may use other data.
    train = ((about["data"] or {}).get("splits") or {}).get("train") or {}
    known = {"train_fingerprint": train.get("fingerprint")}
    records = [PhaseRecord.from_json(known | row) for row in about["history"]]
    state.trainer.remember(records, about["is_as_trained"])
    measured, results = state.measured, run_results(path)
    splits = {} if data is None else data.splits
    for split, metrics in about["evaluations"].items():
        raw = PredictionRecord.from_files(
            split,
            results,
            fingerprint=metrics.get("fingerprint"),
            grouped_by=(metrics.get("groups") or {}).get("by"),
        )
        is_here = split in splits and raw.are_of(splits[split])
        sources = splits[split].sources if is_here else None
        found = Evaluation(split, state.task, raw, measured.weights, metrics, sources)
        measured.evaluations[split] = found
    others = [name for name in splits if not state.is_training_data(name)]
    measured.artifacts = Artifacts.among(results).without_projections_of(others)
    if about["fit"] is not None:
        measured.fitted = FitResult.from_json(about["fit"])
    if about["findings"] is not None:
        state.findings = Findings.from_json(about["findings"])
    _note_run(state, Path(path))
    return state


def keep(state: State, path: str | os.PathLike[str], splits: Collection[str]) -> bool:
    """Save new evaluations, the temperature and the thresholds into the loaded run.

    If a split differs from the split that the run records (see `State.is_training_data`), the
    function saves only the temperature and the thresholds, and the run keeps its earlier
    evaluations.

    Args:
        splits: Names of the splits that were evaluated.

    Returns:
        Whether the function saved the new evaluations.
    """
    if not all(map(state.is_training_data, splits)):
        own = load(path, verbose=False)
        own.set_decision_rule(state.config)
        save(own, path)
        state.own_files = own.own_files
        return False
    if "test" in splits:
        # Make artifacts for the new predictions now: later, `keras-tl report` has no data.
        prepare_report(state)
    save(state, path)
    return True


def _results(state: State) -> dict[str, bytes]:
    """Return report artifacts and prediction records: a dict from file name to content."""
    files = dict(state.artifacts.files)
    for split, found in state.evaluations.items():
        files |= found.raw.to_files(split)
    return files


def _check_same_task(config: ModelConfig, data: ImageData | TextData) -> None:
    if config.item != data.item:
        raise DataError(
            f"The run is for {config.item}s, but the data have other items. Pass the training "
            "data of the run, or create a new Learner."
        )
    # With `task="multiclass"`, a model for two classes has two logits.
    have_one_class = all(get_task(name).has_one_class for name in (data.task, config.task))
    if data.task != config.task and not have_one_class:
        raise DataError(
            f"The run has the task {config.task}, but the data have the task {data.task}. Pass the "
            "training data of the run, or create a new Learner."
        )
    if data.class_names != config.class_names:
        raise DataError(
            f"The run has the classes {listed(config.class_names)}, but the data have the classes "
            f"{listed(data.class_names)}. Pass the training data of the run, or create a new "
            "Learner."
        )

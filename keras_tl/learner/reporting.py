"""Write the report of a learner, and keep the artifacts that the report needs."""

import dataclasses
import json
import os
from pathlib import Path

import numpy as np

from keras_tl.base.files import local_path
from keras_tl.base.overwriting import check_new
from keras_tl.errors import DataError
from keras_tl.evaluation.overfitting import Overfitting, find_overfitting
from keras_tl.evaluation.pca_projection import MOST_ITEMS, PcaProjection
from keras_tl.learner.measuring import evaluation_of
from keras_tl.learner.state import State
from keras_tl.report.artifacts import (
    AFTER,
    BEFORE,
    SHOWN,
    Artifacts,
    ComparisonResult,
    keep_comparison,
    keep_projection,
    keep_top_items,
)
from keras_tl.report.context import ReportContext
from keras_tl.report.facts import Facts, facts_of
from keras_tl.report.page import write_report


def report(
    state: State, path: str | os.PathLike[str], comparison: ComparisonResult | None, overwrite: bool
) -> Path:
    """See `Learner.report`."""
    path = local_path(path)
    check_new(path, overwrite=overwrite or state.own_files.hold(path))
    compared = {} if comparison is None else keep_comparison(comparison, state.task)
    for split in [*state.evaluations]:
        if state.data is not None and len(state.data.splits.get(split, ())):
            evaluation_of(state, split)
    prepare_report(state)
    artifacts = state.artifacts.with_files(compared)
    write_report(path, dataclasses.replace(report_context(state), artifacts=artifacts))
    state.own_files.note(path)
    state.artifacts = artifacts
    return path


def prepare_report(state: State) -> None:
    """Make the report artifacts of single items, and keep them in the learner.

    The artifacts that show single items are the images or texts with the largest losses, their
    Grad-CAM maps, and the PCA projection of the features. The command `keras-tl report` has no
    data, so it needs the kept artifacts. If the learner has no data, the function does nothing.
    """
    if state.data is None:
        return
    if len(state.data.splits.get("test", ())):
        rows = evaluation_of(state, "test").top_losses(SHOWN).rows
        kept = items_shown(state, rows, "test")
        if kept is not state.artifacts:
            state.artifacts = state.artifacts.without_answers().with_files(kept.files)
    if state.artifacts.pca_projection(AFTER) is None:
        keep_projection_of(state, AFTER)


def report_context(state: State) -> ReportContext:
    """Return the facts and results from which a report is written."""
    about, measured = facts(state), state.measured
    return ReportContext(
        facts=about,
        test=state.evaluations.get("test"),
        artifacts=measured.artifacts,
        overfitting=_fit_of_curves(state, about),
        findings=state.findings,
        fitted=measured.fitted,
    )


def facts(state: State) -> Facts:
    """Return the facts about the model for a model card and a report."""
    parts = state.parts
    # Use the JSON form of the record, so that learner and saved run give the same report.
    recorded = json.loads(json.dumps(state.run_record()))
    parameters = {"backbone": parts.backbone.count_params(), "head": parts.head.count_params()}
    return facts_of(recorded, parameters, parts.backbone)


def _fit_of_curves(state: State, about: Facts) -> Overfitting | None:
    """Diagnose overfitting from the learning curves of the current weights, if there are any."""
    trainer = state.trainer
    if not (trainer.history and trainer.is_as_trained):
        return None
    splits = {} if about.data is None else about.data.splits
    items = splits["validation"].items if "validation" in splits else None
    blocks = state.parts.backbone.blocks
    return find_overfitting(trainer.history, state.task, state.config, blocks, items)


def items_shown(state: State, rows: np.ndarray, split: str) -> Artifacts:
    """Return the stored artifacts if they show the items in `rows`, otherwise new artifacts.

    Raises:
        DataError: The stored artifacts do not show the items in `rows`, and the learner has no data
            to make new artifacts.
    """
    record = evaluation_of(state, split).record.take(rows)
    # Compare the predictions too: a new temperature or new thresholds can change the largest losses
    # and the predictions.
    asked = state.task.question(record.labels, record.logits)
    answers = None if state.data is None else asked.names
    if split == "test" and state.artifacts.show(rows, answers):
        return state.artifacts
    chosen = state.need_data().split(split).take(rows)
    pictures = state.parts.modality.pictures(chosen)
    # Grad-CAM explains the served model, which computes in float32.
    parts = state.float32_parts()
    return Artifacts(keep_top_items(rows, chosen, pictures, parts, state.task, record))


def keep_projection_before(state: State) -> None:
    """Before fine-tuning, keep a PCA projection of the features for the report."""
    try:
        keep_projection_of(state, BEFORE)
    except DataError as error:
        # The projection uses test or validation items. An unreadable test or validation item must
        # not stop training.
        state.reporter.say(f"The report has no PCA plot from before fine-tuning: {error}")


def keep_projection_of(state: State, when: str) -> None:
    """Keep a PCA projection of some items, the same items before and after fine-tuning."""
    before, splits = state.artifacts.pca_projection(BEFORE), state.data.splits
    names = [name for name in ("test", "validation") if len(splits.get(name, ()))]
    if not names:
        return
    features = state.trainer.features
    # Use the test split, unless the cache has only the features of the validation split.
    name = next(filter(lambda n: features.has(splits[n]), names), names[0])
    if before is not None and before.split in names:
        name = before.split
    split = splits[name]
    order = np.random.default_rng(state.trainer.seed).permutation(len(split))
    rows = np.sort(order[:MOST_ITEMS])
    found = PcaProjection.of(name, split.labels[rows], features.rows(split, rows))
    if found is not None:
        state.artifacts = state.artifacts.with_files(keep_projection(when, found))

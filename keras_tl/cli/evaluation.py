"""Commands that evaluate a saved run, or fit a temperature and decision thresholds for the run."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import click

import keras_tl
from keras_tl.cli.data import DataAsked, data_of_run_options, load_data
from keras_tl.cli.group import PATH, cli, start_toolkit, with_json
from keras_tl.errors import ConfigError, listed
from keras_tl.evaluation.wording import grouping_lines, number_text, thresholds_text

_SPLIT = click.option(
    "--split", default="test", show_default=True, help="train, validation or test."
)
_OTHERS = (
    "These items are not the items that the run records. keras_tl compares files by path, size "
    "and modification time."
)


def _load(
    run: Path, spec: DataAsked, verbose: bool, slices: list[str] | None = None
) -> "keras_tl.Learner":
    """Load a saved run and its data, and split the data in the same way as for training."""
    toolkit = start_toolkit()
    from keras_tl.data.specs import takes
    from keras_tl.runs.run_files import read_run

    recorded = read_run(run)["data"] or {}
    if spec.spec is None:
        spec = DataAsked(_spec_of(run, recorded), spec.options)
        click.echo(f"Data: {spec.spec}, the training data of the run.", err=True)
    if recorded.get("task") and takes(spec.spec, "task"):
        # Use the task that the run records: do not guess the task from the labels again.
        spec = DataAsked(spec.spec, {"task": recorded["task"]} | spec.options)
    splitting = dict(recorded.get("split_settings", {}))
    if not takes(spec.spec, "groups"):
        # Drop a column of groups of the training data, because the data of `spec` have no columns.
        splitting.pop("groups", None)
    reading = {name: recorded.get(name) for name in ("resize", "value_range", "sequence_length")}
    defaults = splitting | {name: one for name, one in reading.items() if one is not None}
    data = load_data(
        spec, recorded.get("source_settings"), defaults, slices=slices, verbose=verbose
    )
    return toolkit.Learner.load(run, data=data, verbose=verbose)


def _spec_of(run: Path, recorded: dict[str, Any]) -> str:
    """Return the value of `--data` if a Python package has the data, else raise `ConfigError`."""
    if not recorded:
        raise ConfigError(
            f"Missing option '--data'. The run {run} does not record its data. Pass items of the "
            "same classes: --data folder:PATH, --data csv:PATH or --data tfds:NAME."
        )
    kind = (recorded.get("source_settings") or {}).get("kind")
    if kind == "digits":
        return kind
    items = ", ".join(f"{x['items']:,} {name}" for name, x in recorded["splits"].items())
    what = f"The run {run} was trained on {items} items"
    if names := recorded["class_names"]:
        what += f" of {len(names):,} classes ({listed(names)})"
    if kind is None:
        raise ConfigError(
            f"Missing option '--data'. {what}, from data in memory. In Python, load the "
            f"run with these data: Learner.load({str(run)!r}, data=data). Or save the items in a "
            "folder or a table, and pass --data folder:PATH or --data csv:PATH."
        )
    place = "NAME" if kind == "tfds" else "PATH"
    raise ConfigError(
        f"Missing option '--data'. {what}, from --data {kind}:{place}. The run does not record the "
        f"place of the data: pass --data {kind}:{place} again."
    )


@cli.command()
@click.argument("run", type=PATH)
@data_of_run_options
@_SPLIT
@click.option(
    "--by",
    metavar="COLUMN",
    help="csv: also evaluate each group of items with the same value in this column.",
)
@with_json
def evaluate(
    verbose: bool, run: Path, split: str, by: str | None, spec: DataAsked
) -> tuple[dict, str]:
    """Evaluate a saved RUN on a split, with 95% intervals, and save the metrics in the run.

    If the data differ from the data of the run, the command saves nothing.
    """
    learner = _load(run, spec, verbose, None if by is None else [by])
    metrics = learner.evaluate(split, by=by)
    intervals = metrics["intervals"]
    per_class = metrics.get("per_class", {})
    width = max(map(len, per_class), default=0)
    lines = [
        f"{name:<{width}}  {_row(row, intervals['per_class'][name])}"
        for name, row in per_class.items()
    ]
    numbers = {k: v for k, v in metrics.items() if isinstance(v, float | int | None)}
    lines += [_row(numbers, intervals), *grouping_lines(metrics)]
    lines += _thresholds_line(learner)
    if metrics.slices is not None:
        lines.append(metrics.slices.describe())
    kept = learner._state.is_training_data(split)
    if not kept:
        lines.append(f"The command did not save the metrics above in {run}. {_OTHERS}")
    else:
        try:
            lines.append(_keep(learner, run, [split]))
        except (OSError, ConfigError) as error:
            # The evaluation succeeded: do not fail if the run cannot be written.
            kept = False
            lines.append(f"The command did not save the metrics above in {run}: {error}")
    return metrics.metrics | {"kept": kept}, "\n".join(lines)


def _thresholds_line(learner: "keras_tl.Learner") -> list[str]:
    """Return a list with one line about the decision thresholds, or `[]` without thresholds."""
    said = thresholds_text(learner.config.class_names, learner.config.thresholds)
    return [f"Decision thresholds: {said}"] if said else []


def _evaluation_of(learner: "keras_tl.Learner", split: str) -> "keras_tl.Evaluation":
    """Return the saved evaluation of a split, or evaluate the split if necessary."""
    from keras_tl.learner.measuring import evaluation_of

    return evaluation_of(learner._state, split)


def _keep(learner: "keras_tl.Learner", run: Path, splits: Collection[str]) -> str:
    """Save the learner's evaluations, temperature and thresholds in its run. Return a message."""
    from keras_tl.learner.saving import keep
    from keras_tl.report.page import is_report
    from keras_tl.runs.run_files import REPORT

    said = f"Saved the run to {run}."
    if not keep(learner._state, run, splits):
        said += f" The run keeps its earlier metrics. {_OTHERS}"
    if is_report(run / REPORT):
        said += f" Updated its {REPORT}."
    return said


def _row(values: dict[str, Any], intervals: dict[str, Any]) -> str:
    """Return one line of text with the name, value and interval of each metric."""
    parts = []
    for name, value in values.items():
        ends = intervals.get(name)
        between = "" if ends is None else f" [{', '.join(map(number_text, ends))}]"
        parts.append(f"{name.replace('_', ' ')} {number_text(value)}{between}")
    return "  ".join(parts)


@cli.command()
@click.argument("run", type=PATH)
@data_of_run_options
@with_json
def calibrate(verbose: bool, run: Path, spec: DataAsked) -> tuple[dict, str]:
    """Fit and save a temperature for the probabilities of a saved RUN, on its validation split.

    Later predictions and exports of the run use this temperature.
    """
    # The command prints the result below, so the learner must not also print it.
    learner = _load(run, spec, verbose=False)
    if "test" in learner.data.splits:
        _evaluation_of(learner, "test")
    found = learner.calibrate()
    said = _keep(learner, run, learner.evaluations)
    return {"run": str(run)} | found.to_json(), f"{found.describe()}\n{said}"


@cli.command()
@click.argument("run", type=PATH)
@data_of_run_options
@click.option(
    "--min-precision",
    type=float,
    help="Choose the smallest thresholds with at least this precision.",
)
@click.option(
    "--min-recall", type=float, help="Choose the largest thresholds with at least this recall."
)
@with_json
def thresholds(
    verbose: bool,
    run: Path,
    min_precision: float | None,
    min_recall: float | None,
    spec: DataAsked,
) -> tuple[dict, str]:
    """Choose and save the decision thresholds of a saved RUN on its validation split.

    Thresholds are for two classes (the second class is "yes") and for multi-label tasks. Without
    --min-precision and --min-recall, the command chooses the thresholds with the largest F1. Later
    predictions and exports of the run use the thresholds.
    """
    learner = _load(run, spec, verbose=False)
    if "test" in learner.data.splits:
        _evaluation_of(learner, "test")
    found = learner.choose_thresholds(min_precision=min_precision, min_recall=min_recall)
    said = _keep(learner, run, learner.evaluations)
    return {"run": str(run)} | found.to_json(), f"{found.describe()}\n{said}"


@cli.command()
@click.argument("run", type=PATH)
@data_of_run_options
@_SPLIT
@click.option("--count", default=9, show_default=True, help="Number of items.")
@with_json
def losses(verbose: bool, run: Path, split: str, count: int, spec: DataAsked) -> tuple[dict, str]:
    """List the items with the largest losses in a split, by the predictions of a saved RUN."""
    learner = _load(run, spec, verbose)
    found = _evaluation_of(learner, split).top_losses(count)
    return found.to_json(), "\n".join([found.describe(), *_thresholds_line(learner)])

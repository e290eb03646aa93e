"""The command `keras-tl train`: train a model and save the run."""

import importlib.util
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

import keras_tl
from keras_tl.base.config import CACHES
from keras_tl.cli.data import DataAsked, data_options, groups_option, load_data, split_options
from keras_tl.cli.group import PATH, cli, overwrite_option, start_toolkit, with_json
from keras_tl.cli.model import head_learning_rate_option, model_options
from keras_tl.cli.wording import in_options
from keras_tl.errors import ConfigError
from keras_tl.evaluation.wording import number_text
from keras_tl.training.policies import POLICIES

# Options that apply to one of the two phases, training of the head or fine-tuning.
_OF_PHASES = (
    *("head_epochs", "head_learning_rate", "fine_tune_epochs", "learning_rate", "unfreeze"),
    *("policy", "discriminative_factor", "batch_size"),
)


# Options that apply only to fine-tuning.
_OF_FINE_TUNING = ("learning_rate", "unfreeze", "policy", "discriminative_factor", "augment")


def _number_or_name(value: str | None) -> int | str | None:
    return int(value) if value is not None and value.isdecimal() else value


@cli.command()
@data_options
@split_options
@groups_option
@model_options
@click.option(
    "--minutes",
    type=click.FloatRange(min=0.01),
    help="Time budget of the training in minutes. The command first prints its plan.",
)
@click.option(
    "--refit",
    is_flag=True,
    help="At the end, train the chosen model again on all items, also on the test items.",
)
@click.option(
    "--head-epochs", type=int, help="Number of epochs that train the head on the frozen backbone."
)
@click.option(
    "--fine-tune-epochs", type=int, help="Number of epochs of fine-tuning. 0: do not fine-tune."
)
@head_learning_rate_option
@click.option("--learning-rate", type=float, help="Peak learning rate of fine-tuning.")
@click.option(
    "--unfreeze", help="Blocks to unfreeze: all, a number, or the name of the lowest block."
)
@click.option("--policy", type=click.Choice(list(POLICIES)), help="Method of fine-tuning.")
@click.option(
    "--discriminative-factor",
    type=click.FloatRange(min=1),
    help="In fine-tuning, each block has the learning rate of the block above, divided by this "
    "factor. Default: the factor of the --policy.",
)
@click.option("--batch-size", type=int, help="Items per training step, for head and fine-tuning.")
@click.option(
    "--augment",
    multiple=True,
    metavar="NAME",
    help="Augmentation of images in fine-tuning: standard, no-flip, randaugment, mixup or cutmix. "
    "Can be repeated. Default: the data determine the augmentation.",
)
@click.option(
    "--no-augment", is_flag=True, help="Use no augmentation. --augment overrides this option."
)
@click.option(
    "--label-smoothing", type=float, help="Fraction of each label to spread over all classes."
)
@click.option("--balanced", is_flag=True, help="Give every class the same weight in the loss.")
@click.option(
    "--tensorboard",
    metavar="FOLDER",
    help="Folder for TensorBoard logs. Install the package first: pip install tensorboard.",
)
@click.option(
    "--cache",
    type=click.Choice(CACHES),
    default="auto",
    show_default=True,
    help="Place where the command stores the features of the frozen backbone.",
)
@click.option(
    "--calibrate",
    is_flag=True,
    help="After training, calibrate the probabilities on the validation split.",
)
@click.option("--seed", type=int, help="Seed of all random numbers.")
@click.option(
    "--max-bad",
    default=0.05,
    show_default=True,
    help="Maximum fraction of unusable files or texts. Training leaves out unusable items. With a "
    "larger fraction, training stops.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Train nothing: check the data without a backbone, and list unusable items and problems.",
)
@click.option(
    "--no-preflight", is_flag=True, help="Do not check data and model before the training."
)
@click.option("--out", type=PATH, help="Folder in which the command saves the run.")
@overwrite_option
@with_json
def train(
    verbose: bool,
    spec: DataAsked,
    model: dict[str, Any],
    max_bad: float,
    check: bool,
    out: Path | None,
    overwrite: bool,
    **options: Any,
) -> tuple[dict, str]:
    """Train a head on a frozen backbone, fine-tune if that helps, and save the run.

    By default, Learner.fit decides whether to fine-tune. With an option for one of the two phases,
    such as --unfreeze, the command trains the head, then fine-tunes with the given options.
    """
    toolkit = start_toolkit()
    from keras_tl.evaluation.calibration import check_has_probabilities
    from keras_tl.evaluation.fit_state import OVERFITS
    from keras_tl.runs.run_files import check_target

    if out is None and not check:
        raise click.UsageError(
            "Missing option '--out'. Pass a folder for the run, or --check to only check the data."
        )
    if out is not None:
        check_target(out, overwrite)
    # With --check, do not stop at a large fraction of unusable items: list all of them.
    data = load_data(spec, max_bad=1.0 if check else max_bad, verbose=verbose)
    if check:
        return _describe_check(data, max_bad)
    learner = toolkit.Learner(
        data=data,
        **model,
        seed=options["seed"],
        verbose=verbose,
        preflight=not options["no_preflight"],
    )
    # The command prints the results itself, below.
    learner._state.reporter.writes_results = False
    by_phases = _asked_of_phases(options)
    if options["calibrate"] and options["refit"]:
        raise click.UsageError(
            "--calibrate needs a validation split, but --refit trains on all items. Leave out "
            "--calibrate or --refit."
        )
    if options["calibrate"]:
        # Raise the errors of the calibration before the training, not after it.
        check_has_probabilities(learner.task)
        data.split("validation")
    result = {"run": str(out)} | _trained(learner, options, by_phases, out, overwrite)
    lines = [f"Saved the run to {out}.", *_said_of(learner, result)]
    if options["calibrate"]:
        calibrated = learner.calibrate()
        result["calibrated"] = calibrated.to_json()
        lines.append(calibrated.describe())
    overfitting = toolkit.overfitting(learner)
    result["overfitting"] = overfitting.to_json()
    if overfitting.state == OVERFITS:
        lines += [
            f"Against overfitting, try {remedy.what}"
            + (f": {remedy.command}" if remedy.command else f", only in Python: {remedy.python}")
            for remedy in overfitting.remedies
        ]
    from keras_tl.learner.reporting import prepare_report

    # The report shows single items. Save these items now, because `keras-tl report` has no data.
    prepare_report(learner._state)
    learner.save(out)
    return result, "\n".join(lines)


def _said_of(learner: "keras_tl.Learner", result: dict[str, Any]) -> Iterator[str]:
    """Yield sentences about the training, and add a warning to `result` if a metric fell."""
    from keras_tl.evaluation.metric_drop import describe_metric_drop

    if warning := describe_metric_drop(learner.history[-1], is_command=True):
        result["warning"] = warning
        yield f"Warning: {warning}"
    history, primary_metric = learner.history, learner.task.primary_metric
    if history.findings is not None:
        # `bool(findings)` is false if the preflight found no problem.
        kept = " The run records the findings." if history.findings else ""
        yield f"{history.findings.summary()}{kept}"
    fitted = history.fitted
    last = "after fine-tuning" if fitted is None else f"of the kept model ({fitted.name})"
    for phase, name in (("head", "after training the head"), ("fine_tuned", last)):
        if result.get(phase):
            value = number_text(result[phase][primary_metric])
            yield f"Test {primary_metric.replace('_', ' ')} {name}: {value}"
    if fitted is not None:
        yield fitted.describe()


def _asked_of_phases(options: dict[str, Any]) -> bool:
    """Return whether options of a phase were given. Raise `UsageError` if options conflict."""
    phases = [name for name in _OF_PHASES if options[name] is not None]
    decides = [name for name in ("minutes", "refit") if options[name]]
    if phases and decides:
        one, other = (f"--{names[0].replace('_', '-')}" for names in (decides, phases))
        raise click.UsageError(
            f"{one} is an option of Learner.fit, but {other} is a setting of a training phase. "
            f"With such a setting, keras-tl train does not call fit. Leave out {one} or {other}."
        )
    unused = [name for name in _OF_FINE_TUNING if options[name]]
    if options["fine_tune_epochs"] == 0 and unused:
        flag = f"--{unused[0].replace('_', '-')}"
        raise click.UsageError(
            f"{flag} is a setting of fine-tuning, but --fine-tune-epochs 0 leaves out fine-tuning. "
            f"Leave out {flag} or --fine-tune-epochs."
        )
    return bool(phases)


def _trained(
    learner: "keras_tl.Learner",
    options: dict[str, Any],
    by_phases: bool,
    out: Path,
    overwrite: bool,
) -> dict[str, Any]:
    """Train the model, and return a dict of the preflight, the evaluations and `fit`'s result."""
    shared = {
        "label_smoothing": options["label_smoothing"],
        "class_weight": "balanced" if options["balanced"] else None,
        "callbacks": _tensorboard(options["tensorboard"]),
    }
    began = time.perf_counter()
    learner.fit_head(
        options["head_epochs"],
        learning_rate=options["head_learning_rate"],
        cache=options["cache"],
        batch_size=options["batch_size"],
        **shared,
    )
    findings = learner.history.findings
    result = {
        "preflight": None if findings is None else findings.to_json(),
        "head": _evaluate_and_save(learner, out, overwrite),
    }
    augment = options["augment"] or not options["no_augment"]
    if not by_phases:
        minutes = options["minutes"]
        if minutes is not None:
            minutes = max(0.01, minutes - (time.perf_counter() - began) / 60)
        fitted = learner.fit(
            minutes, refit=options["refit"], augment=augment, cache=options["cache"], **shared
        )
        result["fit"] = fitted.to_json()
    elif options["fine_tune_epochs"] != 0:
        learner.fine_tune(
            options["fine_tune_epochs"],
            learning_rate=options["learning_rate"],
            unfreeze=_number_or_name(options["unfreeze"]),
            policy=options["policy"] or "standard",
            batch_size=options["batch_size"],
            discriminative_factor=options["discriminative_factor"],
            augment=augment,
            **shared,
        )
    if len(learner.history) > 1:
        result["fine_tuned"] = _evaluate_and_save(learner, out)
    return result


def _describe_check(
    data: "keras_tl.ImageData | keras_tl.TextData", max_bad: float
) -> tuple[dict, str]:
    found = data.checked
    if found is None:
        raise ConfigError(
            "--check is for --data folder:PATH and csv:PATH. Train other data without --check: "
            "the preflight runs before the training."
        )
    from keras_tl.preflight.checks import run_checks
    from keras_tl.preflight.context import CheckContext

    findings = run_checks(CheckContext(data))
    result, text = found.to_json() | {"preflight": findings.to_json()}, found.describe()
    if found.is_above(max_bad):
        text += f"\nThis fraction is more than {max_bad:.1%} (--max-bad): training would stop."
    text += f"\n{findings.describe()}"
    more, described = data.describe_items()
    return result | more, in_options(text + described, train)


def _tensorboard(folder: str | None) -> list:
    if folder is None:
        return []
    if importlib.util.find_spec("tensorboard") is None:
        raise ConfigError("--tensorboard needs the package tensorboard: pip install tensorboard.")
    from keras.callbacks import TensorBoard

    return [TensorBoard(folder)]


def _evaluate_and_save(
    learner: "keras_tl.Learner", out: Path, overwrite: bool = False
) -> dict | None:
    # Save the run before the evaluation, so that an interruption does not lose the trained head.
    learner.save(out, overwrite=overwrite)
    if "test" not in learner.data.splits:
        return None
    metrics = learner.evaluate()
    learner.save(out)
    return {name: value for name, value in metrics.items() if isinstance(value, float | None)}

"""The command line: arguments to calls. TensorFlow is imported only when a command needs it."""

import dataclasses
import functools
import importlib
import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import click

import keras_tl
from keras_tl.backbones.catalogue import CATALOGUE, get_spec
from keras_tl.config import CACHES
from keras_tl.errors import ConfigError, ExportError, KerasTLError


def main() -> None:
    """Entry point: exit status 0 done, 2 the user's mistake, 1 anything else."""
    try:
        cli.main(prog_name="keras-tl", standalone_mode=False)
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        hint = f" Try '{context.command_path} --help'." if context else ""
        _exit_with_mistake(error.format_message() + hint)
    except KerasTLError as error:
        _exit_with_mistake(str(error))
    except (click.Abort, KeyboardInterrupt):
        click.echo("keras-tl: interrupted", err=True)
        sys.exit(1)


def _exit_with_mistake(message: str) -> NoReturn:
    # One line, whatever a library's own message brought along.
    click.echo(f"keras-tl: {' '.join(message.splitlines())}", err=True)
    sys.exit(2)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=False,
)
@click.version_option(keras_tl.__version__)
def cli() -> None:
    """Transfer learning with Keras: train a head, fine-tune, evaluate, export, verify."""


def _toolkit() -> ModuleType:
    """`keras_tl` with TensorFlow imported, whose start-up notes would bury ours.

    The first ones come whatever the variable says (tensorflow/tensorflow#100442), so standard
    error is held back meanwhile. Whoever wants the notes sets the variable.
    """
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ or "tensorflow" in sys.modules:
        return keras_tl
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    standard_error = os.dup(2)
    with tempfile.TemporaryFile() as notes:
        os.dup2(notes.fileno(), 2)
        try:
            importlib.import_module("tensorflow")
        except BaseException:
            notes.seek(0)
            os.write(standard_error, notes.read())
            raise
        finally:
            os.dup2(standard_error, 2)
            os.close(standard_error)
    return keras_tl


def _with_json(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--json`: the command's result as one JSON line on standard output, and no progress.

    The command gets `verbose` and gives its result, and a text for people.
    """

    @click.option("--json", "as_json", is_flag=True, help="One JSON line, no progress.")
    @functools.wraps(command)
    def wrapped(as_json: bool, **arguments: Any) -> None:
        result, text = command(verbose=not as_json, **arguments)
        click.echo(json.dumps(result, ensure_ascii=False) if as_json else text)

    return wrapped


@dataclasses.dataclass(frozen=True)
class _Data:
    """What `--data` and the options of its sources say."""

    spec: str
    options: dict[str, Any]


def _data_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--data` and what its sources take; the command gets them as `spec`."""

    @click.option(
        "--data",
        "spec",
        required=True,
        metavar="SPEC",
        help="folder:PATH (one folder of images a class), csv:PATH (a table of image paths and "
        "labels), tfds:NAME (a data set of TensorFlow Datasets), or digits.",
    )
    @click.option("--image-column", "image", help="csv: column of paths; tfds: image feature.")
    @click.option(
        "--label-column",
        "label",
        multiple=True,
        help="csv: column of labels; repeated: columns of 0 and 1, one a label. tfds: feature.",
    )
    @click.option("--split-column", help="csv: column that says train, validation or test.")
    @click.option("--label-separator", "separator", help="csv: between the labels of a cell.")
    @click.option("--task", help="csv: multiclass, binary, multilabel or regression.")
    @click.option("--data-dir", help="tfds: folder of prepared data sets.")
    @click.option("--no-download", is_flag=True, help="tfds: use what is there only.")
    @functools.wraps(command)
    def wrapped(
        spec: str,
        label: tuple[str, ...],
        split_column: str | None,
        no_download: bool,
        **others: Any,
    ) -> Any:
        given = {name: others.pop(name) for name in ("image", "separator", "task", "data_dir")}
        given["label"] = label[0] if len(label) == 1 else list(label) or None
        given["split"] = split_column
        given["download"] = False if no_download else None
        options = {name: value for name, value in given.items() if value is not None}
        return command(spec=_Data(spec, options), **others)

    return wrapped


def _split_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--split-seed", default=0, show_default=True, help="Seed of the splits."),
        click.option("--test-split", default=0.15, show_default=True, help="Share for testing."),
        click.option(
            "--validation-split", default=0.15, show_default=True, help="Share for validation."
        ),
        click.option(
            "--resize",
            default="crop",
            show_default=True,
            help="crop, pad or stretch images to the backbone's size.",
        ),
    ):
        command = option(command)
    return command


def _load_data(
    data: _Data, recorded: dict[str, Any] | None = None, **options: Any
) -> "keras_tl.ImageData":
    """Reads the data; in the way that `recorded` says, where the options do not."""
    _toolkit()
    from keras_tl.data.specs import load_spec

    return load_spec(data.spec, recorded, **data.options, **options)


def _image_size(value: str | None) -> int | tuple[int, int] | None:
    if value is None:
        return None
    try:
        sides = tuple(int(side) for side in value.lower().split("x"))
    except ValueError:
        raise ConfigError(
            f"--image-size must be SIDE or HEIGHTxWIDTH in pixels. Received: {value!r}."
        ) from None
    return sides[0] if len(sides) == 1 else sides


def _number_or_name(value: str | None) -> int | str | None:
    return int(value) if value is not None and value.isdecimal() else value


@cli.command()
@_data_options
@_split_options
@click.option("--backbone", default="efficientnet_lite0", show_default=True, help="Its name.")
@click.option(
    "--weights",
    default="imagenet",
    show_default=True,
    help="imagenet, the path of a weights file, or none for random weights.",
)
@click.option("--image-size", metavar="SIDE|HxW", help="Pixels; the backbone's own if not given.")
@click.option("--head-epochs", type=int, help="Epochs with the backbone frozen.")
@click.option("--fine-tune-epochs", type=int, help="Epochs of fine-tuning; 0 for none.")
@click.option("--head-learning-rate", type=float, help="Peak rate of the head's phase.")
@click.option("--learning-rate", type=float, help="Peak rate of fine-tuning.")
@click.option("--unfreeze", help="all, a number of blocks, or the lowest block's name.")
@click.option("--batch-size", type=int, help="Images per step, in both phases.")
@click.option(
    "--augment",
    multiple=True,
    metavar="NAME",
    help="How images are augmented in fine-tuning: standard, no-flip, randaugment, mixup, cutmix; "
    "can be repeated. The data's own if not given.",
)
@click.option("--no-augment", is_flag=True, help="No augmentation.")
@click.option("--label-smoothing", type=float, help="Share of a label spread over all classes.")
@click.option("--balanced", is_flag=True, help="Every class weighs the same.")
@click.option(
    "--output-block", help="The block whose output is the features; the last if not given."
)
@click.option(
    "--tensorboard", metavar="FOLDER", help="Log for TensorBoard (pip install tensorboard)."
)
@click.option(
    "--cache",
    type=click.Choice(CACHES),
    default="auto",
    show_default=True,
    help="Where the frozen backbone's features are kept.",
)
@click.option(
    "--precision",
    default="auto",
    show_default=True,
    help="auto, float32, mixed_bfloat16 or mixed_float16.",
)
@click.option(
    "--strategy", default="auto", show_default=True, help="auto, single, mirrored or tpu."
)
@click.option("--seed", type=int, help="Makes the run repeatable.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The run's folder.")
@_with_json
def train(
    verbose: bool,
    spec: _Data,
    resize: str,
    validation_split: float,
    test_split: float,
    split_seed: int,
    out: Path,
    **options: Any,
) -> tuple[dict, str]:
    """Train a head on a frozen backbone, fine-tune both, and save the run."""
    toolkit = _toolkit()
    from keras_tl.training.checkpoints import check_target

    check_target(out)
    data = _load_data(
        spec,
        resize=resize,
        validation_split=validation_split,
        test_split=test_split,
        seed=split_seed,
    )
    weights = options["weights"]
    learner = toolkit.Learner(
        options["backbone"],
        data,
        weights=None if weights.lower() == "none" else weights,
        image_size=_image_size(options["image_size"]),
        output_block=options["output_block"],
        precision=options["precision"],
        strategy=options["strategy"],
        seed=options["seed"],
        verbose=verbose,
    )
    result: dict[str, Any] = {"run": str(out)}
    shared = {
        "batch_size": options["batch_size"],
        "label_smoothing": options["label_smoothing"],
        "class_weight": "balanced" if options["balanced"] else None,
        "callbacks": _tensorboard(options["tensorboard"]),
    }
    learner.fit_head(
        options["head_epochs"], options["head_learning_rate"], cache=options["cache"], **shared
    )
    result["head"] = _evaluate_and_save(learner, out)
    if options["fine_tune_epochs"] != 0:
        learner.fine_tune(
            options["fine_tune_epochs"],
            options["learning_rate"],
            _number_or_name(options["unfreeze"]),
            augment=not options["no_augment"] and (options["augment"] or True),
            **shared,
        )
        result["fine_tuned"] = _evaluate_and_save(learner, out)
    lines = [f"Saved the run to {out}."]
    headline = learner.task.headline
    for phase, name in (("head", "after the head"), ("fine_tuned", "after fine-tuning")):
        if result.get(phase):
            value = result[phase][headline]
            lines.append(f"Test {headline.replace('_', ' ')} {name}: {_value(value)}")
    return result, "\n".join(lines)


def _tensorboard(folder: str | None) -> list:
    if folder is None:
        return []
    if importlib.util.find_spec("tensorboard") is None:
        raise ConfigError("--tensorboard needs the package tensorboard: pip install tensorboard.")
    from keras.callbacks import TensorBoard

    return [TensorBoard(folder)]


def _evaluate_and_save(learner: "keras_tl.Learner", out: Path) -> dict | None:
    # Saved before anything else can fail: an interrupted fine-tuning keeps the head.
    learner.save(out)
    if "test" not in learner.data.splits:
        return None
    metrics = learner.evaluate()
    learner.save(out)
    return {name: value for name, value in metrics.items() if isinstance(value, float | None)}


@cli.command()
@click.argument("run", type=click.Path(path_type=Path))
@_data_options
@click.option("--split", default="test", show_default=True, help="train, validation or test.")
@_with_json
def evaluate(verbose: bool, run: Path, split: str, spec: _Data) -> tuple[dict, str]:
    """Measure a saved RUN on a split of the data, which are split as they were for training."""
    toolkit = _toolkit()
    from keras_tl.training.checkpoints import read_run

    recorded = read_run(run)["data"]
    data = _load_data(
        spec,
        recorded.get("source_settings"),
        resize=recorded["resize"],
        **recorded["split_settings"],
    )
    learner = toolkit.Learner.load(run, data, verbose=verbose)
    metrics = learner.evaluate(split)
    per_class = metrics.get("per_class", {})
    width = max(map(len, per_class), default=0)
    lines = [f"{name:<{width}}  {_row(row)}" for name, row in per_class.items()]
    lines.append(_row({k: v for k, v in metrics.items() if isinstance(v, float | int | None)}))
    return metrics, "\n".join(lines)


def _row(values: dict[str, Any]) -> str:
    return "  ".join(f"{k.replace('_', ' ')} {_value(value)}" for k, value in values.items())


def _value(value: float | int | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4g}"


@cli.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True)
@_with_json
def predict(verbose: bool, run: Path, images: tuple[str, ...]) -> tuple[list, str]:
    """Predict the classes, labels or values of IMAGES (files, or one folder) by a saved RUN."""
    learner = _toolkit().Learner.load(run, verbose=verbose)
    predictions = learner.predict(images[0] if len(images) == 1 else list(images))
    lines = [f"{item.source}: {item}" for item in predictions]
    return predictions.to_json(), "\n".join(lines)


@cli.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="The file: .npy (an array, a row an image) or .parquet (columns source and features).",
)
@_with_json
def features(verbose: bool, run: Path, images: tuple[str, ...], out: Path) -> tuple[dict, str]:
    """Write the features of IMAGES (files, or one folder), as a saved RUN's head gets them."""
    learner = _toolkit().Learner.load(run, verbose=verbose)
    count, width = learner.save_features(images[0] if len(images) == 1 else list(images), out)
    found = {"features": str(out), "items": count, "width": width}
    return found, f"Wrote {count:,} rows of {width:,} features to {out}."


@cli.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The HTML file.")
@_with_json
def report(verbose: bool, run: Path, out: Path) -> tuple[dict, str]:
    """Write what a saved RUN recorded as one HTML file."""
    _toolkit().Learner.load(run, verbose=verbose).report(out)
    return {"report": str(out)}, f"Wrote {out}."


@cli.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="The model's folder, such as saved_models/photos; the next version is written below it.",
)
@_with_json
def export(verbose: bool, run: Path, out: Path) -> tuple[dict, str]:
    """Export a saved RUN as a verified SavedModel for TF Serving."""
    version = _toolkit().Learner.load(run, verbose=verbose).export(out)
    return {"version": str(version)}, f"Exported to {version}."


@cli.command()
@click.argument("path", type=click.Path(path_type=Path))
@_with_json
def verify(verbose: bool, path: Path) -> tuple[dict, str]:
    """Load an export as TF Serving does, without Keras, and ask it its recorded examples."""
    from keras_tl.export.verification import verify as verify_export

    found = verify_export(path)
    if not found.ok:
        raise ExportError(f"{found.path} is not right: {'; '.join(found.problems)}.")
    lines = [f"{found.path} is right."]
    for name, signature in found.signatures.items():
        inputs, outputs = (
            ", ".join(f"{key} {value['dtype']}{value['shape']}" for key, value in part.items())
            for part in (signature["inputs"], signature["outputs"])
        )
        lines.append(f"  {name}: {inputs} -> {outputs}")
        for output, difference in found.differences.get(name, {}).items():
            lines.append(f"    {output} differs from the model by at most {difference:.1e}")
    if not found.differences:
        lines.append("  It holds no recorded examples: only loading and structure were checked.")
    return found.to_json(), "\n".join(lines)


@cli.command()
@click.argument("name", required=False)
@_with_json
def backbones(verbose: bool, name: str | None) -> tuple[list, str]:
    """List the backbones, or describe one by NAME."""
    specs = [get_spec(name)] if name else list(CATALOGUE.values())
    rows = [
        {
            "name": spec.name,
            "image_size": list(spec.image_size),
            "min_size": spec.min_size,
            "parameters": spec.parameters,
            "features": spec.features,
            "imagenet_top1": spec.weights.top1,
            "licence": spec.weights.licence,
            "bundled": spec.weights.bundled is not None,
            "preprocessing": spec.preprocessing.describe(),
            "blocks": [block.name for block in spec.blocks],
            "source": spec.weights.source,
        }
        for spec in specs
    ]
    if name:
        return rows, "\n".join(f"{key:<14} {_plain(value)}" for key, value in rows[0].items())
    width = max(len(row["name"]) for row in rows)
    lines = [
        f"{row['name']:<{width}} {row['image_size'][0]:>4} px {row['parameters'] / 1e6:>6.1f} M "
        f"weights  ImageNet top-1 {row['imagenet_top1']:.1%}  {row['licence']}"
        f"{'  (weights included)' if row['bundled'] else ''}"
        for row in rows
    ]
    return rows, "\n".join(lines)


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@cli.command()
@click.option(
    "--out",
    default="runs/demo",
    show_default=True,
    type=click.Path(path_type=Path),
    help="The run's folder.",
)
@click.option(
    "--export",
    "base",
    default="saved_models/digits",
    show_default=True,
    help="The exported model's folder.",
)
@click.option("--image-size", default=64, show_default=True, help="Side in pixels.")
@click.option("--seed", default=0, show_default=True, help="Makes the run repeatable.")
@_with_json
def demo(verbose: bool, out: Path, base: str, image_size: int, seed: int) -> tuple[dict, str]:
    """Do the whole job on handwritten digits: head, fine-tuning, plots, export, verification."""
    learner = _toolkit().Learner(
        "efficientnet_lite0",
        _toolkit().ImageData.digits(image_size=image_size),
        seed=seed,
        verbose=verbose,
    )
    learner.fit_head()
    before = learner.evaluate()["accuracy"]
    learner.fine_tune()
    after = learner.evaluate()["accuracy"]
    learner.save(out)
    written = [
        *learner.save_plots(out.with_name(f"{out.name}_plots")),
        learner.report(out.with_name(f"{out.name}_plots") / "report.html"),
    ]
    version = learner.export(base)
    result = {
        "accuracy_before": before,
        "accuracy_after": after,
        "run": str(out),
        "plots": [str(path) for path in written],
        "export": str(version),
    }
    lines = [
        f"Test accuracy before fine-tuning: {before:.4f}",
        f"Test accuracy after fine-tuning:  {after:.4f}",
        f"Saved the run to {out}.",
        *(f"Wrote {path}" for path in written),
        f"Exported and verified {version}. Ask it about an image of your own:",
        f"  keras-tl predict {out} IMAGE",
    ]
    return result, "\n".join(lines)

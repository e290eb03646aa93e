"""The option `--data`, and the options for reading and splitting the data."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any, Self

import click

import keras_tl
from keras_tl.cli.group import PATH, start_toolkit

# Options for reading and splitting the data, whose values `split_options` adds to `spec`.
_READING = (
    *("resize", "value_range", "validation_split", "test_split", "sequence_length", "groups"),
)


@dataclasses.dataclass(frozen=True)
class DataAsked:
    """Values of `--data` and of the other options for the data.

    Attributes:
        spec: Value of `--data`, such as `"folder:photos"`, or `None` if `--data` was not given.
        options: Dict from the names of the options other than `--data` to their values.
    """

    spec: str | None
    options: dict[str, Any]

    def with_options(self, options: Mapping[str, Any]) -> Self:
        """Return a copy that also has `options`, except options that were not given (`None`)."""
        given = {name: value for name, value in options.items() if value is not None}
        return dataclasses.replace(self, options=self.options | given)


def data_options(command: Callable[..., Any], required: bool = True) -> Callable[..., Any]:
    """Add `--data` and the options for reading data. The command gets a `DataAsked` as `spec`.

    For commands with a saved run, `--data` is not `required`, because the run may record its data.
    """

    @click.option(
        "--data",
        "spec",
        required=required,
        metavar="SPEC",
        help="folder:PATH: one subfolder per class, with images or .txt files. csv:PATH: a table "
        "with labels and with image paths or texts, also .tsv and .jsonl. tfds:NAME: a data set "
        "of TensorFlow Datasets. digits: scikit-learn's handwritten digits.",
    )
    @click.option("--image-column", "image", help="csv: column of paths. tfds: image feature.")
    @click.option(
        "--root",
        type=PATH,
        help="csv: folder that relative image paths start from. Default: the folder of the table.",
    )
    @click.option("--text-column", "text", help="csv: column of texts. tfds: text feature.")
    @click.option(
        "--text-pair-column",
        "text_pair",
        help="csv: column of the second text of each pair. tfds: feature of the second text.",
    )
    @click.option(
        "--label-column",
        "label",
        multiple=True,
        help="csv: column of labels. For several labels, repeat the option for the column of each "
        "label, with the values 0 and 1. tfds: feature with the labels.",
    )
    @click.option(
        "--split-column", help="csv: column with the split of each item: train, validation or test."
    )
    @click.option(
        "--label-separator", "separator", help="csv: separator between several labels in one cell."
    )
    @click.option("--task", help="csv, tfds: multiclass, binary, multilabel or regression.")
    @click.option(
        "--class",
        "classes",
        multiple=True,
        metavar="FOLDER",
        help="folder: name of a class folder. Repeat the option for each class, in the order of "
        "the classes.",
    )
    @click.option("--data-dir", help="tfds: folder with the prepared data sets.")
    @click.option(
        "--no-download", is_flag=True, help="tfds: use only data sets that are already prepared."
    )
    @functools.wraps(command)
    def wrapped(
        spec: str | None,
        label: tuple[str, ...],
        classes: tuple[str, ...],
        split_column: str | None,
        no_download: bool,
        **others: Any,
    ) -> Any:
        plain = ("image", "root", "text", "text_pair", "separator", "task", "data_dir")
        given = {name: others.pop(name) for name in plain}
        given["label"] = label[0] if len(label) == 1 else list(label) or None
        given["classes"] = list(classes) or None
        given["split"] = split_column
        given["download"] = False if no_download else None
        return command(spec=DataAsked(spec, {}).with_options(given), **others)

    return wrapped


data_of_run_options = functools.partial(data_options, required=False)


def split_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add options for splits and resizing to a command, and pass their values on in `spec`."""

    @click.option(
        "--value-range",
        nargs=2,
        type=int,
        metavar="BLACK WHITE",
        help="Values of black and white in 16-bit PNG files, such as 0 4095.",
    )
    @click.option(
        "--resize", help="crop (the default), pad or stretch images to the backbone's size."
    )
    @click.option(
        "--validation-split",
        default=0.15,
        show_default=True,
        help="Fraction of the items for the validation split.",
    )
    @click.option(
        "--test-split",
        default=0.15,
        show_default=True,
        help="Fraction of the items for the test split.",
    )
    @click.option("--split-seed", default=0, show_default=True, help="Seed of the splits.")
    @functools.wraps(command)
    def wrapped(spec: DataAsked, **others: Any) -> Any:
        given = {name: others.pop(name) for name in _READING if name in others}
        given["seed"] = others.pop("split_seed")
        return command(spec=spec.with_options(given), **others)

    return wrapped


groups_option = click.option(
    "--groups",
    metavar="COLUMN",
    help="csv: items with the same value in this column stay in one split and one fold.",
)


def load_data(
    data: DataAsked,
    recorded: dict[str, Any] | None = None,
    defaults: dict[str, Any] | None = None,
    **options: Any,
) -> "keras_tl.ImageData | keras_tl.TextData":
    """Read the data. If an option was not given, use its value in the saved run.

    `recorded` are the settings of the run's data source. `defaults` are the run's options for
    reading and splitting the data.
    """
    start_toolkit()
    from keras_tl.data.specs import load_spec

    return load_spec(data.spec, recorded, defaults, **data.with_options(options).options)

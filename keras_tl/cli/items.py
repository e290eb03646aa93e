"""The argument ITEMS of commands that predict, and the options for reading the items."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

import keras_tl
from keras_tl.base.config import ON_INVALID, ModelConfig
from keras_tl.base.files import local_path
from keras_tl.errors import ConfigError, listed

_TABLE, _FOLDER = "csv:", "folder:"


def items_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the argument ITEMS and the options for reading the items to a command."""
    argument = click.argument("items", nargs=-1, required=True)
    on_invalid = click.option(
        "--on-invalid",
        type=click.Choice(ON_INVALID),
        default="raise",
        show_default=True,
        help="Treatment of invalid items: files that are not images, texts that are blank or not "
        "UTF-8. raise: stop with an error. skip: leave invalid items out. keep: keep invalid "
        "items without a prediction. Standard error names each invalid item and the reason.",
    )
    literal = click.option(
        "--literal", is_flag=True, help="Read all ITEMS as texts, even if a file has the same name."
    )
    return argument(on_invalid(literal(command)))


def read_items(
    learner: "keras_tl.Learner", run: Path, items: tuple[str, ...], literal: bool
) -> Any:
    """Convert ITEMS of the command line to the argument of `Learner.predict`.

    For images, ITEMS are files, one folder or one pattern. For texts, a name that ends in `.txt` is
    a file with one text, and any other item is a text. With `literal`, all ITEMS are texts. For
    pairs of texts, first and second texts alternate. For images and texts, ITEMS can also be one
    `folder:PATH`, one `csv:PATH` or one file with the suffix of a table. A table has the columns of
    the training data.
    """
    # Import here, so that --help does not wait for these modules.
    from keras_tl.data.tables.table_files import TABLE_SUFFIXES
    from keras_tl.models.modalities import MODALITIES

    config = learner.config
    suffixes = MODALITIES[config.item].file_suffixes
    if literal:
        if suffixes is None:
            raise ConfigError(
                f"--literal is for texts, but this run takes {config.item}s. Leave out --literal."
            )
        return _in_pairs(list(map(os.fsencode, items)), config.are_pairs)
    tables = [x for x in items if x.startswith(_TABLE) or _is_file(x, TABLE_SUFFIXES)]
    if tables:
        if len(items) > 1:
            raise ConfigError(f"Expected one table and no other items. Received: {listed(items)}.")
        return _rows(config, run, local_path(tables[0].removeprefix(_TABLE)))
    if len(items) == 1 and items[0].startswith(_FOLDER):
        return local_path(items[0].removeprefix(_FOLDER))
    if suffixes is None:
        return items[0] if len(items) == 1 else list(items)
    found = [Path(item) if _is_file(item, suffixes) else item for item in items]
    return _in_pairs(found, config.are_pairs)


def _rows(config: ModelConfig, run: Path, table: Path) -> Any:
    from keras_tl.data.tables.item_columns import ItemColumns
    from keras_tl.runs.run_files import read_run

    settings = (read_run(run)["data"] or {}).get("source_settings")
    return ItemColumns.of(config.item, config.are_pairs, settings).of_file(table)


def _in_pairs(items: list, are_pairs: bool) -> list:
    if not are_pairs:
        return items
    if len(items) % 2:
        raise click.UsageError(
            f"This run takes pairs of texts: first text, second text, and so on. Expected an even "
            f"number of texts. Received {len(items)}."
        )
    return list(zip(items[::2], items[1::2], strict=True))


def _is_file(item: str, suffixes: tuple[str, ...]) -> bool:
    """Return whether an item with a given suffix names a file: one word, or an existing file."""
    is_name = item.lower().endswith(suffixes)
    return is_name and (len(item.split()) == 1 or os.path.isfile(item))

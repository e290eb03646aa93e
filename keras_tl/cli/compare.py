"""The command `keras-tl compare`: compare transfer learning with training from scratch."""

from pathlib import Path
from typing import Any

import click

from keras_tl.base.files import whole_file
from keras_tl.base.overwriting import check_new
from keras_tl.cli.data import DataAsked, data_options, load_data, split_options
from keras_tl.cli.group import PATH, cli, overwrite_option, start_toolkit, with_json
from keras_tl.cli.model import (
    head_learning_rate_option,
    model_options,
    policy_option,
    sequence_length_option,
)
from keras_tl.errors import ConfigError, quoted

# Options that the command passes as fields of `keras_tl.Protocol`.
_PROTOCOL = ("epochs", "head_epochs", "head_learning_rate", "policy", "batch_size")


def _sizes(value: str) -> list[int | None]:
    try:
        return [None if part == "all" else int(part) for part in value.split(",")]
    except ValueError:
        raise ConfigError(
            "--sizes must be numbers of training items, or all, separated by commas, such as "
            f"100,500,all. Received: {quoted(value)}."
        ) from None


@cli.command()
@data_options
@split_options
@model_options
@sequence_length_option
@click.option(
    "--seeds",
    default=5,
    show_default=True,
    help="Number of seeds. The comparison draws a conclusion only with at least 3.",
)
@click.option("--epochs", type=int, help="Number of epochs of each training (its budget).")
@click.option(
    "--head-epochs",
    type=int,
    help="Number of epochs, of --epochs, that train only the head before fine-tuning.",
)
@head_learning_rate_option
@policy_option
@click.option(
    "--sizes",
    default="all",
    show_default=True,
    metavar="N,N,...",
    help="Numbers of training items at which to compare. all: all training items.",
)
@click.option("--batch-size", type=int, help="Items per training step, for all methods.")
@click.option(
    "--augment",
    multiple=True,
    metavar="NAME",
    help="Augmentation of images, for all methods: standard, no-flip, randaugment, mixup or "
    "cutmix. Can be repeated. Default: no augmentation.",
)
@click.option(
    "--min-difference",
    default=0.05,
    show_default=True,
    help="Smallest difference in the test metric that matters to you.",
)
@click.option("--dry-run", is_flag=True, help="Train nothing: print the expected costs.")
@click.option("--plot", type=PATH, help="Write the curves as a PNG file.")
@click.option(
    "--out",
    default="runs/compare",
    show_default=True,
    type=PATH,
    help="Folder for the comparison and for the results of each training.",
)
@overwrite_option
@with_json
def compare(
    verbose: bool,
    spec: DataAsked,
    model: dict[str, Any],
    sizes: str,
    augment: tuple[str, ...],
    dry_run: bool,
    plot: Path | None,
    overwrite: bool,
    **options: Any,
) -> tuple[dict, str]:
    """Compare transfer learning (frozen, fine-tuned) with the same network trained from scratch.

    To continue an interrupted comparison, repeat the command: it trains the missing runs.
    --overwrite applies only to the file of --plot.
    """
    toolkit = start_toolkit()
    amounts = _sizes(sizes)
    if plot is not None and not dry_run:
        check_new(plot, overwrite=overwrite)
    data = load_data(spec, verbose=verbose)
    protocol = {name: options.pop(name) for name in _PROTOCOL}
    found = toolkit.compare(
        data=data,
        sizes=amounts,
        protocol=toolkit.Protocol(augment=list(augment) or False, **protocol),
        dry_run=dry_run,
        verbose=verbose,
        **model,
        **options,
    )
    if plot is not None and not dry_run:
        with whole_file(plot) as temporary:
            found.plot().savefig(temporary, dpi=120, format="png")
    return found.to_json(), found.describe()

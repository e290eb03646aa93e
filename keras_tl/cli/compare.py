"""Commands that compare methods, rank backbones, and cross-validate a head."""

from pathlib import Path
from typing import Any

import click

from keras_tl.base.config import CACHES
from keras_tl.base.files import whole_file
from keras_tl.base.overwriting import check_new
from keras_tl.cli.data import DataAsked, data_options, groups_option, load_data, split_options
from keras_tl.cli.group import PATH, cli, image_size_of, overwrite_option, start_toolkit, with_json
from keras_tl.cli.model import head_learning_rate_option, model_options
from keras_tl.errors import ConfigError, quoted
from keras_tl.training.policies import POLICIES

# Options of `keras-tl compare` that become fields of `keras_tl.Protocol`.
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
@click.option(
    "--seeds",
    default=5,
    show_default=True,
    help="Number of seeds. The comparison draws a conclusion only with at least 3.",
)
@click.option("--epochs", type=int, help="Number of epochs of each training.")
@click.option(
    "--head-epochs",
    type=int,
    help="Of the --epochs, the number that train only the head, before fine-tuning.",
)
@head_learning_rate_option
@click.option(
    "--policy",
    type=click.Choice(list(POLICIES)),
    default="standard",
    show_default=True,
    help="Method of fine-tuning.",
)
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
@click.option("--plot", type=PATH, help="PNG file to write, with the learning curves.")
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
    out: Path,
    overwrite: bool,
    **options: Any,
) -> tuple[dict, str]:
    """Compare transfer learning (frozen, fine-tuned) with the same network trained from scratch.

    To continue an interrupted comparison, repeat the command: it trains the missing runs.
    --overwrite applies only to the file of --plot.
    """
    toolkit = start_toolkit()
    amounts = _sizes(sizes)
    if plot is not None and dry_run:
        raise click.UsageError(
            "--dry-run trains nothing, so there is no plot. Leave out --plot or --dry-run."
        )
    if plot is not None:
        check_new(plot, overwrite=overwrite)
    data = load_data(spec, verbose=verbose)
    protocol = {name: options.pop(name) for name in _PROTOCOL}
    found = toolkit.compare(
        data=data,
        path=out,
        sizes=amounts,
        protocol=toolkit.Protocol(augment=list(augment) or False, **protocol),
        dry_run=dry_run,
        verbose=verbose,
        **model,
        **options,
    )
    if plot is not None:
        with whole_file(plot) as temporary:
            found.plot().savefig(temporary, dpi=120, format="png")
    return found.to_json(), found.describe()


@cli.command()
@click.argument("backbones", nargs=-1, metavar="[BACKBONES]...")
@data_options
@split_options
@click.option(
    "--image-size", metavar="SIDE|HxW", help="Image size in pixels. Default: each backbone's size."
)
@click.option(
    "--preprocess",
    help="Tokenizer of texts: tfhub:HANDLE, a vocab.txt, a tokenizer.json, or a folder with one of "
    "these files. Default: the tokenizer of each encoder.",
)
@click.option(
    "--items",
    "max_items",
    default=2000,
    show_default=True,
    help="Maximum number of training items to use.",
)
@click.option(
    "--cache",
    type=click.Choice(CACHES),
    default="auto",
    show_default=True,
    help="Place where the command stores the features.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of all random numbers.")
@with_json
def rank(
    verbose: bool, backbones: tuple[str, ...], spec: DataAsked, **options: Any
) -> tuple[dict, str]:
    """Rank BACKBONES for the data, by the cross-validated metric of a head on their features.

    BACKBONES are names, tfhub:HANDLE, kerashub:PRESET, ulmfit:PATH, or run:PATH. Without
    BACKBONES, the command ranks the image backbones with weights on this machine.
    """
    toolkit = start_toolkit()
    size = image_size_of(options.pop("image_size"))
    data = load_data(spec, verbose=verbose)
    found = toolkit.rank_backbones(
        data, backbones or None, image_size=size, verbose=verbose, **options
    )
    return found.to_json(), found.describe()


@cli.command("cross-validate")
@data_options
@split_options
@groups_option
@model_options
@click.option("--folds", default=5, show_default=True, help="Number of folds, at least 2.")
@click.option(
    "--repeats", default=1, show_default=True, help="Number of repetitions with different folds."
)
@click.option(
    "--splits",
    multiple=True,
    metavar="NAME",
    help="Name of a split to use. Can be repeated. Default: all splits.",
)
@click.option("--balanced", is_flag=True, help="Give every class the same weight in the loss.")
@click.option("--seed", default=0, show_default=True, help="Seed of the folds.")
@with_json
def cross_validate(
    verbose: bool,
    spec: DataAsked,
    model: dict[str, Any],
    seed: int,
    folds: int,
    repeats: int,
    splits: tuple[str, ...],
    balanced: bool,
) -> tuple[dict, str]:
    """Cross-validate a head on the features of all items, without fine-tuning.

    The backbone computes the features only once, so training the heads of all folds takes seconds.
    """
    toolkit = start_toolkit()
    data = load_data(spec, verbose=verbose)
    learner = toolkit.Learner(data=data, **model, seed=seed, verbose=verbose)
    found = learner.cross_validate(
        folds, repeats=repeats, splits=splits or None, class_weight="balanced" if balanced else None
    )
    return found.to_json(), found.describe()

"""The command `keras-tl rank`: compare backbones before training."""

from typing import Any

import click

from keras_tl.base.config import CACHES
from keras_tl.cli.data import DataAsked, data_options, load_data, split_options
from keras_tl.cli.group import cli, image_size_of, start_toolkit, with_json


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
    "--items", default=2000, show_default=True, help="Maximum number of training items to use."
)
@click.option(
    "--cache",
    type=click.Choice(CACHES),
    default="auto",
    show_default=True,
    help="Place where the features are stored.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of all random numbers.")
@with_json
def rank(
    verbose: bool,
    backbones: tuple[str, ...],
    spec: DataAsked,
    **options: Any,
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

"""The command `keras-tl cross-validate`: estimate the metrics of a head."""

from typing import Any

import click

from keras_tl.cli.data import DataAsked, data_options, groups_option, load_data, split_options
from keras_tl.cli.group import cli, start_toolkit, with_json
from keras_tl.cli.model import model_options, sequence_length_option


@cli.command("cross-validate")
@data_options
@split_options
@groups_option
@model_options
@sequence_length_option
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

    The backbone computes the features once. The training of all folds then takes seconds.
    """
    toolkit = start_toolkit()
    data = load_data(spec, verbose=verbose)
    learner = toolkit.Learner(data=data, **model, seed=seed, verbose=verbose)
    found = learner.cross_validate(
        folds, repeats, splits=splits or None, class_weight="balanced" if balanced else None
    )
    return found.to_json(), found.describe()

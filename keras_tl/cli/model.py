"""Command-line options for the model, which become arguments of `Learner`."""

import functools
from collections.abc import Callable
from typing import Any

import click

from keras_tl.cli.group import image_size_of

_MADE_WITH = (
    *("backbone", "weights", "image_size", "output_block"),
    *("preprocess", "precision", "strategy"),
)


def model_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for a model to a command, which gets the values in the dict `model`."""

    @click.option(
        "--backbone",
        default="efficientnet_lite0",
        show_default=True,
        help="Name of a backbone, tfhub:HANDLE, kerashub:PRESET, ulmfit:PATH, run:PATH, or the "
        "path of a .keras file.",
    )
    @click.option(
        "--weights",
        default="imagenet",
        show_default=True,
        help="Weights of the backbone: imagenet, the path of a weights file, or none for random "
        "weights.",
    )
    @click.option(
        "--image-size",
        metavar="SIDE|HxW",
        help="Image size in pixels. Default: the backbone's size.",
    )
    @click.option(
        "--output-block", help="Block whose output is used as features. Default: the last block."
    )
    @click.option(
        "--preprocess",
        help="Preprocessing that a .keras file expects: none (pixels in [0, 255]), tf, torch or "
        "caffe. For texts, the tokenizer: tfhub:HANDLE, a vocab.txt, a tokenizer.json, or a folder "
        "with one of these files. Default: the tokenizer of the encoder.",
    )
    @click.option(
        "--precision",
        default="auto",
        show_default=True,
        help="Precision of the computation: auto, float32, mixed_bfloat16 or mixed_float16.",
    )
    @click.option(
        "--strategy",
        default="auto",
        show_default=True,
        help="Distribution strategy: auto, single, mirrored or tpu.",
    )
    @click.option(
        "--sequence-length", type=int, help="Tokens per text. Default: enough for 99% of the texts."
    )
    @functools.wraps(command)
    def wrapped(**options: Any) -> Any:
        model = {name: options.pop(name) for name in _MADE_WITH}
        model["weights"] = None if model["weights"].lower() == "none" else model["weights"]
        model["image_size"] = image_size_of(model["image_size"])
        return command(model=model, **options)

    return wrapped


head_learning_rate_option = click.option(
    "--head-learning-rate",
    type=float,
    help="Peak learning rate for training the head on the frozen backbone.",
)

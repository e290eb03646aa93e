"""What all commands share: the group, `--json`, TensorFlow's start."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import click

import keras_tl
from keras_tl.base.files import local_path
from keras_tl.cli.standard_error import import_quietly
from keras_tl.cli.wording import in_options
from keras_tl.errors import ConfigError, KerasTLError, quoted


class LocalPath(click.ParamType):
    """The type of options and arguments that are paths of this machine."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """See `keras_tl.base.files.local_path`."""
        return local_path(value)


PATH = LocalPath()


class Commands(click.Group):
    """The commands; their errors speak of options, not of arguments of Python."""

    def invoke(self, ctx: click.Context) -> Any:
        """See `click.Group`."""
        try:
            return super().invoke(ctx)
        except KerasTLError as error:
            error.args = (in_options(str(error), self.commands[ctx.invoked_subcommand]),)
            raise


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=False,
)
@click.version_option(keras_tl.__version__)
def cli() -> None:
    """Transfer learning with Keras: train a head, fine-tune, evaluate, export, verify."""


def start_toolkit() -> ModuleType:
    """Return `keras_tl` with TensorFlow imported."""
    import_quietly()
    return keras_tl


def with_json(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--json`: the command's result as one JSON line on standard output, and no progress.

    The command gets `verbose` and gives its result, and a text for people. A result whose `ok` is
    false ends with exit status 1.
    """

    @click.option("--json", "as_json", is_flag=True, help="One JSON line, no progress.")
    @functools.wraps(command)
    def wrapped(as_json: bool, **arguments: Any) -> None:
        result, text = command(verbose=not as_json, **arguments)
        click.echo(json.dumps(result, ensure_ascii=False) if as_json else text)
        if isinstance(result, dict) and not result.get("ok", True):
            raise click.exceptions.Exit(1)

    return wrapped


overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Replace what an earlier command wrote."
)


def image_size_of(value: str | None) -> int | tuple[int, int] | None:
    """What `--image-size` says, as `Learner` takes it."""
    if value is None:
        return None
    try:
        sides = tuple(int(side) for side in value.lower().split("x"))
    except ValueError:
        raise ConfigError(
            f"--image-size must be SIDE or HEIGHTxWIDTH in pixels. Received: {quoted(value)}."
        ) from None
    return sides[0] if len(sides) == 1 else sides

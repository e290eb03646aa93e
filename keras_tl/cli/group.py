"""The command group, the option `--json` and the import of TensorFlow, for all commands."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import click

import keras_tl
from keras_tl.base.files import local_path
from keras_tl.base.reporting import reworded
from keras_tl.cli.standard_error import import_quietly
from keras_tl.cli.wording import in_options
from keras_tl.errors import ConfigError, KerasTLError, quoted


class LocalPath(click.ParamType):
    """Click type for options and arguments that are local paths."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Convert a value to a local path, see `keras_tl.base.files.local_path`."""
        return local_path(value)


PATH = LocalPath()


class Commands(click.Group):
    """Command group that replaces Python in messages by options and commands."""

    def invoke(self, ctx: click.Context) -> Any:
        """Call a command, see `click.Group`, and translate its messages and its `KerasTLError`."""

        def translated(message: str) -> str:
            return in_options(message, self.commands[ctx.invoked_subcommand])

        try:
            with reworded(translated):
                return super().invoke(ctx)
        except KerasTLError as error:
            error.args = (translated(str(error)),)
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
    """Import TensorFlow without its log lines, and return the module `keras_tl`."""
    import_quietly()
    return keras_tl


def with_json(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--json`: print the result as one JSON line on standard output, without progress.

    The command receives `verbose`, and returns a result for `--json` and a text for people. If the
    value of the key `ok` in the result is false, the exit status is 1.
    """

    @click.option(
        "--json", "as_json", is_flag=True, help="Print one line of JSON, without progress."
    )
    @functools.wraps(command)
    def wrapped(as_json: bool, **arguments: Any) -> None:
        result, text = command(verbose=not as_json, **arguments)
        click.echo(json.dumps(result, ensure_ascii=False) if as_json else text)
        if isinstance(result, dict) and not result.get("ok", True):
            raise click.exceptions.Exit(1)

    return wrapped


overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Replace the files that an earlier command wrote."
)


def image_size_of(value: str | None) -> int | tuple[int, int] | None:
    """Convert the value of `--image-size` to the argument `image_size` of `Learner`."""
    if value is None:
        return None
    try:
        sides = tuple(int(side) for side in value.lower().split("x"))
    except ValueError:
        raise ConfigError(
            f"--image-size must be SIDE or HEIGHTxWIDTH in pixels. Received: {quoted(value)}."
        ) from None
    return sides[0] if len(sides) == 1 else sides

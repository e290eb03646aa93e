"""The command line: arguments to calls. TensorFlow is imported only when a command needs it."""

import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from keras_tl.cli import (  # noqa: F401 (each adds its commands)
    about,
    compare,
    cross_validation,
    evaluation,
    rank,
    runs,
    train,
    verify,
)
from keras_tl.cli.group import cli
from keras_tl.errors import KerasTLError

__all__ = ["cli", "main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit: status 0 done, 2 the user's mistake, 1 anything else.

    Args:
        arguments: what follows `keras-tl`; `None`: those of the process.
    """
    # The name of a file need not be UTF-8.
    sys.stdout.reconfigure(errors="backslashreplace")
    try:
        sys.exit(cli.main(arguments, prog_name="keras-tl", standalone_mode=False))
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

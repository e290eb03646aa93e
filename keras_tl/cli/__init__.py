"""The command line of keras_tl. Commands import TensorFlow only if they need it."""

import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from keras_tl.cli import about, compare, evaluation, runs, train, verify  # noqa: F401 (commands)
from keras_tl.cli.group import cli
from keras_tl.errors import KerasTLError

__all__ = ["cli", "main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with status 0 (done), 2 (mistake of the user) or 1 (other errors).

    Args:
        arguments: Command-line arguments after `keras-tl`, or `None` for the arguments of this
            process.
    """
    # Print escapes for characters that cannot be encoded: file names may be invalid UTF-8.
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
    # Messages of other libraries may have several lines. Print them as one line.
    click.echo(f"keras-tl: {' '.join(message.splitlines())}", err=True)
    sys.exit(2)

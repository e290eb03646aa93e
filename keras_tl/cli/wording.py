"""Translate messages for the command line: replace Python arguments by options."""

import ast
import re
import shlex
from typing import Any

import click

from keras_tl.data.option_names import FLAGS

# Pattern of a value in a message. A word in capitals, such as PATH, also counts as a value.
_VALUE = r"""'[^']*'|"[^"]*"|\[[^\]]*\]|\([^)]*\)|-?\d[\w.+-]*\w|-?\d|True|False|None|[A-Z]{2,}"""
# Pattern of an argument with its option in brackets, such as
# `overwrite=True (--overwrite on the command line)`.
_WITH_FLAG = re.compile(
    rf"\b[a-z]\w*=(?P<value>{_VALUE})?,? \((?P<flag>--[a-z][a-z-]*)(?P<rest>[^()]*)\)"
)
# Pattern of an argument without an option. Quoted text comes from the user and stays unchanged.
_ALONE = re.compile(
    rf"(?<!\w)'[^']*'|(?<![\w.(-])(?P<name>[a-z]\w*)=(?P<value>{_VALUE})?(?=[\s,.;:?)]|$)"
)
_ON_THE_COMMAND_LINE = " on the command line"


def in_options(message: str, command: click.Command) -> str:
    """Replace the Python arguments in a message by the options of a command.

    An argument stays unchanged if the command has no option for it.
    """
    flags = _flags_of(command)

    def paired(found: re.Match) -> str:
        flag, rest = found["flag"], found["rest"].removesuffix(_ON_THE_COMMAND_LINE)
        return f"{flag}{rest}" if rest else _option(flag, found["value"]) or flag

    def alone(found: re.Match) -> str:
        flag = flags.get(found["name"])
        return (flag and _option(flag, found["value"])) or found[0]

    return _ALONE.sub(alone, _WITH_FLAG.sub(paired, message))


def _flags_of(command: click.Command) -> dict[str, str]:
    """Return a dict from the names of Python arguments to the command's long options."""
    long = {}
    for option in command.params:
        if isinstance(option, click.Option):
            flag = next(x for x in option.opts if x.startswith("--"))
            long |= dict.fromkeys((option.name, flag.strip("-").replace("-", "_")), flag)
    return long | {name: flag for name, flag in FLAGS.items() if flag in long.values()}


def _option(flag: str, value: str | None) -> str | None:
    """Return an option with its value in shell syntax, or `None` for `None`, `False` and `[]`."""
    if value is None:
        return flag
    try:
        found = ast.literal_eval(value)
    except (SyntaxError, ValueError):  # The value is a word in capitals, such as PATH.
        return f"{flag} {value}"
    if found is True:
        return flag
    if found is None or found is False:
        return None
    if isinstance(found, list):
        return " ".join(f"{flag} {_word(x)}" for x in found) or None
    values = found if isinstance(found, tuple) else (found,)
    return " ".join([flag, *map(_word, values)])


def _word(value: Any) -> str:
    return shlex.quote(str(value))

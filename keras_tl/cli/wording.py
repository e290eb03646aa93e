"""Messages that speak of Python's arguments, in the words of the command line."""

import ast
import re
import shlex
from typing import Any

import click

from keras_tl.data.flags import FLAGS

# A value as messages write it. A word in capitals stands for one, such as PATH.
_VALUE = r"""'[^']*'|"[^"]*"|\[[^\]]*\]|\([^)]*\)|-?\d[\w.+-]*\w|-?\d|True|False|None|[A-Z]{2,}"""
# `overwrite=True (--overwrite on the command line)`: the message knows the option itself.
_WITH_FLAG = re.compile(
    rf"\b[a-z]\w*=(?P<value>{_VALUE})?,? \((?P<flag>--[a-z][a-z-]*)(?P<rest>[^()]*)\)"
)
# What messages quote is the user's, and stays.
_ALONE = re.compile(
    rf"(?<!\w)'[^']*'|(?<![\w.(-])(?P<name>[a-z]\w*)=(?P<value>{_VALUE})?(?=[\s,.;:?)]|$)"
)
_ON_THE_COMMAND_LINE = " on the command line"


def in_options(message: str, command: click.Command) -> str:
    """Return a message in which the options of a command stand for arguments of Python.

    An argument that the command has no option for stays as it is.

    Args:
        message: for people, such as that of a `KerasTLError`.
        command: the command that they called.
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
    """The long option for each name of an argument."""
    long = {}
    for option in command.params:
        if isinstance(option, click.Option):
            flag = next(x for x in option.opts if x.startswith("--"))
            long |= dict.fromkeys((option.name, flag.strip("-").replace("-", "_")), flag)
    return long | {name: flag for name, flag in FLAGS.items() if flag in long.values()}


def _option(flag: str, value: str | None) -> str | None:
    """An option with its value, as a shell takes it; `None`: the value cannot be given."""
    if value is None:
        return flag
    try:
        found = ast.literal_eval(value)
    except (SyntaxError, ValueError):  # A word in capitals.
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

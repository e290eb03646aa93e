"""Translate messages for the command line: replace Python by options and commands."""

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
# Parts of messages that name Python calls, and the words of the command line.
SENTENCES = {
    "Call evaluate():": "Run keras-tl evaluate:",
    "Train a new Learner with a lower learning_rate= (lr_find() suggests a value), or with "
    "precision='float32'.": "Run keras-tl train with a lower --learning-rate or "
    "--head-learning-rate, or with --precision float32.",
    "Create a new Learner with pretrained weights, or continue with fine_tune().": "Pass a "
    "--backbone with pretrained weights, or continue with fine-tuning: pass an option of this "
    "phase, such as --policy standard.",
    "Call cross_validate() before fine_tune(), or create a new Learner with pretrained weights.": (
        "Pass a --backbone with pretrained weights."
    ),
    " fit() compares the head with the fine-tuned model by out-of-fold predictions.": " Without "
    "options of a phase, keras-tl train compares the head with the fine-tuned model by "
    "out-of-fold predictions.",
    "the results of evaluate() of two learners": "the results of keras-tl evaluate for two runs",
    "fine_tune(policy='scratch')": "--policy scratch",
    "To fine-tune anyway, call fine_tune().": "To fine-tune anyway, pass --policy standard.",
    "fit_head() standardises the features.": "keras-tl train standardises the features.",
    "call data.checked.describe() or run keras-tl train --check": "run keras-tl train --check",
}
_QUOTED = r"""(?P<quoted>'[^']*'|"[^"]*")"""
# Patterns of Python calls with a quoted text in messages, and the words of the command line.
_CALLS = {
    re.compile(rf"ktl\.rank_backbones\(data, \[{_QUOTED}\]\)"): (
        r"keras-tl rank \g<quoted> with the same --data"
    ),
    re.compile(
        rf"Write an export: learner\.export\({_QUOTED}\), or keras-tl export on the "
        r"command line"
    ): r"Write an export: keras-tl export with --out \g<quoted>",
    re.compile(rf"again: learner\.export\({_QUOTED}\)"): (
        r"again: keras-tl export with --out \g<quoted>"
    ),
}


def in_options(message: str, command: click.Command) -> str:
    """Replace the Python arguments in a message by options, and some Python calls by commands.

    An argument stays unchanged if the command has no option for it.
    """
    for sentence, said in SENTENCES.items():
        message = message.replace(sentence, said)
    for pattern, said in _CALLS.items():
        message = pattern.sub(said, message)
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

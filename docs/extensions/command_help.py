"""Directive `command-help`: the `--help` of a command, printed by its own parser."""

from typing import ClassVar

import click
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from keras_tl.cli import cli


class CommandHelp(SphinxDirective):
    """Show the help of `keras-tl`, or a section for each command with the option `commands`."""

    has_content = False
    option_spec: ClassVar = {"commands": lambda _: True}

    def run(self) -> list[nodes.Node]:
        """Return a code block, or a section for each command."""
        parent = click.Context(cli, info_name="keras-tl", max_content_width=80)
        if "commands" not in self.options:
            return [_block(cli.get_help(parent))]
        return [self._section(name, parent) for name in cli.list_commands(parent)]

    def _section(self, name: str, parent: click.Context) -> nodes.section:
        context = click.Context(
            cli.commands[name], info_name=name, parent=parent, max_content_width=80
        )
        section = nodes.section(ids=[f"keras-tl-{name}"], names=[f"keras-tl {name}"])
        section += nodes.title("", "", nodes.literal(text=f"keras-tl {name}"))
        section += _block(context.command.get_help(context))
        return section


def _block(text: str) -> nodes.literal_block:
    return nodes.literal_block(text, text, language="text")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

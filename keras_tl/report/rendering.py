"""Render blocks as HTML or Markdown (CommonMark and GitHub's tables) with `templates/`."""

import functools
import re
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

# Do not escape _ and # inside a word, where Markdown shows both literally. Escape URLs and www.
# addresses, because GitHub would turn them into links.
_SPECIAL = re.compile(
    r"[\\`*\[\]<>|~&$]|(?<![^\W_])_|_(?![^\W_])|(?<!\S)#|:(?=//)|(?<=www)\.", re.IGNORECASE
)
_CODE = re.compile("(?<!`)`([^`]+)`(?!`)")


def escaped(value: object) -> str:
    """Return a text as one line of Markdown that shows every character literally."""
    return _SPECIAL.sub(r"\\\g<0>", _one_line(value))


def prose_as_markdown(text: str) -> str:
    """Return sentences as one line of Markdown. Backticks mark code, all else is plain text."""
    parts = _CODE.split(_one_line(text))
    return "".join(f"`{x}`" if n % 2 else _SPECIAL.sub(r"\\\g<0>", x) for n, x in enumerate(parts))


def prose_as_html(text: str) -> Markup:
    """Return sentences as HTML. Backticks mark code, all else is plain text."""
    code = Markup("<code>{}</code>").format
    return Markup("").join(
        code(part) if number % 2 else escape(part) for number, part in enumerate(_CODE.split(text))
    )


def render(template: str, **values: Any) -> str:
    """Fill a template with values, as HTML or Markdown according to its suffix."""
    return _environment(Path(template).suffix).get_template(template).render(values)


@functools.cache
def _environment(suffix: str) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=suffix == ".html",
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    prose = prose_as_html if suffix == ".html" else prose_as_markdown
    environment.filters |= {"escaped": escaped, "prose": prose}
    return environment


def _one_line(value: object) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())

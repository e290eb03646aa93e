"""Draw reproducible SVG plots in the colours of the page, for light and dark mode."""

import base64
import io
import re
import warnings
from collections.abc import Callable
from typing import Any

import matplotlib
from markupsafe import Markup
from matplotlib.figure import Figure

from keras_tl.evaluation.plots import style
from keras_tl.report.blocks import Picture, Plot

# Plot size in inches and font size in points, chosen so that the text is legible on a phone.
_SIZE, _FONT_SIZE = (5.0, 3.8), 11
_COLOURS = {
    style.INK: "var(--ink)",
    style.SOFT: "var(--soft)",
    style.FIRST: "var(--first)",
    style.SECOND: "var(--second)",
    **{colour: f"var(--group-{number})" for number, colour in enumerate(style.GROUPS)},
}
_SETTINGS = {
    "font.size": _FONT_SIZE,
    "svg.fonttype": "none",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": style.SOFT,
    **dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"),
        style.INK,
    ),
}
_START = re.compile(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>')
# Remove the CSS rules of a plot, because they would apply to the whole page.
_STYLESHEET = re.compile(r"<style.*?</style>|<!--.*?-->", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_COLOUR = re.compile(r"#[0-9a-f]{6}\b")
_ID = re.compile(r' id="([^"]*)"')
_REFERENCE = re.compile(r'(url\(#|href="#)([^")]*)')


def plot(
    name: str,
    caption: str,
    alt: str,
    draw: Callable[..., None],
    *values: Any,
    size: tuple[float, float] = _SIZE,
) -> Plot:
    """Draw a plot as SVG.

    Args:
        name: Name of the plot, unique in the page, of letters, digits and hyphens.
        caption: Caption of the plot.
        alt: Description for readers who cannot see the plot, including its main values.
        draw: Function that takes matplotlib axes and `values`, the values to draw.
        size: Width and height of the plot in inches.
    """
    with matplotlib.rc_context(_SETTINGS | {"svg.hashsalt": name}), warnings.catch_warnings():
        # matplotlib warns of missing glyphs, but the browser has fonts for them.
        warnings.filterwarnings("ignore", message="Glyph")
        figure = Figure(figsize=size, layout="constrained")
        draw(figure.subplots(), *values)
        return Plot(_as_svg(figure, name, alt), caption)


def _as_svg(figure: Figure, name: str, alt: str) -> Markup:
    buffer = io.StringIO()
    # Metadata contain URLs. matplotlib omits the metadata if the value of every key is `None`.
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=nothing)
    text = buffer.getvalue()
    found = _START.search(text)
    inside = _STYLESHEET.sub("", text[found.end() :])
    referred = {name for _, name in _REFERENCE.findall(inside)}

    def as_in_a_page(match: re.Match) -> str:
        """Return an SVG tag with the page's colours, and with ids that are unique in the page."""
        tag = _COLOUR.sub(lambda c: _COLOURS.get(c[0], c[0]), match[0])
        # All figures use the same ids, but an id must be unique in a page.
        tag = _ID.sub(lambda i: f' id="{name}-{i[1]}"' if i[1] in referred else "", tag)
        return _REFERENCE.sub(rf"\g<1>{name}-\g<2>", tag)

    start = Markup('<svg viewBox="{}" role="img" aria-label="{}">').format(found[1], alt)
    return start + Markup(_TAG.sub(as_in_a_page, inside).strip())


def picture(content: bytes, alt: str) -> Picture:
    """Return the content of a JPEG file as a picture with a `data:` URI."""
    return Picture(f"data:image/jpeg;base64,{base64.b64encode(content).decode()}", alt)

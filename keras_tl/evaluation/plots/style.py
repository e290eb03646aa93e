"""Colours and label texts of all plots."""

# The report replaces these colours by variables of its stylesheet, for light and dark themes.
INK, SOFT = "#333333", "#777777"
FIRST, SECOND = "#1f5fa8", "#c2571a"
# The first six colours are from the palette of Okabe and Ito: colour-blind people can tell these
# colours apart. The yellow of this palette is left out, because yellow is too light.
GROUPS = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#d55e00",
    "#56b4e9",
    "#8a7f00",
    "#6a51a3",
    "#8c564b",
    "#5f6b76",
)
MARKERS = "os^Dv<>PX*"
RIGHT, WRONG = "#1a6b2a", "#b3261e"


def label_text(what: object, length: int = 24) -> str:
    """Return a user's text as one short line. Escape `$`, which begins a formula in matplotlib."""
    text = " ".join(str(what).split())
    text = text if len(text) <= length else text[: length - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return text.replace("$", r"\$")

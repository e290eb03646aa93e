"""What all plots share: colours, and how a text of the user's is written."""

# The report puts variables of its stylesheet in the place of these, for light and dark.
INK, SOFT = "#333333", "#777777"
FIRST, SECOND = "#1f5fa8", "#c2571a"
# Okabe and Ito's, which colour-blind people tell apart; the yellow is too light on white.
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
    """A text of the user's on one line, not too long; matplotlib would set `$` as mathematics."""
    text = " ".join(str(what).split())
    text = text if len(text) <= length else text[: length - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return text.replace("$", r"\$")

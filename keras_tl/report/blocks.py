"""The document model of the report and the model card: sections of blocks.

`templates/blocks.html` and `templates/blocks.md` have one macro for each class of block.
"""

import dataclasses
from collections.abc import Sequence

from markupsafe import Markup


class Block:
    """Base class of a section's blocks. Each subclass has a template macro of the same name.

    In the texts of paragraphs and notes, backticks mark code. The templates show all other special
    characters literally, except in the Markdown text of `Written`.
    """

    @property
    def kind(self) -> str:
        """Name of the template macro that renders this block."""
        return type(self).__name__.lower()


@dataclasses.dataclass(frozen=True)
class Paragraph(Block):
    """Paragraph of one or more sentences.

    Attributes:
        text: Sentences of the paragraph.
        code: Command or Python call that follows the sentences, or an empty text.
        role: `"lead"` for the most important sentences, `"warning"`, `"note"`, or an empty text for
            all other sentences.
    """

    text: str
    code: str = ""
    role: str = ""


@dataclasses.dataclass(frozen=True)
class Cell:
    """Cell of a table.

    Attributes:
        text: Main text of the cell.
        note: Text of the cell in a smaller font, such as a confidence interval.
        share: Strength of the cell's shading in [0, 1], or `None` for no shading.
    """

    text: str
    note: str = ""
    share: float | None = None


@dataclasses.dataclass(frozen=True)
class Table(Block):
    """Table with a caption and row names. With `numbers`, only the first column is aligned left."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    numbers: bool = True


@dataclasses.dataclass(frozen=True)
class Definitions(Block):
    """List of names, each with its value."""

    items: dict[str, str]


@dataclasses.dataclass(frozen=True)
class Numbered(Block):
    """Numbered list."""

    texts: Sequence[str]


@dataclasses.dataclass(frozen=True)
class Written(Block):
    """Markdown text of the user, which the template does not escape."""

    text: str


@dataclasses.dataclass(frozen=True)
class Plot(Block):
    """Plot as an `<svg>` element, with a caption."""

    svg: Markup
    caption: str


@dataclasses.dataclass(frozen=True)
class Plots(Block):
    """Several plots, side by side where the page is wide enough."""

    plots: Sequence[Plot]


@dataclasses.dataclass(frozen=True)
class Picture:
    """Image as a `data:` URI, with its description in words."""

    source: str
    alt: str


@dataclasses.dataclass(frozen=True)
class Item:
    """Item of the data: its prediction as the title, further lines, and its pictures or texts."""

    title: str
    lines: Sequence[str]
    pictures: Sequence[Picture] = ()
    texts: Sequence[str] = ()


@dataclasses.dataclass(frozen=True)
class Items(Block):
    """Items of the data: images side by side, texts one below the other."""

    items: Sequence[Item]


@dataclasses.dataclass(frozen=True)
class Code(Block):
    """Lines of a program."""

    text: str


@dataclasses.dataclass(frozen=True)
class Notes(Block):
    """Remarks, each under a heading. The HTML page shows the remarks after a click on the title."""

    title: str
    notes: dict[str, str]


@dataclasses.dataclass(frozen=True)
class Section:
    """Section: a key that links use, a heading, and blocks. A report omits an empty section."""

    key: str
    title: str
    blocks: Sequence[Block]

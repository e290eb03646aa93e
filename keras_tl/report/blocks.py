"""The document model of report and model card: sections of blocks.

`templates/blocks.html` and `templates/blocks.md` have a macro for each class that is printed so.
"""

import dataclasses
from collections.abc import Sequence

from markupsafe import Markup


class Block:
    """A part of a section; its macro has the name of its class.

    What stands in backticks in the texts of paragraphs and notes is code; all other texts are shown
    as they are.
    """

    @property
    def kind(self) -> str:
        """The macro's name."""
        return type(self).__name__.lower()


@dataclasses.dataclass(frozen=True)
class Paragraph(Block):
    """Sentences.

    Attributes:
        text: the sentences.
        code: a command or call that they end with.
        role: `"lead"` for what matters most, `"warning"`, `"note"`; else as it is.
    """

    text: str
    code: str = ""
    role: str = ""


@dataclasses.dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: what it says.
        note: said smaller, such as an interval.
        share: in [0, 1], how strongly it is shaded; `None`: not at all.
    """

    text: str
    note: str = ""
    share: float | None = None


@dataclasses.dataclass(frozen=True)
class Table(Block):
    """A table with a caption, whose first column names the rows; numbers stand to the right."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    numbers: bool = True


@dataclasses.dataclass(frozen=True)
class Definitions(Block):
    """Names and their values."""

    items: dict[str, str]


@dataclasses.dataclass(frozen=True)
class Numbered(Block):
    """A numbered list."""

    texts: Sequence[str]


@dataclasses.dataclass(frozen=True)
class Written(Block):
    """A text of the user, in the language of the document."""

    text: str


@dataclasses.dataclass(frozen=True)
class Plot(Block):
    """A drawn picture: an `<svg>` element, and a caption."""

    svg: Markup
    caption: str


@dataclasses.dataclass(frozen=True)
class Plots(Block):
    """Plots side by side, where there is room."""

    plots: Sequence[Plot]


@dataclasses.dataclass(frozen=True)
class Picture:
    """An image: a `data:` URI, and its content in words."""

    source: str
    alt: str


@dataclasses.dataclass(frozen=True)
class Item:
    """An item of the data: its answer as the title, more lines, and its pictures or texts."""

    title: str
    lines: Sequence[str]
    pictures: Sequence[Picture] = ()
    texts: Sequence[str] = ()


@dataclasses.dataclass(frozen=True)
class Items(Block):
    """Items of the data side by side; those of texts one below the other."""

    items: Sequence[Item]


@dataclasses.dataclass(frozen=True)
class Code(Block):
    """Lines of a program."""

    text: str


@dataclasses.dataclass(frozen=True)
class Notes(Block):
    """Remarks by their headings; a page folds them away below the title."""

    title: str
    notes: dict[str, str]


@dataclasses.dataclass(frozen=True)
class Section:
    """A section: its name in links, its heading, its blocks; without blocks it is left out."""

    key: str
    title: str
    blocks: Sequence[Block]

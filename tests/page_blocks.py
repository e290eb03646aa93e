"""The code blocks of the documentation: Python, and commands of a shell."""

import dataclasses
import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]
FENCE = re.compile(r"^( *)(```+)([^\n]*)\n(.*?)^\1\2$", re.M | re.S)
# The site does not show lines that begin with `%`.
NOT_RUN = re.compile(r"% not run: (.+)")


@dataclasses.dataclass(frozen=True)
class Block:
    """A code block.

    Attributes:
        page: Path of the page.
        kind: `"python"`, `"sh"`, `"console"`, ...
        content: Lines of the block.
        line: Line of the page above the content.
        not_run: Reason why no test can run the block. `None`: tests run it.
    """

    page: Path
    kind: str
    content: str
    line: int
    not_run: str | None

    @property
    def code(self):
        """Code object whose tracebacks have the lines of the page."""
        return compile("\n" * self.line + self.content, str(self.page), "exec")


def blocks(page, *kinds):
    """The blocks of a page, of these kinds if any are given."""
    text = page.read_text("utf-8")
    for match in FENCE.finditer(text):
        if not kinds or match[3] in kinds:
            above = text[: match.start()].splitlines()
            marker = NOT_RUN.fullmatch(above[-1]) if above else None
            line = text.count("\n", 0, match.start(4))
            yield Block(page, match[3], match[4], line, marker and marker[1])


def commands(content):
    """The commands of a shell block as lists of words. A command may take several lines."""
    left = ""
    for line in content.splitlines():
        left += line.removeprefix("$ ")
        if left.endswith("\\"):
            left = left[:-1]
            continue
        try:
            words = shlex.split(left, comments=True)
        except ValueError:  # a quotation that goes on in the next line
            left += "\n"
            continue
        if words:
            yield words
        left = ""


def inline(page):
    """The code in the sentences and tables of a page."""
    prose = FENCE.sub("", page.read_text("utf-8"))
    return [" ".join(code.split()) for code in re.findall(r"(?<!`)`([^`]+)`(?!`)", prose)]

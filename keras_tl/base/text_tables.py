"""Small tables as plain text and as HTML for notebooks."""

import html
from collections.abc import Sequence


def table_text(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as text. The first column is left-aligned, the others are right-aligned."""
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def table_html(head: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    """Return an HTML table. Special characters in cells are escaped for HTML."""
    body = "".join(_row("td", row) for row in rows)
    return f"<table><thead>{_row('th', head)}</thead><tbody>{body}</tbody></table>"


def paragraphs_html(*texts: str) -> str:
    """Return one HTML paragraph per text."""
    return "".join(f"<p>{html.escape(text)}</p>" for text in texts)


def _row(tag: str, cells: Sequence[object]) -> str:
    inside = "".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in cells)
    return f"<tr>{inside}</tr>"

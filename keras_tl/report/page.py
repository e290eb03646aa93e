"""Write the sections of a report as an HTML page."""

from pathlib import Path

from keras_tl.base.files import whole_file
from keras_tl.report.context import ReportContext
from keras_tl.report.rendering import render
from keras_tl.report.sections import SECTIONS
from keras_tl.report.sections.summary import summary

_TITLE = "Transfer learning report: "


def page_of(context: ReportContext) -> str:
    """Return the report as one HTML page. The page has no scripts and loads no other files."""
    title = f"{_TITLE}{context.facts.config.backbone}"
    sections = [section for section in (make(context) for make in SECTIONS) if section.blocks]
    return render("page.html", title=title, sections=sections)


def summary_of(context: ReportContext) -> str:
    """Return the summary, the first section, as HTML for use inside another page."""
    return render("summary.html", blocks=summary(context).blocks)


def is_report(path: Path) -> bool:
    """Return whether `write_report` wrote this file."""
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return f"<title>{_TITLE}".encode() in file.read(2000)


def write_report(path: Path, context: ReportContext) -> None:
    """Write the page atomically: a failure leaves no partial file."""
    page = page_of(context)
    with whole_file(path) as temporary:
        temporary.write_text(page, encoding="utf-8")

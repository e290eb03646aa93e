"""The report: one HTML file with everything in it."""

import base64
import html
import io
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from keras_tl.evaluation.wording import number_text, title_of
from keras_tl.files import whole_file
from keras_tl.training.history import PhaseRecord

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --line: #8885; --soft: #8881; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }}
h1, h2 {{ line-height: 1.2; }}
table {{ border-collapse: collapse; display: block; overflow-x: auto; }}
th, td {{ padding: .25rem .75rem; border-bottom: 1px solid var(--line); text-align: right; }}
th:first-child, td:first-child {{ text-align: left; }}
thead {{ background: var(--soft); }}
figure {{ margin: 1rem 0; }}
img {{ max-width: 100%; height: auto; background: white; }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


def write_report(
    path: Path,
    title: str,
    about: dict[str, str],
    history: list[PhaseRecord],
    metrics: dict[str, Any],
    figures: dict[str, Figure],
    item: str = "image",
) -> None:
    """Writes a self-contained page: no script, no request leaves it.

    Args:
        path: the HTML file.
        title: its heading.
        about: facts about the model and the data, shown first.
        history: the phases that ran.
        metrics: a result of `keras_tl.evaluation.metrics`, or empty.
        figures: captions and pictures.
        item: what one item of the data is.
    """
    parts = [_table(["", ""], about.items())]
    if metrics:
        parts.append(f"<h2>On the {metrics['items']:,} {item}s of the test split</h2>")
        numbers = [
            (title_of(k), number_text(v)) for k, v in metrics.items() if isinstance(v, float)
        ]
        parts.append(_table(["metric", "value"], numbers))
    if metrics.get("per_class"):
        columns = list(next(iter(metrics["per_class"].values())))
        rows = metrics["per_class"].items()
        parts.append(
            _table(
                ["class", *map(title_of, columns)],
                ((name, *(number_text(row[column]) for column in columns)) for name, row in rows),
            )
        )
    if history:
        parts.append("<h2>Training</h2>")
        parts.append(_table(["phase", "epochs", "peak rate", "kept epoch", "seconds"],
                            map(_phase_row, history)))  # fmt: skip
    for caption, figure in figures.items():
        parts.append(
            f'<figure><img alt="{html.escape(caption)}" src="{_picture(figure)}">'
            f"<figcaption>{html.escape(caption)}</figcaption></figure>"
        )
    page = _PAGE.format(title=html.escape(title), body="\n".join(parts))
    with whole_file(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _phase_row(record: PhaseRecord) -> tuple:
    kept = record.best_epoch or "none: no epoch was better than before"
    rate = f"{record.phase.learning_rate:g}"
    return record.phase.name, len(record.epochs), rate, kept, f"{record.seconds:.1f}"


def _table(head: list[str], rows) -> str:
    def cells(tag: str, values) -> str:
        return "".join(f"<{tag}>{html.escape(str(value))}</{tag}>" for value in values)

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    heading = f"<thead><tr>{cells('th', head)}</tr></thead>" if any(head) else ""
    return f"<table>{heading}<tbody>{body}</tbody></table>"


def _picture(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()

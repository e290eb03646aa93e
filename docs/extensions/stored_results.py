"""Directive `stored-results`: a table that is computed from `benchmarks/results/` at build time."""

import json
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.append(str(BENCHMARKS))

from small_data_tables import Runs  # noqa: E402 (a module of the benchmarks)

Row = dict[str, Any]
Table = list[list[str]]

NETWORKS = {"efficientnet_lite0": "Lite0", "efficientnet_lite1": "Lite1", "vgg16": "VGG16"}


def few_photos(rows: list[Row]) -> Table:
    """Models on the line from the head's to the fine-tuned weights."""
    found = []
    for row in (row for row in rows if row["schedule"] == "cosine"):
        place = row["backbone"], row["set"], row["size"], not row["augment"], row["rate"]
        rate = f"{row['rate']:g}" + ("" if row["augment"] else " (no augmentation)")
        models = [_pair(*row[at]) for at in ("head", "0.25", "0.5", "0.75", "1")]
        name = NETWORKS[row["backbone"]]
        cells = [name, row["set"], str(row["size"]), rate, str(row["steps"]), *models]
        found.append(((*place, row["steps"]), cells))
    header = "backbone,data,photos a class,learning rate,steps,head,0.25,0.5,0.75,fine-tuned"
    return [header.split(","), *(cells for _, cells in sorted(found))]


def few_items(rows: list[Row]) -> Table:
    """Means over nine data sets and their draws."""
    contenders = ["fit_head", "logistic", "knn"]
    table = [["items a class", "`fit_head()`", "logistic", "nearest neighbours", "difference"]]
    runs = Runs.of(rows).where_all(contenders)
    for size in runs.sizes:
        at = runs.only(sizes=[size])
        cells = [_pair(*(at.mean(name, f).value for f in FIELDS)) for name in contenders]
        gain = at.mean("fit_head", "accuracy", "logistic")
        table.append([str(size), *cells, f"{gain.value:+.3f} ± {gain.draws:.3f}"])
    return table


def one_call(rows: list[Row]) -> Table:
    """Means over the draws of each data set that `fit` has learned."""
    contenders = ["logistic", "fit_head", "fine_tune", "fit"]
    runs = Runs.of(rows).where_all(contenders)
    accuracies, losses = (runs.cells(field, *contenders) for field in FIELDS)
    table = [["data", "photos a class", "draws", "logistic", "`fit_head()`"]]
    table[0] += ["`fit_head()`, `fine_tune()`", "`fit()`"]
    for name, size in accuracies:
        draws = sum(place[:2] == (name, size) for place in runs.rows)
        pairs = map(_pair, accuracies[name, size], losses[name, size])
        table.append([name, str(size), str(draws), *pairs])
    return table


def first_draw(rows: list[Row]) -> Table:
    """One draw of CIFAR-10 photos."""
    runs = Runs.of(row for row in rows if row["set"] == "cifar10-mini" and row["draw"] == 0)
    table = [["photos a class", "`fit_head()`", "logistic"]]
    for size in (5, 10, 30):
        by = runs.rows["cifar10-mini", size, 0]
        pairs = [_pair(*(by[name][field] for field in FIELDS)) for name in ("fit_head", "logistic")]
        table.append([str(size), *pairs])
    return table


FIELDS = ("accuracy", "log_loss")
TABLES = {
    "few-photos": (few_photos, "few_photos.jsonl"),
    "few-items": (few_items, "small_data.jsonl"),
    "one-call": (one_call, "small_data.jsonl"),
    "first-draw": (first_draw, "small_data.jsonl"),
}


def _pair(accuracy: float, loss: float) -> str:
    return f"{accuracy:.3f}, {loss:.2f}"


class StoredResults(SphinxDirective):
    """Show one of `TABLES`, and the file of its numbers."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Compute the table from the stored rows."""
        compute, name = TABLES[self.arguments[0]]
        path = BENCHMARKS / "results" / name
        self.env.note_dependency(str(path))
        header, *rows = compute([json.loads(line) for line in path.read_text().splitlines()])
        rule = ["---:" if cell[:1].isdigit() else "---" for cell in rows[0]]
        lines = [f"| {' | '.join(cells)} |" for cells in (header, rule, *rows)]
        about = f"*Computed from `benchmarks/results/{name}` when this page was built.*"
        found = nodes.Element()
        self.state.nested_parse(StringList([*lines, "", about], str(path)), 0, found)
        return found.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("stored-results", StoredResults)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

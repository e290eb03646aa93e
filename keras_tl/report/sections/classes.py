"""Metrics of each class, and confusions between classes."""

import math

import numpy as np

from keras_tl.evaluation import plots
from keras_tl.evaluation.evaluation import Evaluation
from keras_tl.evaluation.slices import Slices
from keras_tl.evaluation.wording import number_text, title_of
from keras_tl.report.blocks import Block, Cell, Paragraph, Plot, Section, Table
from keras_tl.report.context import ReportContext
from keras_tl.report.drawing import plot
from keras_tl.report.sections.wording import capitalised, measured_cell
from keras_tl.report.split_metrics import SplitMetrics

# Larger tables are hard to read. For a larger confusion matrix, the report shows only the most
# frequent confusions.
_ROWS, _LARGEST_MATRIX, _CONFUSIONS = 100, 20, 20


def classes(context: ReportContext) -> Section:
    """Return the metrics of each class. For a regression, plot predicted against true values."""
    facts, test = context.facts, context.test
    key, title = "classes", capitalised(context.task.names_are)
    if context.task.is_number:
        key, title = "values", "Predicted and true values"
    if test is None:
        return Section(key, title, [])
    blocks: list[Block] = []
    if test.get("values"):
        blocks.append(_values(test))
    if facts.test.per_class:
        blocks.append(per_class(facts.test, "test"))
    if "confusion_matrix" in test:
        blocks.append(_confusion(test))
    return Section(key, title, [*blocks, *_groups(facts.test.slices)])


def _groups(found: Slices | None) -> list[Block]:
    """Return a table of the groups of items that `evaluate(by=...)` measured."""
    if found is None:
        return []
    caption = f"Groups by {found.by or 'group'}: {title_of(found.metric)}, with 95% intervals"
    head, *rows = found.rows()
    return [Table(caption, head, rows), *map(Paragraph, found.remarks)]


def per_class(found: SplitMetrics, split: str) -> Table:
    """Return a table with a row for each class, or for the 100 classes with the lowest F1."""
    shown = list(found.per_class.items())
    columns = list(shown[0][1].metrics)
    caption = f"Metrics of each {'label' if 'average_precision' in columns else 'class'}"
    if len(shown) > _ROWS:
        scores = {name: row.metrics["f1"].value for name, row in shown}
        shown.sort(key=lambda pair: math.inf if scores[pair[0]] is None else scores[pair[0]])
        shown = shown[:_ROWS]
        caption += f": the {_ROWS} with the lowest F1 of {len(found.per_class):,}"
    rows = [
        [name, f"{row.items:,}", *(measured_cell(one, ".3f") for one in row.metrics.values())]
        for name, row in shown
    ]
    caption += f", on the {split} split, with 95% intervals (Wilson, 1927"
    if found.grouping is not None and found.grouping.count > 1:
        caption += f", counting the {found.grouping.name} as independent"
    caption += ")"
    return Table(caption, ["name", "items", *map(title_of, columns)], rows)


def _confusion(test: Evaluation) -> Table:
    names = test.task.class_names
    counts = np.array(test["confusion_matrix"])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    if len(names) <= _LARGEST_MATRIX:
        rows = []
        for name, items, fractions in zip(names, counts, shares, strict=True):
            pairs = zip(items, fractions, strict=True)
            cells = (Cell(f"{n:,}" if n else "", share=float(share)) for n, share in pairs)
            rows.append([name, *cells])
        caption = (
            "Confusion matrix: rows are true classes, columns are predicted classes. The darker a "
            "cell, the larger its fraction of the row"
        )
        return Table(caption, ["true class", *names], rows)
    wrong = counts * ~np.eye(len(names), dtype=bool)
    order = np.argsort(-wrong, axis=None, kind="stable")[:_CONFUSIONS]
    pairs = [np.unravel_index(place, wrong.shape) for place in order if wrong.flat[place]]
    rows = [
        [names[true], names[answer], f"{counts[true, answer]:,}", f"{shares[true, answer]:.0%}"]
        for true, answer in pairs
    ]
    head = ["true class", "predicted class", "items", "fraction of the true class"]
    return Table("The most frequent confusions", head, rows)


def _values(test: Evaluation) -> Plot:
    values, r2 = test["values"], number_text(test["r2"])
    caption = (
        "Each point is an item of the test split. On the dashed line, the prediction is exact."
    )
    alt = f"Predicted against true values of {len(values):,} items; R\N{SUPERSCRIPT TWO} {r2}."
    return plot("values", caption, alt, plots.draw_scatter, values)

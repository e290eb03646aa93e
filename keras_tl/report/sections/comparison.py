"""The comparison of transfer learning with the same network trained from scratch."""

import math
from collections.abc import Mapping
from typing import Any

from keras_tl.evaluation import plots
from keras_tl.report.blocks import Block, Cell, Paragraph, Plot, Plots, Section, Table
from keras_tl.report.context import ReportContext
from keras_tl.report.drawing import plot
from keras_tl.report.sections.wording import capitalised, measured_cell
from keras_tl.report.split_metrics import MetricEstimate

_HOW = "keras-tl compare --data SPEC --backbone NAME --out FOLDER"
# Column titles of the table, by the name of the field in a verdict.
_MEASURES = {
    "start": "start",
    "slope": "slope per epoch",
    "area": "mean of all epochs",
    "final": "final",
}


def verdict(context: ReportContext) -> list[Block]:
    """Return the verdicts for the largest training set, and the model variant (arm) to deploy."""
    found = context.artifacts.comparison()
    if found is None:
        text = "Transfer learning was not compared with training from scratch. Compare them:"
        return [Paragraph(text, _HOW)]
    sizes = [math.inf if one["size"] is None else one["size"] for one in found["sizes"]]
    said = found["sentences"]["sizes"][sizes.index(max(sizes))]
    return [
        Paragraph(f"Does transfer learning help? With {said['title']}:", role="lead"),
        *_verdicts(said),
        Paragraph(said["ship"], role="lead"),
    ]


def comparison(context: ReportContext) -> Section:
    """Return verdicts, learning curves and a table of differences for each training set size."""
    found = context.artifacts.comparison()
    title = "Transfer against scratch"
    if found is None:
        return Section("comparison", title, [])
    words = found["sentences"]
    blocks: list[Block] = [Paragraph(words["about"])]
    curves = []
    for number, (of_size, said) in enumerate(zip(found["sizes"], words["sizes"], strict=True)):
        blocks.append(Paragraph(f"With {said['title']}:"))
        blocks += [*_verdicts(said), Paragraph(said["ship"])]
        blocks.append(_differences(found["skill"], of_size, said["title"]))
        curves.append(_curves(found["skill"], of_size, said["title"], number))
    return Section("comparison", title, [*blocks, Plots(curves)])


def _verdicts(said: Mapping[str, Any]) -> list[Block]:
    return [Paragraph(capitalised(sentence)) for sentence in said["verdicts"]]


def _curves(skill: str, of_size: Mapping[str, Any], items: str, number: int) -> Plot:
    ends = ", ".join(
        f"{arm} {curve['mean'][-1]['mean']:.3f}" for arm, curve in of_size["curves"].items()
    )
    title, curves = f"Test {skill} after each epoch on {items}", of_size["curves"]
    caption = f"{title}, with 95% intervals over seeds and test items."
    alt = f"{title}. Final values: {ends}."
    return plot(f"comparison-{number}", caption, alt, plots.draw_comparison, curves, skill)


def _differences(skill: str, of_size: Mapping[str, Any], items: str) -> Table:
    rows = []
    for one in of_size["verdicts"]:
        epoch = one["epochs_to_match"]
        matched = "never" if epoch is None else f"after epoch {epoch}"
        rows.append([one["arm"], *(_cell(one[name]) for name in _MEASURES), matched])
    caption = f"Test {skill}: difference of each arm from training from scratch, on {items}"
    head = ["arm", *_MEASURES.values(), "reaches the final value of training from scratch"]
    return Table(caption, head, rows)


def _cell(estimate: Mapping[str, Any]) -> Cell:
    ends = None if estimate["low"] is None else (estimate["low"], estimate["high"])
    return measured_cell(MetricEstimate(estimate["mean"], ends), "+.3f")

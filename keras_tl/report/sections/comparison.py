"""Whether transfer helps: a comparison with the same network trained from scratch."""

import math
from collections.abc import Mapping
from typing import Any

from keras_tl.evaluation import plots
from keras_tl.report.blocks import Block, Cell, Paragraph, Plot, Plots, Section, Table
from keras_tl.report.drawing import plot
from keras_tl.report.material import Material
from keras_tl.report.sections.wording import interval_text

_HOW = "keras-tl compare --data SPEC --backbone NAME --out FOLDER"


def verdict(material: Material) -> list[Block]:
    """A sentence for the summary: on each arm, with the most training items."""
    found = material.exhibits.comparison()
    if found is None:
        return [Paragraph("Whether transfer helps here was not measured. Measure it:", _HOW)]
    most = max(found["sizes"], key=lambda one: math.inf if one["size"] is None else one["size"])
    said = [
        f"{one['arm']}: {one['outcome']}, {_difference(one['final'])}" for one in most["verdicts"]
    ]
    text = (
        f"Does transfer help? {'; '.join(said)}, in test {found['skill']} against the same network "
        "from scratch."
    )
    return [Paragraph(text, role="lead")]


def comparison(material: Material) -> Section:
    """Verdicts in words, curves and differences, for each size of the training split."""
    found = material.exhibits.comparison()
    title, blocks = "Transfer against scratch", []
    if found is None:
        return Section("comparison", title, blocks)
    # Lines that are indented give the numbers that are in the table.
    lines = [line for line in found["text"].splitlines() if not line.startswith(" ")]
    blocks += [Paragraph(line) for line in lines]
    blocks.append(Plots([_curves(found, of_size, n) for n, of_size in enumerate(found["sizes"])]))
    blocks += [_differences(found, of_size) for of_size in found["sizes"]]
    return Section("comparison", title, blocks)


def _curves(found: Mapping[str, Any], of_size: Mapping[str, Any], number: int) -> Plot:
    ends = ", ".join(
        f"{arm} {curve['mean'][-1]['mean']:.3f}" for arm, curve in of_size["curves"].items()
    )
    caption = f"Test {found['skill']} after each pass over {_items(of_size)}"
    return plot(
        f"comparison-{number}",
        f"{caption}, with 95% intervals over seeds and test items.",
        f"{caption}. At the end: {ends}.",
        plots.draw_comparison,
        of_size["curves"],
        found["skill"],
    )


def _differences(found: Mapping[str, Any], of_size: Mapping[str, Any]) -> Table:
    names = {"start": "start", "slope": "slope a pass", "area": "mean of all passes"}
    rows = [
        [
            one["arm"],
            one["outcome"],
            *(_cell(one[name]) for name in names),
            _cell(one["final"]),
            _matched(one["epochs_to_match"]),
        ]
        for one in of_size["verdicts"]
    ]
    caption = (
        f"Differences in test {found['skill']} to the network from scratch, trained on "
        f"{_items(of_size)}"
    )
    return Table(
        caption, ["arm", "verdict", *names.values(), "final", "as good as scratch at its end"], rows
    )


def _items(of_size: Mapping[str, Any]) -> str:
    size = of_size["size"]
    return "all training items" if size is None else f"{size:,} training items"


def _matched(passes: int | None) -> str:
    return "never" if passes is None else f"after pass {passes}"


def _cell(estimate: Mapping[str, Any]) -> Cell:
    return Cell(f"{estimate['mean']:+.3f}", interval_text(_ends(estimate), "+.3f", short=True))


def _difference(estimate: Mapping[str, Any]) -> str:
    ends, share = _ends(estimate), estimate["confidence"]
    said = f"{estimate['mean']:+.3f}"
    return (
        said
        if ends is None
        else f"{said} ({100 * share:.3g}% interval {ends[0]:+.3f} to {ends[1]:+.3f})"
    )


def _ends(estimate: Mapping[str, Any]) -> tuple[float, float] | None:
    return None if estimate["low"] is None else (estimate["low"], estimate["high"])

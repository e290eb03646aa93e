"""What matters most: how good the model is, and than what it is better."""

from keras_tl.evaluation.wording import number_text, thresholds_text, title_of
from keras_tl.report.blocks import Block, Cell, Paragraph, Section, Table
from keras_tl.report.material import Material
from keras_tl.report.sections.comparison import verdict
from keras_tl.report.sections.wording import interval_text


def summary(material: Material) -> Section:
    """The headline, the verdict on transfer, warnings, and all metrics."""
    blocks: list[Block] = [_headline(material), *verdict(material)]
    blocks += [Paragraph(text, role="warning") for text in material.facts["warnings"]]
    if material.test is not None:
        blocks.append(_metrics(material))
    return Section("summary", "Summary", blocks)


def _headline(material: Material) -> Paragraph:
    test, task = material.test, material.task
    if test is None:
        return Paragraph(
            "How good this model is on items that it has not seen was not measured. Measure it:",
            "keras-tl evaluate RUN --data SPEC",
            "lead",
        )
    value, interval = (test["metrics"][task.headline][key] for key in ("value", "interval"))
    written = "not defined" if value is None else format(value, task.headline_form)
    on = f"On the {test['items']:,} {material.item}s of the test split"
    said = task.headline_text.format(written) + interval_text(interval, task.interval_form)
    answered = material.outcomes.get("test")
    if answered is not None and (baseline := task.baseline_text(answered.labels)):
        said += f"; {baseline}"
    if task.thresholds:
        said += f"; chosen thresholds decide: {thresholds_text(task.class_names, task.thresholds)}"
    return Paragraph(f"{on}, {said}.", role="lead")


def _metrics(material: Material) -> Table:
    """All metrics of all splits that were evaluated."""
    evaluations = material.facts["evaluations"]
    splits = sorted(evaluations, key=("test", "validation", "train").index)
    names = dict.fromkeys(name for split in splits for name in evaluations[split]["metrics"])
    rows = []
    for name in names:
        cells = []
        for split in splits:
            found = evaluations[split]["metrics"].get(name)
            if found is None:
                cells.append("-")
            else:
                interval = interval_text(found["interval"], ".3g", short=True)
                cells.append(Cell(number_text(found["value"]), interval))
        rows.append([title_of(name), *cells])
    return Table("Metrics, with 95% intervals where they are known", ["metric", *splits], rows)

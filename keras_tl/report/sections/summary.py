"""The summary: the performance of the model, the baseline and the warnings."""

from keras_tl.evaluation.wording import number_text, thresholds_text, title_of
from keras_tl.report.blocks import Block, Paragraph, Section, Table
from keras_tl.report.context import ReportContext
from keras_tl.report.facts import Facts
from keras_tl.report.limits import warnings_of
from keras_tl.report.sections.comparison import verdict
from keras_tl.report.sections.wording import interval_text, measured_cell


def summary(context: ReportContext) -> Section:
    """Return the main metric, the verdict on transfer, the warnings and all metrics."""
    blocks: list[Block] = [_headline(context), *verdict(context)]
    blocks += warnings(context.facts)
    if context.facts.test is not None:
        blocks += [metrics(context.facts), *grouping_notes(context.facts)]
    return Section("summary", "Summary", blocks)


def warnings(facts: Facts) -> list[Block]:
    """Return the reasons not to use the model."""
    return [Paragraph(text, role="warning") for text in warnings_of(facts)]


def grouping_notes(facts: Facts) -> list[Block]:
    """Return a paragraph for each split whose intervals take groups of items into account."""
    found = {split: one.grouping for split, one in facts.evaluations.items()}
    return [
        Paragraph(grouping.describe(f"Intervals of the {split} split"), role="note")
        for split, grouping in found.items()
        if grouping is not None
    ]


def _headline(context: ReportContext) -> Paragraph:
    test, task = context.facts.test, context.task
    if test is None:
        text = "This model was not evaluated on the test split. Evaluate the model:"
        return Paragraph(text, "keras-tl evaluate RUN --data SPEC", "lead")
    found, form = test.metrics[task.primary_metric], task.primary_metric_format
    written = "not defined" if found.value is None else format(found.value, form)
    on = f"On the {test.items:,} {context.facts.item}s of the test split"
    said = task.primary_metric_text.format(written)
    if found.interval is not None:
        said += f" (95% interval {interval_text(found.interval, task.interval_format)})"
    if baseline := task.baseline_text(context.test.raw.labels):
        said += f"; {baseline}"
    if task.thresholds:
        thresholds = thresholds_text(task.class_names, task.thresholds)
        said += f"; chosen decision thresholds: {thresholds}"
    return Paragraph(f"{on}, {said}.", role="lead")


def metrics(facts: Facts) -> Table:
    """Return a table of all metrics of all evaluated splits."""
    splits = sorted(facts.evaluations, key=("test", "validation", "train").index)
    found = [facts.evaluations[split] for split in splits]
    names = dict.fromkeys(name for one in found for name in one.metrics)
    rows = [
        [title_of(name), *(measured_cell(one.metrics.get(name)) for one in found)] for name in names
    ]
    shares = [one.most_frequent_share for one in found]
    if any(shares):
        baseline = "accuracy of always predicting the most frequent class"
        rows.append([baseline, *map(number_text, shares)])
    return Table("Metrics, with 95% intervals where known", ["metric", *splits], rows)

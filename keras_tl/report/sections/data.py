"""The section on the data: source, splits, and findings before training."""

from keras_tl.evaluation.wording import number_text
from keras_tl.report.blocks import Block, Definitions, Paragraph, Section, Table
from keras_tl.report.context import ReportContext
from keras_tl.report.facts import Facts

NOT_RECORDED = "not recorded"
_CLASSES = 100


def data(context: ReportContext) -> Section:
    """Return the facts of the data, and the findings of the preflight."""
    blocks = about_data(context.facts)
    if context.facts.data is not None:
        blocks += _findings(context)
    return Section("data", "Data", blocks)


def about_data(facts: Facts) -> list[Block]:
    """Return the source of the data, the unusable items, and counts by split and class."""
    data, config = facts.data, facts.config
    if data is None:
        return [Paragraph("The training data are not recorded.")]
    found = {
        "Source": data.kind or "in memory (arrays, a data frame, a tf.data.Dataset)",
        "Settings": ", ".join(f"{name}={value!r}" for name, value in data.settings.items()),
    }
    if data.checked:
        left_out = data.checked["left_out"]
        found["Checked"] = f"{data.checked['items']:,} items; {left_out:,} unusable items left out"
    if data.unused_files:
        found["Other files"] = str(data.unused_files)
    if facts.task.is_number:
        mean, scale = map(number_text, (config.target_mean, config.target_scale))
        found["Training targets"] = f"mean {mean}, standard deviation {scale}"
    splits = data.splits.values()
    names = config.class_names
    rows = [["all", *(f"{split.items:,}" for split in splits)]]
    rows += [[n, *(f"{s.classes.get(n, 0):,}" for s in splits)] for n in names[:_CLASSES]]
    caption = "Items of each split"
    if len(names) > _CLASSES:
        caption += f"; the first {_CLASSES} of {len(names):,} classes"
    table = Table(caption, ["class" if names else "split", *data.splits], rows)
    return [Definitions({name: value for name, value in found.items() if value}), table]


def _findings(context: ReportContext) -> list[Block]:
    """Return the findings in the data and the model before training."""
    found = context.findings
    if found is None:
        text = "The data and the model were not checked before training. Check them:"
        return [Paragraph(text, "learner.check()")]
    blocks: list[Block] = []
    if found:
        rows = [[one.name, one.severity, one.what, one.action] for one in found]
        head = ["check", "severity", "found", "what to do"]
        blocks.append(Table("Findings before training", head, rows, numbers=False))
    else:
        blocks.append(Paragraph("The checks before training found no problem."))
    if found.not_checked:
        reasons = "; ".join(f"{name} ({why})" for name, why in found.not_checked.items())
        blocks.append(Paragraph(f"Not checked: {reasons}.", role="note"))
    return blocks

"""What the model was trained and tested on."""

from keras_tl.data.folders.unused_files import UnusedFiles
from keras_tl.report.blocks import Block, Facts, Paragraph, Section, Table
from keras_tl.report.material import Material

_TITLE = "Data"
_CLASSES = 100


def data(material: Material) -> Section:
    """Where the data come from, counts by split and class, what was left out."""
    known = material.facts["data"]
    if known is None:
        return Section("data", _TITLE, [Paragraph("What it was trained on is not recorded.")])
    splits = known["splits"]
    settings = known["source_settings"] | known["split_settings"]
    facts = {
        "Source": known["source"] or "in memory (arrays, a data frame, a tf.data.Dataset)",
        "Settings": ", ".join(f"{k}={v!r}" for k, v in settings.items() if v is not None),
    }
    if known["checked"]:
        found = known["checked"]
        facts["Checked"] = f"{found['items']:,}; {found['left_out']:,} were unusable and left out"
    if known["unused_files"] and (unused := UnusedFiles(**known["unused_files"])):
        facts["Other files"] = str(unused)
    blocks: list[Block] = [Facts({name: value for name, value in facts.items() if value})]
    counts = [split.get("classes") or {} for split in splits.values()]
    # Earlier versions did not record them.
    names = material.facts["task"]["class_names"] if all(counts) else []
    rows = [["all", *(f"{split['items']:,}" for split in splits.values())]]
    rows += [[n, *(f"{count.get(n, 0):,}" for count in counts)] for n in names[:_CLASSES]]
    caption = "Items of each split"
    if len(names) > _CLASSES:
        caption += f"; of the {len(names):,} classes the first {_CLASSES}"
    blocks.append(Table(caption, ["class" if names else "split", *splits], rows))
    blocks += _findings(material)
    return Section("data", _TITLE, blocks)


def _findings(material: Material) -> list[Block]:
    """What was found in the data and the model before training."""
    found = material.findings
    if found is None:
        return [
            Paragraph(
                "The data and the model were not looked at before training:", "learner.check()"
            )
        ]
    blocks: list[Block] = []
    if found["findings"]:
        rows = [
            [one["name"], one["severity"], one["what"], one["action"]] for one in found["findings"]
        ]
        head = ["check", "severity", "found", "what to do"]
        blocks.append(Table("What was found before training", head, rows, numbers=False))
    else:
        blocks.append(Paragraph("Nothing was found amiss before training."))
    if found["not_checked"]:
        reasons = "; ".join(f"{name} ({why})" for name, why in found["not_checked"].items())
        blocks.append(Paragraph(f"Not checked: {reasons}.", role="note"))
    return blocks

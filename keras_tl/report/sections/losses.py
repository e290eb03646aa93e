"""The items with the largest losses."""

from collections.abc import Mapping
from typing import Any

from keras_tl.evaluation.losses import TopLoss
from keras_tl.evaluation.wording import number_text, with_share
from keras_tl.report.artifacts import SHOWN
from keras_tl.report.blocks import Block, Item, Items, Paragraph, Section
from keras_tl.report.context import ReportContext
from keras_tl.report.drawing import picture

_TITLE = "Largest losses"


def losses(context: ReportContext) -> Section:
    """Return the items with the largest losses, with their images or texts if the run has them."""
    if context.test is None:
        return Section("losses", _TITLE, [])
    found = context.test.top_losses(SHOWN)
    kept = context.artifacts.top_items()
    blocks: list[Block] = [
        Paragraph(
            f"The {len(found.items)} {context.facts.item}s of the test split with the largest "
            "losses, the largest first. Look for wrong labels among them."
        )
    ]
    if kept is None:
        blocks.append(
            Paragraph(
                f"The {context.facts.item}s themselves were not kept in the run. "
                f"To keep the {context.facts.item}s, call:",
                "learner = ktl.Learner.load(RUN, data=data); learner.evaluate(); "
                "learner.report('report.html'); learner.save(RUN)",
                "note",
            )
        )
    items = [_item(context, one, (kept or {}).get(one.row, {})) for one in found.items]
    blocks.append(Items(items))
    places = next((one["places"] for one in (kept or {}).values() if "places" in one), None)
    if places is not None:
        height, width = places
        text = (
            "The second picture of an item is its Grad-CAM (Selvaraju et al., 2017, "
            "arXiv:1610.02391). The brighter a region, the more it supports the prediction. A "
            "Grad-CAM shows which regions matter, not why. The resolution of a Grad-CAM is that of "
            f"the last feature maps: {height} x {width} regions."
        )
        blocks.append(Paragraph(text, role="note"))
    return Section("losses", _TITLE, blocks)


def _item(context: ReportContext, one: TopLoss, about: Mapping[str, Any]) -> Item:
    files = context.artifacts.files
    place = about.get("place") or f"row {one.row} of the test split"
    pictures = []
    if "image" in about:
        alt = f"{place}: predicted {one.predicted}, true {one.true}"
        pictures.append(picture(files[about["image"]], alt))
    if "gradcam" in about:
        alt = f"Grad-CAM of the same image for {about['seen']}"
        pictures.append(picture(files[about["gradcam"]], alt))
    lines = [
        f"true: {with_share(one.true, one.true_probability)}",
        f"loss {number_text(one.loss)}",
        place,
    ]
    title = f"Predicted: {with_share(one.predicted, one.predicted_probability)}"
    return Item(title, lines, pictures, about.get("texts", ()))

"""The features of items before and after fine-tuning."""

from keras_tl.evaluation import plots
from keras_tl.evaluation.pca_projection import PcaProjection
from keras_tl.report.artifacts import AFTER, BEFORE
from keras_tl.report.blocks import Block, Paragraph, Plots, Section
from keras_tl.report.context import ReportContext
from keras_tl.report.drawing import plot

_TITLE = "PCA plot of the features"
_SIZE = (5.0, 5.0)


def features(context: ReportContext) -> Section:
    """Plot items by the first two principal components of their features."""
    before, after = (context.artifacts.pca_projection(when) for when in (BEFORE, AFTER))
    tuned = context.facts.is_fine_tuned
    names = {
        "before fine-tuning": before,
        "after fine-tuning" if tuned else "without fine-tuning": after,
    }
    projections = {name: found for name, found in names.items() if found is not None}
    if not projections:
        text = "The features were not kept in the run. Load the run with its data, then call:"
        code = "learner.report('report.html'); learner.save(RUN)"
        return Section("features", _TITLE, [Paragraph(text, code)])
    shown = [
        plot(
            f"features-{number}",
            f"Features {name}.",
            f"PCA plot of the features of {len(found.points)} {context.facts.item}s {name}.",
            plots.draw_features,
            found,
            context.task,
            size=_SIZE,
        )
        for number, (name, found) in enumerate(projections.items())
    ]
    blocks: list[Block] = [Paragraph(_said(context, projections)), Plots(shown)]
    if tuned and before is None:
        text = (
            "The features before fine-tuning were not kept: an earlier version of keras_tl "
            "fine-tuned this run, or the weights were random."
        )
        blocks.append(Paragraph(text, role="note"))
    return Section("features", _TITLE, blocks)


def _said(context: ReportContext, projections: dict[str, PcaProjection]) -> str:
    found = next(iter(projections.values()))
    text = (
        f"{len(found.points)} {context.facts.item}s of the {found.split} split, by the first two "
        "principal components of the features. The components differ between plots."
    )
    shares = [
        f"{one.neighbours:.1%} {name}"
        for name, one in projections.items()
        if one.neighbours is not None
    ]
    if shares:
        text += (
            f" A plot shows only two dimensions. Fraction of {context.facts.item}s whose nearest "
            f"neighbour in all dimensions has the same {context.task.answer_is}: "
            f"{', '.join(shares)}."
        )
    return text

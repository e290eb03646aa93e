"""The calibration of the probabilities, and the curves over all decision thresholds."""

from collections.abc import Mapping
from typing import Any

from keras_tl.evaluation import plots
from keras_tl.evaluation.calibration import measure_calibration
from keras_tl.evaluation.evaluation import Evaluation
from keras_tl.evaluation.thresholds import precision_recall
from keras_tl.evaluation.wording import number_text, thresholds_text
from keras_tl.report.blocks import Block, Paragraph, Plot, Plots, Section
from keras_tl.report.context import ReportContext
from keras_tl.report.drawing import plot
from keras_tl.tasks import Task

_SQUARE = (4.6, 4.3)


def probabilities(context: ReportContext) -> Section:
    """Return the reliability diagram. Binary and multi-label tasks also have threshold curves."""
    title, task, test = "Probabilities", context.task, context.test
    if not task.has_probabilities or test is None:
        return Section("probabilities", title, [])
    found = measure_calibration(task, test.record)
    said = (
        f"The expected calibration error is {found.ece:.3f}: the mean difference between the "
        f"probability of {found.probabilities_of} and the observed frequency (Guo et al., 2017; 15 "
        "bins). With few items, even a calibrated model has an error above 0."
    )
    blocks: list[Block] = [Paragraph(said), *_adjusted(task)]
    shown = [
        plot(
            "reliability",
            "On the dashed line, the probability equals the observed frequency. Below the line, "
            "the model is overconfident. Larger dots: more items. Bars: 95% intervals.",
            f"Reliability diagram. {_in_words(found)}",
            plots.draw_reliability,
            found,
            size=_SQUARE,
        )
    ]
    shown += _roc(test)
    if task.threshold_count:
        shown += _precision_recall(test)
    return Section("probabilities", title, [*blocks, Plots(shown)])


def _adjusted(task: Task) -> list[Block]:
    """Return the temperature and the decision thresholds, if they were set."""
    blocks: list[Block] = []
    if task.temperature != 1:
        text = (
            f"The logits are divided by a temperature of {task.temperature:.3f}, fitted on "
            "the validation split (Guo et al., 2017, sec. 4.2)."
        )
        blocks.append(Paragraph(text))
    if task.thresholds:
        said = thresholds_text(task.class_names, task.thresholds)
        blocks.append(Paragraph(f"Chosen decision thresholds: {said}."))
    return blocks


def _in_words(found) -> str:
    return " ".join(
        f"At probability {number_text(one.confidence)}: frequency {number_text(one.frequency)}, "
        f"{one.items:,} cases."
        for one in found.bins
        if one.items
    )


def _roc(test: Evaluation) -> list[Plot]:
    curves = plots.roc_curves(test, test.task.class_names)
    if not curves:
        return []
    whose = f"curve of {next(iter(curves))}" if len(curves) == 1 else "curves"
    caption = (
        f"ROC {whose}: true positive rate against false positive rate, over all decision thresholds"
        f"{_of_all(test, curves, 'area')}"
    )
    areas = plots.roc_areas(test, test.task.class_names)
    texts = [f"{name} {text}" for name, text in plots.area_texts(curves, areas).items()]
    alt = f"{caption}. Areas under the curves: {', '.join(texts)}."
    return [plot("roc", f"{caption}.", alt, plots.draw_roc, curves, areas, size=_SQUARE)]


def _of_all(test: Evaluation, curves: Mapping[str, Any], low: str) -> str:
    """Return a text that names the labels with a curve, or an empty text if all have a curve."""
    labels = len(test.task.class_names)
    if len(curves) < plots.MOST_CURVES or len(curves) == labels:
        return ""
    return f"; the {len(curves)} labels with the lowest {low}, of {labels} labels"


def _precision_recall(test: Evaluation) -> list[Plot]:
    rows, found = test["per_class"], precision_recall(test.task, test.record)
    curves = plots.lowest(found, lambda name: rows[name]["average_precision"])
    if not curves:  # No item has any of the labels.
        return []
    caption = "Precision against recall over all decision thresholds"
    caption += _of_all(test, curves, "average precision")
    alt, draw = f"{caption}, of {', '.join(curves)}.", plots.draw_precision_recall
    return [plot("precision-recall", f"{caption}.", alt, draw, curves, size=_SQUARE)]

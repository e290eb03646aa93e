"""The learning curves and the results of all training phases."""

from collections.abc import Sequence

from keras_tl.evaluation import plots
from keras_tl.evaluation.metric_drop import describe_metric_drop
from keras_tl.evaluation.phase_fit import PhaseFit
from keras_tl.evaluation.wording import number_text, title_of
from keras_tl.report.blocks import Block, Cell, Paragraph, Plots, Section, Table
from keras_tl.report.context import ReportContext
from keras_tl.report.drawing import plot
from keras_tl.report.facts import Facts
from keras_tl.report.sections.data import NOT_RECORDED
from keras_tl.report.sections.wording import capitalised
from keras_tl.runs.history import PhaseRecord


def training(context: ReportContext) -> Section:
    """Return learning curves with the phases marked, and a row for each phase."""
    history = context.facts.history
    if not history:
        return Section("training", "Training", [phases(context.facts)])
    monitor = context.task.monitor
    curves = [
        plot(
            f"curve-{metric}",
            f"{capitalised(title_of(metric))} over the epochs of all phases. Dashed lines: "
            "start of a phase. Large dots: epochs whose weights were kept.",
            f"Learning curves of the {title_of(metric)}. {_course(history, metric)}",
            plots.draw_curve,
            history,
            metric,
            monitor,
        )
        for metric in ("loss", monitor)
    ]
    told = [*chosen(context), *fit(context), *metric_drops(history)]
    return Section("training", "Training", [*told, Plots(curves), phases(context.facts)])


def phases(facts: Facts) -> Block:
    """Return a table with a row for each training phase: its main settings and its results."""
    if not facts.history:
        return Paragraph("The model is untrained. Train its head:", "learner.fit_head()")
    head = ["phase", "trained", "epochs", "kept epoch", "learning rate", "batch size"]
    head += ["augmentation", "validation at the kept epoch", "seconds"]
    rows = [_row(record) for record in facts.history]
    return Table("Training phases", head, rows, numbers=False)


def metric_drops(history: Sequence[PhaseRecord]) -> list[Block]:
    """Return a warning for each phase that made the model worse on the validation split."""
    return [Paragraph(text, role="warning") for text in map(describe_metric_drop, history) if text]


def chosen(context: ReportContext) -> list[Block]:
    """Return the reason why `Learner.fit` kept its model, and a table of the compared models."""
    found = context.fitted
    if found is None:
        return []
    blocks: list[Block] = [Paragraph(found.kept_because)]
    if found.candidates:
        caption = "The compared models: head, weight averages, and fine-tuned model"
        blocks.append(Table(caption, found.columns, found.rows))
    return [*blocks, *(Paragraph(text, role="note") for text in found.remarks)]


def fit(context: ReportContext) -> list[Block]:
    """Describe whether the model overfits, and list remedies."""
    found = context.overfitting
    if found is None:
        return []
    blocks: list[Block] = [Paragraph(capitalised(found.statement))]
    if found.phases:
        blocks += _fits(found.phases)
    blocks += [
        Paragraph(
            f"Try {one.what[:1].lower()}{one.what[1:].rstrip('.')}:", one.command or one.python
        )
        for one in found.remedies
    ]
    return blocks


def _fits(phases: Sequence[PhaseFit]) -> list[Block]:
    """Return a table of the overfitting in each phase, and a text that explains the columns."""
    metric = title_of(phases[0].metric)
    head = ["phase", f"{metric} in training", "in validation", "gap", "change per epoch"]
    head += ["best epoch", "epochs not run", "last epoch worse by"]
    rows = [_fit_row(one) for one in phases]
    table = Table("Training and validation metrics of each phase", head, rows)
    text = (
        f"Gap: how much better the {metric} of the kept epoch is in training than in validation. "
        "The true gap may be larger: training values are means over an epoch in which the weights "
        "changed, with dropout and augmentation. Epochs not run: early stopping ended the phase "
        "before them. Last epoch worse by: difference from the kept epoch."
    )
    return [table, Paragraph(text, role="note")]


def _fit_row(fit: PhaseFit) -> list[str | Cell]:
    best, avoided, monitor = fit.best_epoch, fit.avoided, title_of(fit.monitor)
    return [
        fit.name,
        *("-" if value is None else f"{value:.3f}" for value in (fit.train, fit.validation)),
        "-" if fit.gap is None else Cell(f"{fit.gap:+.3f}", "" if fit.is_measured else "or more"),
        "-" if fit.trend is None else f"{fit.trend:+.4f}",
        "-" if best is None else Cell(f"{best} of {fit.ran}", f"by {monitor}"),
        f"{fit.saved} of {fit.planned}",
        "-" if avoided is None else Cell(f"{avoided:.4f}", f"of {monitor}"),
    ]


def _course(history: Sequence[PhaseRecord], metric: str) -> str:
    """Describe a curve in words, for readers who cannot see it."""
    said = []
    for record in history:
        for name, of in ((metric, "training"), (f"val_{metric}", "validation")):
            values = [epoch[name] for epoch in record.epochs if name in epoch]
            if values:
                ends = " to ".join(number_text(float(v)) for v in (values[0], values[-1]))
                said.append(f"{record.phase.name}, {of}: {ends}.")
    return " ".join(said)


def _row(record: PhaseRecord) -> list[str]:
    phase, augment = record.phase, record.augment
    validation = [
        f"{title_of(name.removeprefix('val_'))} {number_text(value)}"
        for name, value in record.kept_values.items()
        if name.startswith("val_")
    ]
    return [
        phase.name,
        "head" if phase.unfreeze is None else f"head and {_unfrozen(phase.unfreeze)}",
        f"{len(record.epochs)} of {phase.epochs}",
        record.kept,
        f"{phase.learning_rate:g}",
        str(phase.batch_size),
        NOT_RECORDED if augment is None else ", ".join(augment) or "none",
        ", ".join(validation) or "-",
        f"{record.seconds:,.1f}",
    ]


def _unfrozen(what: str | int) -> str:
    if what == "all":
        return "backbone"
    if isinstance(what, int):
        return f"the last {what} blocks" if what > 1 else "the last block"
    return f"backbone from {what} on"

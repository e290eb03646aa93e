"""What training did, over all phases."""

from keras_tl.evaluation import plots
from keras_tl.evaluation.wording import number_text, title_of
from keras_tl.report.blocks import Block, Paragraph, Plots, Section, Table
from keras_tl.report.drawing import plot
from keras_tl.report.material import Material
from keras_tl.training.history import PhaseRecord


def training(material: Material) -> Section:
    """Curves with the phases marked, and a row for each phase."""
    history = material.history
    if not history:
        blocks = [Paragraph("The model is untrained. Train its head:", "learner.fit_head()")]
        return Section("training", "Training", blocks)
    watched = material.task.watched
    curves = [
        plot(
            f"curve-{metric}",
            f"{_capitalised(title_of(metric))} over the epochs of all phases. Dashed lines: where "
            "a phase begins; large dots: the epochs whose weights were kept.",
            f"Learning curves of the {title_of(metric)}. {_course(history, metric)}",
            plots.draw_curve,
            history,
            metric,
            watched,
        )
        for metric in ("loss", watched)
    ]
    rows = [_row(record, watched) for record in history]
    head = ["phase", "trained", "epochs", "kept", "peak rate", f"validation {title_of(watched)}"]
    table = Table("The phases of the training", [*head, "seconds"], rows, numbers=False)
    return Section("training", "Training", [*fit(material), Plots(curves), table])


def fit(material: Material) -> list[Block]:
    """Whether the model overfits, and what to do about it."""
    found = material.overfitting
    if found is None:
        return []
    blocks: list[Block] = [Paragraph(_capitalised(found["statement"]))]
    blocks += [
        Paragraph(
            f"To try: {_decapitalised(one['what']).rstrip('.')}:", one["command"] or one["python"]
        )
        for one in found["remedies"]
    ]
    return blocks


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _decapitalised(text: str) -> str:
    return text[:1].lower() + text[1:]


def _course(history: tuple[PhaseRecord, ...], metric: str) -> str:
    """The curve in words, for those who do not see it."""
    said = []
    for record in history:
        for name, of in ((metric, "training"), (f"val_{metric}", "validation")):
            values = [epoch[name] for epoch in record.epochs if name in epoch]
            if values:
                ends = " to ".join(number_text(float(v)) for v in (values[0], values[-1]))
                said.append(f"{record.phase.name}, {of}: {ends}.")
    return " ".join(said)


def _row(record: PhaseRecord, watched: str) -> list[str]:
    phase, kept = record.phase, record.best_epoch
    value = record.epochs[kept - 1].get(f"val_{watched}") if kept else None
    return [
        phase.name,
        "head" if phase.unfreeze is None else f"head and {_unfrozen(phase.unfreeze)}",
        f"{len(record.epochs)} of {phase.epochs}",
        str(kept) if kept else "none was better than before",
        f"{phase.learning_rate:g}",
        number_text(value),
        f"{record.seconds:.1f}",
    ]


def _unfrozen(what: str | int) -> str:
    if what == "all":
        return "backbone"
    return f"last {what} blocks" if isinstance(what, int) else f"backbone from {what} on"

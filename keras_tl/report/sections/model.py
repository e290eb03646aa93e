"""The facts of the model, and the calls that reproduce the model."""

from collections.abc import Sequence

from keras_tl.evaluation.wording import listed, thresholds_text
from keras_tl.report.blocks import Block, Code, Definitions, Notes, Numbered, Paragraph, Section
from keras_tl.report.context import ReportContext
from keras_tl.report.facts import Facts
from keras_tl.report.limits import limits_of
from keras_tl.report.pretraining import RANDOM, EarlierTraining
from keras_tl.report.sections.data import NOT_RECORDED
from keras_tl.runs.ancestry import TRAINING
from keras_tl.runs.history import PhaseRecord

_NOT_REPRODUCIBLE = (
    "The seed fixes the initial weights, the order of the items and their augmentation. The splits "
    "have their own seed. The same calls give the same model if the data, the versions, and the "
    "kind and number of devices are the same. GPUs are an exception: some of their operations add "
    "numbers in no fixed order. Other hardware or another precision rounds differently, and "
    "training enlarges such differences. Callbacks and augmentation layers are not recorded."
)


def model(context: ReportContext) -> Section:
    """Return the model's facts, the calls that reproduce the model, and its limits and risks."""
    facts = context.facts
    limits = Notes("Limits and risks", limits_of(facts))
    blocks = [*details(facts), *reproduction(facts), limits]
    return Section("model", "Model and how to reproduce it", blocks)


def details(facts: Facts, exported: str | None = None) -> list[Block]:
    """Return a model's main facts and earlier trainings. `exported` is the date of an export."""
    config, before, parameters = facts.config, facts.pretraining, facts.parameters
    # Random weights have no source and no licence.
    unknown = None if before.kind == RANDOM else NOT_RECORDED
    sizes = facts.data and ", ".join(f"{x.items:,} {name}" for name, x in facts.data.splits.items())
    versions = ", ".join(f"{name} {one}" for name, one in facts.trained_with.items())
    found = {
        "Exported": exported,
        "Task": f"{config.task}, {facts.item}s",
        "Classes": listed(config.class_names),
        "Input": _input(facts),
        "Backbone": config.backbone
        + (f", up to {config.output_block}" if config.output_block else "")
        + (", fine-tuned" if facts.is_fine_tuned else ", not fine-tuned"),
        "Parameters": f"{parameters['backbone']:,} in the backbone, {parameters['head']:,} in the "
        "head",
        "Weights before training": before.weights,
        "Weights' source": before.source or unknown,
        "Weights' licence": before.licence or unknown,
        "TF-Hub module's SHA-256": before.module_sha256,
        "Data": sizes or NOT_RECORDED,
        "Precision in training": config.precision,
        "Seed": str(facts.seed),
        "Temperature": None if config.temperature == 1 else f"{config.temperature:.4f}",
        "Thresholds": thresholds_text(config.class_names, config.thresholds),
        "Versions": versions if exported is None else None,
    }
    blocks: list[Block] = [Definitions({name: value for name, value in found.items() if value})]
    if before.ancestry:
        said = "Earlier trainings of the backbone, the latest first:"
        blocks += [Paragraph(said), Numbered([_earlier(one) for one in before.ancestry])]
    return blocks


def _input(facts: Facts) -> str:
    config = facts.config
    if config.image_size is not None:
        height, width = config.image_size
        values = config.value_range
        scaled = f"; 16-bit values from {values[0]} to {values[1]}" if values else ""
        return f"images, resized to {height} x {width} ({config.resize}){scaled}"
    kind = "pairs of texts" if config.are_pairs else "texts"
    if facts.tokenizer is None:
        return f"{kind} of any length"
    return f"{kind}, at most {config.sequence_length} tokens ({facts.tokenizer})"


def _earlier(one: EarlierTraining) -> str:
    """Describe an earlier training in one line."""
    if one.kind == TRAINING:
        known = [
            f"{one.task}: {listed(one.class_names)}",
            one.data and f"{one.data.items:,} items",
            f"started from {'random weights' if one.weights == RANDOM else one.weights}",
        ]
    else:
        counts = {"texts": one.texts, "tokens": one.tokens}
        known = [one.kind, one.source, *(f"{n:,} {name}" for name, n in counts.items() if n)]
        known += _perplexity(one.history)
    phases = ", ".join(f"{record.phase.name} ({len(record.epochs)})" for record in one.history)
    known.append(phases and f"phases (epochs): {phases}")
    return "; ".join(part for part in known if part)


def _perplexity(history: Sequence[PhaseRecord]) -> list[str]:
    """Return the last recorded validation perplexity in words."""
    found = [record.kept_values.get("val_perplexity") for record in history]
    return [f"validation perplexity {value:.1f}" for value in found if value is not None][-1:]


def reproduction(facts: Facts) -> list[Block]:
    """Return the calls that train the model again, and a text on the limits of reproduction."""
    return [Code("\n".join(facts.calls)), Paragraph(_NOT_REPRODUCIBLE)]

"""The model card of an export: the same facts for people and for programs.

`MODEL_CARD.md` follows Mitchell et al., "Model Cards for Model Reporting", 2019
(arXiv:1810.03993). `model.json` holds the same facts as JSON.
"""

import datetime
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from keras_tl.base.files import json_text
from keras_tl.errors import ConfigError, quoted
from keras_tl.report.blocks import Block, Notes, Paragraph, Section, Table, Written
from keras_tl.report.facts import Facts
from keras_tl.report.limits import limits_of, warnings_of
from keras_tl.report.rendering import render
from keras_tl.report.sections.classes import per_class
from keras_tl.report.sections.data import NOT_RECORDED, about_data
from keras_tl.report.sections.model import details, reproduction
from keras_tl.report.sections.summary import grouping_notes, metrics, warnings
from keras_tl.report.sections.training import phases

FORMAT = 1
CARD, FACTS = "MODEL_CARD.md", "model.json"
_DETAILS, _INTENDED_USE = "Model details", "Intended use"
_EXPECTED = (
    "Expected the sections of the model card that only you can write, as headings with "
    'their texts: {"Intended use": "Sorting our own photos."}.'
)
_TO_BE_WRITTEN = (
    "*Not written yet.* State the purpose of the model, who may use the model, and the forbidden "
    'uses. Pass the text to `learner.export(path, card={"Intended use": "..."})` or `keras-tl '
    "export --card FILE.json`."
)
_INTERVALS = (
    "The intervals cover the random choice of the items, and no other source of error. Methods: "
    "Wilson, 1927, for accuracy, precision and recall; Lam et al., 2023, arXiv:2309.14621, for F1; "
    "the bootstrap for the other metrics. `-`: the split has no item for the metric. "
    "`model.json` has the metrics of all classes."
)
_USES = {
    "test": "not used for training, early stopping or tuning",
    "validation": "used to choose the best epochs, so the metrics are too optimistic",
    "train": "used for training, so the metrics are too optimistic",
}


def read_sections(path: Path) -> dict[str, str]:
    """Read the user's sections of a model card from a JSON file.

    Raises:
        ConfigError: The file does not exist, is not JSON, or does not map headings to texts.
    """
    try:
        sections = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"Cannot read {quoted(str(path))} ({error}). {_EXPECTED}") from error
    _check_sections(sections)
    return sections


def write_card(
    facts: Facts, name: str, sections: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the texts of `MODEL_CARD.md` and `model.json`, by file name.

    Raises:
        ConfigError: `sections` does not map headings to texts, or has a heading that keras_tl uses.
    """
    sections = {} if sections is None else sections
    _check_sections(sections)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    known = {"format": FORMAT, "name": name, "exported": today, **facts.to_json()}
    known |= {"warnings": warnings_of(facts), "limits": limits_of(facts)}
    return {
        CARD: _as_markdown(facts, name, today, sections),
        FACTS: json_text(known | {"sections": dict(sections)}),
    }


def _check_sections(sections: object) -> None:
    """Raise `ConfigError` unless `sections` maps headings to texts that the user may add."""
    if not isinstance(sections, Mapping):
        raise ConfigError(f"{_EXPECTED} Received: {type(sections).__name__}.")
    own = {heading.lower() for heading in (_DETAILS, *_OWN)}
    for pair in sections.items():
        if not all(isinstance(text, str) and text.strip() for text in pair):
            raise ConfigError(f"{_EXPECTED} Received: {quoted(pair[0])}: {quoted(pair[1])}.")
        if pair[0].strip().lower() in own:
            raise ConfigError(
                f"keras_tl writes the section {quoted(pair[0].strip())} of the card. Choose "
                "another heading."
            )


def _as_markdown(facts: Facts, name: str, today: str, sections: Mapping[str, str]) -> str:
    texts = {_INTENDED_USE: _TO_BE_WRITTEN, **sections}
    # The card states no licence, because only the owner of the model can choose a licence. The card
    # does not state `library_name: keras`, because the Hugging Face Hub would then tell people to
    # load a `.keras` file.
    kind = f"{facts.item}-classification" if facts.task.has_probabilities else ""
    return render(
        "card.md",
        tags=["keras", "tensorflow", "savedmodel", "transfer-learning", facts.config.task],
        pipeline_tag=kind,
        name=name,
        sections=[
            Section("warnings", "", warnings(facts)),
            Section("details", _DETAILS, details(facts, today)),
            *(Section("own", heading, [Written(text)]) for heading, text in texts.items()),
            *(Section("facts", heading, make(facts)) for heading, make in _OWN.items()),
        ],
    )


def _data(facts: Facts) -> list[Block]:
    splits = {} if facts.data is None else facts.data.splits
    prints = [[name, split.fingerprint or NOT_RECORDED] for name, split in splits.items()]
    table = Table("Fingerprints of the splits", ["split", "SHA-256"], prints, numbers=False)
    return [*about_data(facts), *([table] if prints else [])]


def _metrics(facts: Facts) -> list[Block]:
    if not facts.evaluations:
        return [Paragraph("Not evaluated.")]
    blocks: list[Block] = [
        Paragraph(f"{found.items:,} {facts.item}s of the {split} split: {_USES[split]}.")
        for split, found in facts.evaluations.items()
    ]
    blocks.append(metrics(facts))
    blocks += [per_class(one, split) for split, one in facts.evaluations.items() if one.per_class]
    return [*blocks, Paragraph(_INTERVALS), *grouping_notes(facts)]


def _versions(facts: Facts) -> list[Block]:
    trained, exported = facts.trained_with, facts.exported_with
    names = dict.fromkeys([*exported, *trained])
    rows = [[name, trained.get(name, "-"), exported.get(name, "-")] for name in names]
    head = ["library", "trained with", "exported with"]
    return [Table("Versions of the libraries", head, rows, numbers=False)]


# Sections of the card that keras_tl writes, after the sections of the user.
_OWN: dict[str, Callable[[Facts], list[Block]]] = {
    "Training and evaluation data": _data,
    "Metrics": _metrics,
    "Training": lambda facts: [phases(facts)],
    "Limits and risks": lambda facts: [Notes("Limits and risks", limits_of(facts))],
    "How to reproduce": reproduction,
    "Versions": _versions,
}

"""A model card as the two files that stand in an export."""

import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_tl.base.files import json_text
from keras_tl.errors import ConfigError, quoted
from keras_tl.export.card import markdown
from keras_tl.export.card.elements import escaped, table
from keras_tl.tasks import get_task

CARD, FACTS = "MODEL_CARD.md", "model.json"
INTENDED_USE = "Intended use"
_DETAILS, _DATA, _METRICS = "Model details", "Training and evaluation data", "Metrics"
_TRAINING, _LIMITS = "Training", "Limits and risks"
_REPRODUCTION, _VERSIONS = "How to reproduce", "Versions"
_OWN = (_DETAILS, _DATA, _METRICS, _TRAINING, _LIMITS, _REPRODUCTION, _VERSIONS)

_EXPECTED = (
    "Expected the sections of a model card that only you can write: headings and their texts, such "
    'as {"Intended use": "Sorting our own photos. Not for ..."}.'
)
_TO_BE_WRITTEN = (
    "*Not written yet.* What is the model for, who may use it, and what must it not be used for? "
    'Say it with `learner.export(path, card={"Intended use": "..."})` or `keras-tl export '
    "--card FILE.json`."
)
_NOT_REPRODUCIBLE = (
    "The seed fixes the initial weights, the order of the items and their augmentation; the splits "
    "have a seed of their own. With the same data, versions, kind and number of devices, the same "
    "calls give the same model, but for what adds numbers up in no fixed order (GPUs). Other "
    "hardware or another precision round otherwise, and training makes such differences larger. "
    "Callbacks, and layers given as augmentation, are not recorded."
)


def read_sections(path: Path) -> dict[str, str]:
    """The sections of a card that the user wrote into a JSON file.

    Raises:
        ConfigError: there is no such file, or it holds something else.
    """
    try:
        sections = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"Cannot read {quoted(str(path))} ({error}). {_EXPECTED}") from error
    check_sections(sections)
    return sections


def check_sections(sections: object) -> None:
    """Raises `ConfigError` unless these are sections that a user can give to a card."""
    if not isinstance(sections, Mapping):
        raise ConfigError(f"{_EXPECTED} Received: {type(sections).__name__}.")
    for pair in sections.items():
        if not all(isinstance(text, str) and text.strip() for text in pair):
            raise ConfigError(f"{_EXPECTED} Received: {quoted(pair[0])}: {quoted(pair[1])}.")
        if pair[0].strip().lower() in map(str.lower, _OWN):
            raise ConfigError(
                f"The card has a section {quoted(pair[0].strip())} of its own. Choose another "
                "heading."
            )


def write_card(
    facts: Mapping[str, Any], name: str, sections: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The texts of the two files, by their names.

    Args:
        facts: see `keras_tl.export.card.facts.card_facts`.
        name: the model's.
        sections: texts of the user's by their headings, Markdown.

    Raises:
        ConfigError: `sections` is something else, or has a heading of the card's own.
    """
    sections = {} if sections is None else sections
    check_sections(sections)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    known = {"format": facts["format"], "name": name, "exported": today, **facts}
    known["sections"] = dict(sections)
    return {CARD: as_markdown(known), FACTS: json_text(known)}


def as_markdown(facts: Mapping[str, Any]) -> str:
    """What is in `model.json` as a text for people."""
    sections = {INTENDED_USE: _TO_BE_WRITTEN} | facts["sections"]
    own = {
        _DATA: markdown.data_section(facts),
        _METRICS: markdown.metrics_section(facts),
        _TRAINING: markdown.training_section(facts),
        _LIMITS: ["\n".join(f"* **{name}.** {text}" for name, text in facts["limits"].items())],
        _REPRODUCTION: ["```python\n" + "\n".join(facts["calls"]) + "\n```", _NOT_REPRODUCIBLE],
        _VERSIONS: [_versions(facts["versions"])],
    }
    details = [[name, escaped(value)] for name, value in markdown.overview(facts).items()]
    parts = [
        _front_matter(facts["task"]),
        f"# Model card: {escaped(facts['name'])}",
        *(f"> **Warning.** {text}" for text in facts["warnings"]),
        f"## {_DETAILS}",
        table(["what", "value"], [["Exported", facts["exported"]], *details]),
        *markdown.ancestry_section(facts),
    ]
    # Headings of the user's may hold anything; their texts are Markdown.
    for heading, text in sections.items():
        parts += [f"## {escaped(heading)}", text.strip()]
    for heading, texts in own.items():
        parts += [f"## {heading}", *texts]
    return "\n\n".join(parts) + "\n"


def _front_matter(task: Mapping[str, Any]) -> str:
    """What Hugging Face's hub reads.

    The licence of the model is its owner's to say, and by `library_name: keras` the hub would tell
    people to load a `.keras` file.
    """
    tags = ["keras", "tensorflow", "savedmodel", "transfer-learning", task["kind"]]
    lines = ["tags:", *(f"  - {tag}" for tag in tags)]
    if get_task(task["kind"]).has_probabilities:
        lines.append(f"pipeline_tag: {task['item']}-classification")
    return "\n".join(["---", *lines, "---"])


def _versions(versions: Mapping[str, Mapping[str, str]]) -> str:
    trained, exported = versions["trained_with"], versions["exported_with"]
    names = dict.fromkeys([*exported, *trained])
    rows = [[name, trained.get(name, "-"), exported.get(name, "-")] for name in names]
    return table(["library", "trained with", "exported with"], rows)

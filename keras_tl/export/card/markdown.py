"""The facts of a model card as Markdown (CommonMark with GitHub's tables)."""

from collections.abc import Mapping, Sequence
from typing import Any

from keras_tl.data.folders.unused_files import UnusedFiles
from keras_tl.evaluation.wording import number_text, title_of
from keras_tl.export.card.elements import escaped, table
from keras_tl.export.card.pretraining import RANDOM

# Rows of a table, and classes in a line, that people may want to read.
_ROWS, _NAMES = 50, 20
_NOT_RECORDED = "not recorded"

Facts = Mapping[str, Any]


def overview(facts: Facts) -> dict[str, str]:
    """The facts that stand first, as plain text."""
    task, backbone, before = facts["task"], facts["backbone"], facts["pretraining"]
    weights = "random" if before["weights"] is None else before["weights"]
    found = {
        "Task": f"{task['kind']}, of {task['item']}s",
        "Classes": _listed(task["class_names"]),
        "Input": _input(facts["input"]),
        "Backbone": backbone["name"]
        + (f", up to {backbone['output_block']}" if backbone["output_block"] else "")
        + (", fine-tuned" if backbone["fine_tuned"] else ", as it was"),
        "Parameters": f"{backbone['parameters']:,} of the backbone, "
        f"{facts['head']['parameters']:,} of the head",
        "Weights before training": weights,
        "Weights' source": before["source"] or _NOT_RECORDED,
        "Weights' licence": before["licence"] or _NOT_RECORDED,
        "TF-Hub module's SHA-256": before["module_sha256"],
        "Data": _sizes(facts["data"]),
        "Precision in training": facts["precision"],
        "Seed": str(facts["seed"]),
    }
    answers = facts["answers"]
    if answers["temperature"] != 1:
        found["Temperature"] = f"{answers['temperature']:.4f}"
    if answers["thresholds"]:
        found["Thresholds"] = _thresholds(task["class_names"], answers["thresholds"])
    if before["kind"] == RANDOM:  # Nobody published them.
        found["Weights' source"] = found["Weights' licence"] = None
    return {name: value for name, value in found.items() if value}


def _input(given: Facts) -> str:
    if "image_size" in given:
        height, width = given["image_size"]
        values = given.get("value_range")
        scaled = f"; values of 16 bits from {values[0]} to {values[1]}" if values else ""
        return f"images, resized to {height} x {width} ({given['resize']}){scaled}"
    kind = "pairs of texts" if given["are_pairs"] else "texts"
    if given["tokens"] is None:
        return f"{kind} of any length"
    return f"{kind}, {given['sequence_length']} tokens ({given['tokens']})"


def _thresholds(class_names: Sequence[str], thresholds: Sequence[float]) -> str:
    # Of two classes there is one, for the second.
    names = class_names[-len(thresholds) :]
    return _listed([f"{n}: {t:.4f}" for n, t in zip(names, thresholds, strict=True)])


def _sizes(data: Facts | None) -> str:
    if data is None:
        return _NOT_RECORDED
    return ", ".join(f"{split['items']:,} {name}" for name, split in data["splits"].items())


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMES])
    more = len(names) - _NAMES
    return f"{shown} and {more:,} more" if more > 0 else shown


def ancestry_section(facts: Facts) -> list[str]:
    """What the weights were trained on before this task."""
    lines = []
    for entry in facts["pretraining"]["ancestry"]:
        phases = ", ".join(f"{p['settings']['name']} ({p['epochs_run']})" for p in entry["phases"])
        if "task" in entry:
            size = entry["data"] and f"{entry['data']['items']:,} items"
            known = [
                f"{entry['task']}: {_listed(entry['class_names'])}",
                size,
                f"begun with {entry['weights'] or 'random weights'}",
            ]
        else:
            counts = [entry[name] and f"{entry[name]:,} {name}" for name in ("texts", "tokens")]
            known = ["language model", entry["source"], *counts, *_perplexity(entry["phases"])]
        known.append(phases and f"phases (epochs): {phases}")
        lines.append(f"{len(lines) + 1}. {'; '.join(escaped(part) for part in known if part)}")
    if not lines:
        return []
    head = "What the backbone was trained on before this task, the latest first:"
    return [head, "\n".join(lines)]


def _perplexity(phases: Sequence[Facts]) -> list[str]:
    """The last that was measured."""
    found = [phase["metrics"].get("val_perplexity") for phase in phases]
    return [f"validation perplexity {value:.1f}" for value in found if value is not None][-1:]


def data_section(facts: Facts) -> list[str]:
    """Counts by split and class, where they come from, fingerprints."""
    data = facts["data"]
    if data is None:
        return ["What the model was trained on is not recorded."]
    splits = data["splits"]
    settings = data["source_settings"] | data["split_settings"]
    given = ", ".join(f"{name}={value!r}" for name, value in settings.items() if value is not None)
    parts = [
        f"Source: {data['source'] or 'in memory (arrays, a data frame, a tf.data.Dataset)'}."
        + (f" Settings: {escaped(given)}." if given else "")
    ]
    if data["checked"]:
        found = data["checked"]
        bad = f"{found['left_out']:,} could not be used and were left out"
        parts.append(f"Of {found['items']:,} items that were checked, {bad}.")
    if data["unused_files"] and (unused := UnusedFiles(**data["unused_files"])):
        parts.append(escaped(str(unused)))
    if "targets" in data:
        mean, scale = (number_text(float(data["targets"][key])) for key in ("mean", "scale"))
        parts.append(f"Training targets: mean {mean}, standard deviation {scale}.")
    counts = [split.get("classes") or {} for split in splits.values()]
    # Earlier versions did not record them.
    names = facts["task"]["class_names"] if all(counts) else []
    rows = [["**all**", *(f"{split['items']:,}" for split in splits.values())]]
    rows += [[escaped(n), *(f"{count[n]:,}" for count in counts)] for n in names[:_ROWS]]
    rest = _rest(len(rows) - 1, len(names), "that come first")
    parts.append(table(["class", *splits], rows, numbers=True) + rest)
    prints = [[name, split["fingerprint"] or _NOT_RECORDED] for name, split in splits.items()]
    parts.append(table(["split", "fingerprint"], prints))
    return parts


def metrics_section(facts: Facts) -> list[str]:
    """The metrics of every split that was evaluated, the test split first."""
    parts = []
    evaluations = facts["evaluations"]
    for split in sorted(evaluations, key=lambda name: name != "test"):
        found = evaluations[split]
        used = {
            "test": "nothing was tuned or stopped on it",
            "validation": "the kept epochs were chosen by it, so its metrics flatter",
            "train": "the model was trained on it, so its metrics flatter",
        }[split]
        item = facts["task"]["item"]
        parts.append(f"On the {found['items']:,} {item}s of the {split} split ({used}):")
        rows = [
            [title_of(name), number_text(value["value"]), _interval(value)]
            for name, value in found["metrics"].items()
        ]
        if "most_frequent_share" in found:
            share = number_text(found["most_frequent_share"])
            rows.append(["accuracy of always answering the most frequent class", share, ""])
        parts.append(table(["metric", "value", "95% interval"], rows, numbers=True))
        if "per_class" in found:
            parts.append(_per_class(found["per_class"]))
    if parts:
        parts.append(
            "Intervals are of chance in drawing the items (Wilson, 1927, of accuracy, precision "
            "and recall; Lam et al., 2023, arXiv:2309.14621, of F1; the bootstrap of the others); "
            "other sources of error come on top. `-`: there was no item to measure it on."
        )
    return parts or ["Not evaluated."]


def _per_class(per_class: Facts) -> str:
    columns = [name for name in next(iter(per_class.values())) if name != "items"]
    # Where not all are shown, those that the model does worst on are.
    shown = list(per_class.items())
    if len(shown) > _ROWS:
        known = [pair for pair in shown if pair[1]["items"]]
        shown = sorted(known, key=lambda pair: pair[1]["f1"]["value"])[:_ROWS]
    rows = [
        [escaped(name), f"{row['items']:,}", *(_share(row[column]) for column in columns)]
        for name, row in shown
    ]
    head = ["class", "items", *map(title_of, columns)]
    rest = _rest(len(shown), len(per_class), "with the lowest F1")
    return table(head, rows, numbers=True) + rest


def _share(share: Facts) -> str:
    if share["value"] is None:
        return "-"
    interval = _interval(share, "{:.3f}")
    return f"{share['value']:.3f}" + (f" ({interval})" if interval else "")


def _interval(value: Facts, form: str = "{:.4g}") -> str:
    return " to ".join(form.format(end) for end in value["interval"] or ())


def _rest(shown: int, count: int, which: str) -> str:
    text = f"\n\nThese are the {shown} {which}, of {count:,}; `model.json` has all."
    return text if shown < count else ""


def _unfrozen(what: str | int) -> str:
    if what == "all":
        return "backbone"
    if isinstance(what, int):
        return f"the last {what} blocks" if what > 1 else "the last block"
    return f"backbone from {escaped(what)} on"


def training_section(facts: Facts) -> list[str]:
    """A row a phase; all settings are in the calls below and in model.json."""
    rows = []
    for phase in facts["training"]:
        settings = phase["settings"]
        metrics = {k: v for k, v in phase["metrics"].items() if k.startswith("val_")}
        unfrozen = settings["unfreeze"]
        augment = phase["augment"]
        rows.append(
            [
                escaped(settings["name"]),
                "head" if unfrozen is None else f"head and {_unfrozen(unfrozen)}",
                f"{phase['epochs_run']} of {settings['epochs']}",
                phase["kept"],
                f"{settings['learning_rate']:g}",
                str(settings["batch_size"]),
                _NOT_RECORDED if augment is None else escaped(", ".join(augment)) or "none",
                ", ".join(
                    f"{title_of(name.removeprefix('val_'))} {number_text(value)}"
                    for name, value in metrics.items()
                )
                or "-",
                f"{phase['seconds']:,}",
            ]
        )
    head = ["phase", "trained", "epochs", "kept epoch", "peak rate", "batch", "augmentation"]
    return [table([*head, "validation, kept epoch", "seconds"], rows)] if rows else ["Untrained."]

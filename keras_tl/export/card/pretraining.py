"""Where the weights of a backbone come from, without the paths of the machine."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from keras_tl.backbones.catalogue import get_spec
from keras_tl.backbones.layer import Backbone
from keras_tl.base.config import ULMFIT
from keras_tl.base.files import sha256_of_folder
from keras_tl.errors import BackboneError
from keras_tl.models.sources import KERASHUB, RUN, TFHUB
from keras_tl.runs.ancestry import LANGUAGE_MODEL, TRAINING
from keras_tl.runs.history import PhaseRecord

# What the first of all weights are, by what stands in front of their place.
_KINDS = {TFHUB: "TF-Hub module", KERASHUB: "KerasHub preset", ULMFIT: LANGUAGE_MODEL, RUN: "run"}
IMAGENET, RANDOM, OTHER = "ImageNet", "random", "other"


def public_place(text: str) -> str:
    """A name as it is, of a path its last part, of a URL all but who asks and how.

    What stands in front, such as `tfhub:`, stays.
    """
    kind = next((kind for kind in _KINDS if text.startswith(kind)), "")
    place = text.removeprefix(kind)
    url = urlsplit(place) if "://" in place else None
    if url is None or url.scheme == "file":
        return kind + (place.replace("\\", "/").rstrip("/").rpartition("/")[2] or ".")
    host = url.netloc.rpartition("@")[2]
    return f"{kind}{url.scheme}://{host}{url.path}"


def pretraining_facts(run: Mapping[str, Any], backbone: Backbone) -> dict[str, Any]:
    """What is known of a backbone's weights from before the training.

    Args:
        run: what a run records.
        backbone: its backbone.

    Returns:
        JSON types. `weights`: those that were taken, `None` for random ones; `kind`: of the first
        weights in their ancestry, of which `source` and `licence` are, each `None` where it is not
        recorded; `module_sha256`: of a TF-Hub module's files; `ancestry`: what they were trained
        on, the latest first.
    """
    ancestry = run["ancestry"]
    first = ancestry[-1] if ancestry else run
    source = licence = None
    if first.get("kind") == LANGUAGE_MODEL:
        kind, source = LANGUAGE_MODEL, first.get("source")
    else:
        given = first["weights"]
        kind = _kind_of(given)
        if kind == IMAGENET:
            source, licence = _source_and_licence(run["config"]["backbone"])
        elif kind in _KINDS.values():
            source = public_place(given)
    return {
        "weights": None if run["weights"] is None else public_place(run["weights"]),
        "kind": kind,
        "source": source,
        "licence": licence,
        "module_sha256": None if backbone.module is None else sha256_of_folder(backbone.module),
        "ancestry": [_ancestor(entry) for entry in ancestry],
    }


def _kind_of(weights: str | None) -> str:
    if weights is None:
        return RANDOM
    if weights == "imagenet":
        return IMAGENET
    return next((name for kind, name in _KINDS.items() if weights.startswith(kind)), OTHER)


def _source_and_licence(backbone: str) -> tuple[str | None, str | None]:
    try:
        weights = get_spec(backbone).weights
    except BackboneError:  # One that the user registered, in another process.
        weights = None
    return (None, None) if weights is None else (weights.source, weights.licence)


def _ancestor(entry: Mapping[str, Any]) -> dict[str, Any]:
    phases = [phase_facts(record) for record in entry.get("history", ())]
    if entry["kind"] == TRAINING:
        known = {
            "weights": None if entry["weights"] is None else public_place(entry["weights"]),
            **{name: entry[name] for name in ("task", "class_names", "data")},
        }
    else:
        known = {name: entry.get(name) for name in ("source", "texts", "tokens")}
    return {"kind": entry["kind"]} | known | {"phases": phases}


def phase_facts(record: Mapping[str, Any]) -> dict[str, Any]:
    """A phase that ran.

    Args:
        record: `PhaseRecord.to_json`.

    Returns:
        JSON types: its `settings`, `augment`, `epochs_run`, `kept_epoch` (0: none was better than
        before; `None`: the weights are of no epoch), the same in words as `kept`, `metrics`
        after the kept epoch, `seconds`.
    """
    read = PhaseRecord.from_json(record)
    return {
        "settings": record["phase"],
        "augment": None if record.get("augment") is None else list(record["augment"]),
        "epochs_run": len(record["epochs"]),
        "kept_epoch": None if read.is_average else read.best_epoch,
        "kept": read.kept,
        "metrics": dict(read.kept_values),
        "seconds": round(record["seconds"], 1),
    }

"""What weights were trained on before they came here, as far as runs have recorded it."""

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

from keras_tl.data.labelled_data import LabelledData
from keras_tl.errors import DataError
from keras_tl.runs.history import PhaseRecord

# Kinds of what is in an ancestry.
TRAINING, LANGUAGE_MODEL = "training", "language model"


def ancestry_of(about: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """What a run says of its training, before what it says of its backbone's earlier ones.

    Args:
        about: what is in a run's `run.json`.

    Returns:
        `Backbone.ancestry` of a backbone that is taken from the run.
    """
    data = about["data"]
    training = {
        "kind": TRAINING,
        "weights": about["weights"],
        "task": about["config"]["task"],
        "class_names": list(about["config"]["class_names"]),
        "data": data and data["splits"].get("train"),
        "history": about["history"],
    }
    return (training, *about.get("ancestry", ()))


def learned_splits(ancestry: Iterable[Mapping[str, Any]], data: LabelledData) -> tuple[str, ...]:
    """Return the names of the splits whose items, with labels, a backbone was fine-tuned on.

    Runs record one fingerprint of their training split. So exactly the same split is recognised,
    and that of `fit(refit=True)`, which holds all items; other draws of the same items are not. A
    language model has seen texts without labels.

    Args:
        ancestry: of the backbone, see `ancestry_of`.
        data: labelled items.
    """
    prints = {
        (entry["data"] or {}).get("fingerprint")
        for entry in ancestry
        if entry["kind"] == TRAINING
        and any(PhaseRecord.from_json(row).changed_backbone for row in entry["history"])
    }
    prints.discard(None)
    if not prints:
        return ()
    names = tuple(data.splits)
    with contextlib.suppress(DataError):  # Pixels of different shapes were never trained on as one.
        if data.joined(names).identity in prints:
            return names
    return tuple(name for name in names if data.split(name).identity in prints)

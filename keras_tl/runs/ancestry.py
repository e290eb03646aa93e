"""Ancestry: earlier trainings of the weights of a backbone, as recorded by runs."""

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

from keras_tl.data.labelled_data import LabelledData
from keras_tl.errors import DataError
from keras_tl.runs.history import PhaseRecord

# Kinds of entries.
TRAINING, LANGUAGE_MODEL = "training", "language model"


def ancestry_of(about: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """Return the training that a run records, followed by the earlier trainings of its backbone.

    Args:
        about: Content of the `run.json` of a run.

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
    """Return the names of the splits whose labelled items a backbone was fine-tuned on.

    A run records one fingerprint of its training split. So this function recognises exactly the
    same split, and the split of `fit(refit=True)`, which holds all items. It does not recognise
    other draws of the same items. Language models saw texts without labels and do not count.

    Args:
        ancestry: Ancestry of the backbone, see `ancestry_of`.
        data: Labelled items.
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
    with contextlib.suppress(DataError):  # Training never joins pixels of different shapes.
        if data.joined(names).identity in prints:
            return names
    return tuple(name for name in names if data.split(name).identity in prints)

"""Ancestry: the earlier trainings of a backbone's weights, as saved runs record them."""

import contextlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from keras_tl.data.labelled_data import LabelledData
from keras_tl.errors import DataError
from keras_tl.runs.history import PhaseRecord

# Kinds of trainings in an ancestry.
TRAINING, LANGUAGE_MODEL = "training", "language model"


def ancestry_of(about: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """Return the training that a run records, followed by the earlier trainings of its backbone.

    Args:
        about: Content of the `run.json` of a saved run.

    Returns:
        Value of `Backbone.ancestry` for a backbone that is loaded from the saved run.
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


def learned_splits(
    ancestry: Iterable[Mapping[str, Any]],
    data: LabelledData,
    own: Collection[str | None] = (),
) -> tuple[str, ...]:
    """Return the names of the splits on which a backbone was fine-tuned with labels.

    A phase records one fingerprint of its whole training split. This function therefore recognises
    a split of `data` only if an earlier training split had exactly the same items. The function
    recognises all splits if an earlier training, such as `fit(refit=True)`, used all their items.
    The function recognises no split if the earlier training divided the same items at random in
    another way. The training of a language model does not count: it learns from texts without
    labels.

    Args:
        own: Fingerprints of the training splits on which the learner itself changed the backbone.
            If a fingerprint is unknown (`None`), the training split of `data` counts as learned.
    """
    prints = {*own}
    for entry in ancestry:
        if entry["kind"] == TRAINING:
            # An older version of keras_tl recorded only the data of the last phase.
            last = (entry["data"] or {}).get("fingerprint")
            records = map(PhaseRecord.from_json, entry["history"])
            prints |= {one.train_fingerprint or last for one in records if one.changed_backbone}
    prints.discard(None)
    names = tuple(data.splits)
    found = {"train"} if None in own else set()
    if prints:
        # Image arrays of different shapes cannot be joined.
        with contextlib.suppress(DataError):
            if data.joined(names).identity in prints:
                return names
        found |= {name for name in names if data.split(name).identity in prints}
    return tuple(name for name in names if name in found)

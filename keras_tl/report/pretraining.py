"""Origin of the weights of a backbone, without local paths."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from keras_tl.backbones.catalogue import get_spec
from keras_tl.base.config import ULMFIT
from keras_tl.base.files import sha256_of_folder
from keras_tl.errors import BackboneError
from keras_tl.models.source_kinds import KERASHUB, LEARNER, MODEL, RUN
from keras_tl.models.text_preprocessing import TFHUB
from keras_tl.report.data_facts import SplitFacts
from keras_tl.runs.ancestry import LANGUAGE_MODEL, TRAINING
from keras_tl.runs.history import PhaseRecord

IMAGENET, RANDOM, OTHER = "ImageNet", "random", "other"
# Kind of the original weights, by the prefix of their source.
_KINDS = {TFHUB: "TF-Hub module", KERASHUB: "KerasHub preset", ULMFIT: LANGUAGE_MODEL, RUN: "run"}
# Weights from a Python object have no path or URL: describe their origin in words.
_OBJECTS = {LEARNER: "weights of another learner", MODEL: "weights of the keras.Model"}


def public_place(text: str) -> str:
    """Return a name, path or URL without the parts that a report must not show.

    A path or a `file:` URL keeps only its last part. A URL with a host loses the user name, the
    password, the query and the fragment. A prefix of a source, such as `tfhub:`, stays.
    """
    kind = next((kind for kind in _KINDS if text.startswith(kind)), "")
    place = text.removeprefix(kind)
    url = urlsplit(place) if "://" in place else None
    if url is None or url.scheme == "file":
        return kind + (place.replace("\\", "/").rstrip("/").rpartition("/")[2] or ".")
    host = url.netloc.rpartition("@")[2]
    return f"{kind}{url.scheme}://{host}{url.path}"


def weights_text(weights: str | None) -> str:
    """Describe the origin of weights in words."""
    return "random" if weights is None else _OBJECTS.get(weights) or public_place(weights)


@dataclasses.dataclass(frozen=True)
class EarlierTraining:
    """An earlier training of a model's weights. A fact that the run does not record is `None`.

    Attributes:
        kind: Kind of training: `"training"` (of a learner) or `"language model"`.
        history: Records of the phases of this earlier training.
        weights: Origin of the weights before this earlier training.
        task: Task of the earlier learner.
        class_names: Class names of the earlier learner.
        data: Facts about the training split of the earlier learner.
        source: Source of the language model.
        texts: Number of texts that the language model was trained on.
        tokens: Number of tokens that the language model was trained on.
    """

    kind: str
    history: Sequence[PhaseRecord] = ()
    weights: str | None = None
    task: str | None = None
    class_names: Sequence[str] = ()
    data: SplitFacts | None = None
    source: str | None = None
    texts: int | None = None
    tokens: int | None = None

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Self:
        """Create the object from an entry of `keras_tl.runs.ancestry.ancestry_of`."""
        history = tuple(PhaseRecord.from_json(row) for row in entry.get("history", ()))
        if entry["kind"] == TRAINING:
            data = entry["data"] and SplitFacts(**entry["data"])
            weights = weights_text(entry["weights"])
            return cls(TRAINING, history, weights, entry["task"], entry["class_names"], data)
        known = {name: entry.get(name) for name in ("source", "texts", "tokens")}
        return cls(entry["kind"], history, **known)


@dataclasses.dataclass(frozen=True)
class Pretraining:
    """Facts about the weights of a backbone before the training.

    Attributes:
        weights: Origin of the weights before the training, in words.
        kind: Kind of the original weights: the weights before the earliest recorded training.
        source: Source of the original weights, or `None` if the run does not record the source.
        licence: Licence of the original weights, or `None` if the run does not record the licence.
        module_sha256: SHA-256 of the files of a TF-Hub module, or `None` for other backbones.
        ancestry: Earlier trainings of the weights, the latest training first.
    """

    weights: str
    kind: str
    source: str | None
    licence: str | None
    module_sha256: str | None
    ancestry: Sequence[EarlierTraining] = ()

    @classmethod
    def of(
        cls,
        backbone: str,
        weights: str | None,
        ancestry: Sequence[Mapping[str, Any]],
        module: Path | None,
    ) -> Self:
        """Create the facts from a run's records, see `keras_tl.runs.ancestry.ancestry_of`."""
        first = ancestry[-1] if ancestry else {"weights": weights}
        source = licence = None
        if first.get("kind") == LANGUAGE_MODEL:
            kind, source = LANGUAGE_MODEL, first.get("source")
        else:
            kind = _kind_of(first["weights"])
            if kind == IMAGENET:
                source, licence = _source_and_licence(backbone)
            elif kind in _KINDS.values():
                source = public_place(first["weights"])
        return cls(
            weights_text(weights),
            kind,
            source,
            licence,
            None if module is None else sha256_of_folder(module),
            tuple(map(EarlierTraining.of, ancestry)),
        )


def _kind_of(weights: str | None) -> str:
    if weights is None:
        return RANDOM
    if weights == "imagenet":
        return IMAGENET
    return next((name for kind, name in _KINDS.items() if weights.startswith(kind)), OTHER)


def _source_and_licence(backbone: str) -> tuple[str | None, str | None]:
    try:
        weights = get_spec(backbone).weights
    except BackboneError:  # The user registered this backbone in another process.
        weights = None
    return (None, None) if weights is None else (weights.source, weights.licence)

"""What a report shows of single items, kept in the run: it needs the data and past weights.

comparison.json                                   of a comparison with training from scratch
feature_map_before.json, feature_map_after.json   see `keras_tl.evaluation.feature_map`
top_losses.json                                   rows of the test split, and what they are
top_loss_<row>.jpg, top_loss_<row>_gradcam.jpg    of images
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import tensorflow as tf

from keras_tl.data.labelled_data import Split
from keras_tl.errors import ConfigError
from keras_tl.evaluation.feature_map import FeatureMap
from keras_tl.evaluation.gradcam import grad_cam, overlaid
from keras_tl.evaluation.outcomes import Outcomes
from keras_tl.evaluation.wording import shortened
from keras_tl.models.heads import TransferModel
from keras_tl.tasks import Task

BEFORE, AFTER = "before", "after"
# Of the items with the largest losses.
SHOWN = 12
_TOP, _COMPARISON = "top_losses.json", "comparison.json"
_ANSWERS = "top_loss"
_PREFIXES = ("feature_map_", _ANSWERS, _COMPARISON)
_LARGEST_SIDE, _QUALITY = 224, 88


@runtime_checkable
class Compared(Protocol):
    """A `keras_tl.comparison.result.Comparison`, whose package comes after this one."""

    what: dict[str, Any]
    skill: str
    sizes: Sequence[Any]
    verdicts: Sequence[Any]

    def sentences(self) -> dict[str, Any]:
        """What it says: `about`; of each of `sizes` its `title`, its `verdicts` and `ship`."""

    def to_json(self) -> dict[str, Any]:
        """All its numbers."""


@dataclasses.dataclass(frozen=True)
class Exhibits:
    """Files by their names, and how they are read.

    Attributes:
        files: what they hold.
    """

    files: Mapping[str, bytes] = dataclasses.field(default_factory=dict)

    @classmethod
    def among(cls, files: Mapping[str, bytes]) -> "Exhibits":
        """Those of the files of a run's results that are exhibits."""
        return cls({n: content for n, content in files.items() if n.startswith(_PREFIXES)})

    def with_files(self, files: Mapping[str, bytes]) -> "Exhibits":
        """These and others."""
        return Exhibits({**self.files, **files})

    def before_training(self) -> "Exhibits":
        """Those that stay true when the weights change.

        A comparison is of networks of its own, which were trained apart from this one.
        """
        true = _map_name(BEFORE), _COMPARISON
        return Exhibits({n: content for n, content in self.files.items() if n in true})

    def without_answers(self) -> "Exhibits":
        """Those that stay true when the test split is answered anew, or one of other data."""
        return Exhibits({n: c for n, c in self.files.items() if not n.startswith(_ANSWERS)})

    def without_maps_of(self, splits: Sequence[str]) -> "Exhibits":
        """Those that stay true when these splits are of other data."""
        found = {when: self.feature_map(when) for when in (BEFORE, AFTER)}
        gone = {_map_name(when) for when, one in found.items() if one and one.split in splits}
        return Exhibits({n: content for n, content in self.files.items() if n not in gone})

    def show(self, rows: np.ndarray, answers: Sequence[str] | None) -> bool:
        """Whether these items of the test split are among them, with what explains the answers.

        Args:
            rows: int array (n,).
            answers: of each of them, see `keras_tl.tasks.Task.question`; `None`:
                whatever is explained.
        """
        kept = self.top_items() or {}
        if not {*rows.tolist()} <= kept.keys():
            return False
        pairs = zip(rows.tolist(), answers or (), strict=answers is not None)
        return all(kept[row].get("seen", answer) == answer for row, answer in pairs)

    def explaining(self, answers: Sequence[str]) -> "Exhibits":
        """Those that stay true with these answers: no Grad-CAM that explains another one.

        Args:
            answers: of each item of the test split, see `keras_tl.tasks.Task.question`.
        """
        items = list((self.top_items() or {}).values())
        wrong = [one for one in items if one.get("seen") not in (None, answers[one["row"]])]
        if not wrong:
            return self
        gone = {one.pop("gradcam") for one in wrong}
        for one in wrong:
            one["seen"] = None
            del one["places"]
        kept = {n: c for n, c in self.files.items() if n not in gone}
        return Exhibits(kept | {_TOP: json.dumps(items).encode()})

    def comparison(self) -> dict[str, Any] | None:
        """What `keep_comparison` kept: `Comparison.to_json` and its `sentences`; else `None`."""
        content = self.files.get(_COMPARISON)
        return None if content is None else json.loads(content)

    def feature_map(self, when: str) -> FeatureMap | None:
        """The features before or after fine-tuning; `None` where they were not kept."""
        content = self.files.get(_map_name(when))
        return None if content is None else FeatureMap.from_bytes(content)

    def top_items(self) -> dict[int, dict[str, Any]] | None:
        """What the items with large losses are, by their rows in the test split.

        Returns:
            `place`, the end of the path of its file or `None`; `texts`, a list; of images
            `image` and, where there is one, `gradcam`, names of files; then also `seen`, the answer
            that it explains, and `places`, [height, width] of the feature maps; or `seen` alone,
            `None`, where another answer is given since. `None` where nothing was kept.
        """
        content = self.files.get(_TOP)
        return None if content is None else {one["row"]: one for one in json.loads(content)}

    def pixels(self, name: str) -> np.ndarray:
        """An image of `top_items` by its file's name, uint8 (height, width, 3)."""
        return tf.io.decode_jpeg(self.files[name], channels=3).numpy()


def keep_map(when: str, found: FeatureMap) -> dict[str, bytes]:
    """The file of a feature map."""
    return {_map_name(when): found.to_bytes()}


def keep_comparison(given: Compared, task: Task) -> dict[str, bytes]:
    """The file of a comparison with training from scratch.

    Args:
        given: the comparison.
        task: of the model that is reported.

    Raises:
        ConfigError: it is something else, or of another task or other classes.
    """
    if not isinstance(given, Compared):
        raise ConfigError(
            "Expected comparison= as the Comparison that keras_tl.compare() gives after its runs, "
            f"or Comparison.load(folder). Received: {type(given).__name__}."
        )
    model = given.what["model"]
    there, here = (
        f"{kind} of {', '.join(names) or 'a number'}"
        for kind, names in (
            (model["task"], model["class_names"]),
            (task.kind, task.class_names),
        )
    )
    if there != here:
        raise ConfigError(
            f"Expected a comparison on the data of this model: {here}. Received one of {there}."
        )
    # Where it lies on the machine stays behind.
    values = {name: value for name, value in given.to_json().items() if name != "folder"}
    return {_COMPARISON: json.dumps({"sentences": given.sentences(), **values}).encode()}


def keep_top_items(
    rows: np.ndarray,
    split: Split,
    pixels: np.ndarray | None,
    parts: TransferModel,
    task: Task,
    outcomes: Outcomes,
) -> dict[str, bytes]:
    """The files of items with large losses.

    Args:
        rows: int array (n,), their numbers in the split.
        split: these items.
        pixels: (n, height, width, 3) in [0, 255] as the model sees them; `None`: of texts.
        parts: the model, outside of any strategy.
        task: of the model.
        outcomes: of the n items.
    """
    items = [
        {"row": int(row), "place": place, "texts": texts}
        for row, (place, texts) in zip(rows, _sources(split), strict=True)
    ]
    files: dict[str, bytes] = {}
    if pixels is not None:
        asked = task.question(outcomes.labels, outcomes.logits)
        heat = grad_cam(parts, pixels, asked)
        seen = None if heat is None else overlaid(pixels, heat)
        for number, one in enumerate(items):
            one["image"] = f"top_loss_{one['row']}.jpg"
            files[one["image"]] = _jpeg(pixels[number])
            if seen is not None:
                one["gradcam"] = f"top_loss_{one['row']}_gradcam.jpg"
                one |= {"seen": asked.names[number], "places": list(heat.shape[1:])}
                files[one["gradcam"]] = _jpeg(seen[number])
    return {_TOP: json.dumps(items).encode(), **files}


def _sources(split: Split) -> list[tuple[str | None, list[str]]]:
    """Of each item where it comes from, and its texts."""
    if split.sources is None:
        return [(None, [])] * len(split)
    if split.in_files:
        return [(_end_of(path), []) for path in split.sources]
    items = ([item] if isinstance(item, str) else item for item in split.sources)
    return [(None, [*map(shortened, texts)]) for texts in items]


def _end_of(path: str) -> str:
    # A report is passed on: where the data lie on the machine stays behind. Names of files may be
    # no Unicode.
    return "/".join(Path(path).parts[-2:]).encode("utf-8", "replace").decode()


def _map_name(when: str) -> str:
    return f"feature_map_{when}.json"


def _jpeg(image: np.ndarray) -> bytes:
    """A JPEG file, not larger than it is shown."""
    height, width = image.shape[:2]
    if max(height, width) > _LARGEST_SIDE:
        scale = _LARGEST_SIDE / max(height, width)
        size = (max(round(height * scale), 1), max(round(width * scale), 1))
        image = tf.image.resize(image, size, antialias=True).numpy()
    pixels = tf.cast(np.clip(image, 0, 255).round(), tf.uint8)
    return tf.io.encode_jpeg(pixels, quality=_QUALITY, chroma_downsampling=False).numpy()

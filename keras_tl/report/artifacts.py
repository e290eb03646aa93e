"""Artifacts: files that a run stores for its report.

A run stores artifacts, because their computation needs the data or earlier weights of the model.

comparison.json                                   comparison with training from scratch
feature_map_before.json, feature_map_after.json   see `keras_tl.evaluation.pca_projection`
top_losses.json                                   facts about test items with the largest losses
top_loss_<row>.jpg, top_loss_<row>_gradcam.jpg    pictures of these items (only for images)
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
from keras_tl.evaluation.gradcam import grad_cam, overlaid
from keras_tl.evaluation.pca_projection import PcaProjection
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.evaluation.wording import shortened
from keras_tl.models.heads import TransferModel
from keras_tl.tasks import Task

BEFORE, AFTER = "before", "after"
# Number of items with the largest losses that the report shows.
SHOWN = 12
_TOP, _COMPARISON = "top_losses.json", "comparison.json"
_ANSWERS = "top_loss"
_PREFIXES = ("feature_map_", _ANSWERS, _COMPARISON)
_LARGEST_SIDE, _QUALITY = 224, 88


@runtime_checkable
class ComparisonResult(Protocol):
    """Interface of `keras_tl.comparison.result.Comparison`, which this package must not import."""

    @property
    def what(self) -> dict[str, Any]:
        """Model, metric and budget of the comparison."""

    @property
    def skill(self) -> str:
        """Name of the metric that the comparison uses."""

    @property
    def sizes(self) -> Sequence[Any]:
        """Results of the comparison for each number of training items."""

    @property
    def verdicts(self) -> Sequence[Any]:
        """Verdicts on the variants (arms) of the model that start from pretrained weights."""

    def sentences(self) -> dict[str, Any]:
        """Return the comparison in words: `about` and `sizes` of `Comparison.sentences`."""

    def to_json(self) -> dict[str, Any]:
        """Return all numbers of the comparison as JSON types."""


@dataclasses.dataclass(frozen=True)
class Artifacts:
    """Artifact files (content by file name), and methods that read them."""

    files: Mapping[str, bytes] = dataclasses.field(default_factory=dict)

    @classmethod
    def among(cls, files: Mapping[str, bytes]) -> "Artifacts":
        """Select the artifacts among the result files of a run."""
        return cls({n: content for n, content in files.items() if n.startswith(_PREFIXES)})

    def with_files(self, files: Mapping[str, bytes]) -> "Artifacts":
        """Return a copy that also has the given files."""
        return Artifacts({**self.files, **files})

    def before_training(self) -> "Artifacts":
        """Return the artifacts that remain valid when the weights change.

        The PCA projection before fine-tuning and a comparison with training from scratch do not use
        the changed weights.
        """
        true = _projection_name(BEFORE), _COMPARISON
        return Artifacts({n: content for n, content in self.files.items() if n in true})

    def without_answers(self) -> "Artifacts":
        """Return the artifacts that do not depend on the predictions for the test split."""
        return Artifacts({n: c for n, c in self.files.items() if not n.startswith(_ANSWERS)})

    def without_projections_of(self, splits: Sequence[str]) -> "Artifacts":
        """Return a copy without the PCA projections of `splits`: their data have changed."""
        found = {when: self.pca_projection(when) for when in (BEFORE, AFTER)}
        gone = {
            _projection_name(when) for when, one in found.items() if one and one.split in splits
        }
        return Artifacts({n: content for n, content in self.files.items() if n not in gone})

    def show(self, rows: np.ndarray, answers: Sequence[str] | None) -> bool:
        """Return whether files show all items in `rows`, with Grad-CAMs that explain `answers`.

        `rows` are rows of the test split, and `answers` the predictions for these rows. If
        `answers` is `None`, the Grad-CAMs may explain any predictions.
        """
        kept = self.top_items() or {}
        if not {*rows.tolist()} <= kept.keys():
            return False
        pairs = zip(rows.tolist(), answers or (), strict=answers is not None)
        return all(kept[row].get("seen", answer) == answer for row, answer in pairs)

    def explaining(self, answers: Sequence[str]) -> "Artifacts":
        """Return a copy without the Grad-CAMs that explain predictions other than `answers`."""
        items = list((self.top_items() or {}).values())
        wrong = [one for one in items if one.get("seen") not in (None, answers[one["row"]])]
        if not wrong:
            return self
        gone = {one.pop("gradcam") for one in wrong}
        for one in wrong:
            one["seen"] = None
            del one["places"]
        kept = {n: c for n, c in self.files.items() if n not in gone}
        return Artifacts(kept | {_TOP: json.dumps(items).encode()})

    def comparison(self) -> dict[str, Any] | None:
        """Return the comparison as JSON types, or `None` if the run has no comparison."""
        content = self.files.get(_COMPARISON)
        return None if content is None else json.loads(content)

    def pca_projection(self, when: str) -> PcaProjection | None:
        """Return the PCA projection before or after fine-tuning, or `None` if it was not kept."""
        content = self.files.get(_projection_name(when))
        return None if content is None else PcaProjection.from_bytes(content)

    def top_items(self) -> dict[int, dict[str, Any]] | None:
        """Return the facts of the items with the largest losses, by row in the test split.

        Returns:
            Dict from row to facts, or `None` if the run has no facts of items. Each item has
            `place` (end of the path of its file, or `None`), `texts` (list of its texts) and, for
            images, `image` (file name). An item with a Grad-CAM also has `gradcam` (file name),
            `seen` (the prediction that the Grad-CAM explains) and `places` ([height, width] of the
            feature maps). If the prediction changed later, `seen` is `None`, and `gradcam` and
            `places` are missing.
        """
        content = self.files.get(_TOP)
        return None if content is None else {one["row"]: one for one in json.loads(content)}

    def pixels(self, name: str) -> np.ndarray:
        """Decode an image file that `top_items` names: uint8 (height, width, 3)."""
        return tf.io.decode_jpeg(self.files[name], channels=3).numpy()


def keep_projection(when: str, found: PcaProjection) -> dict[str, bytes]:
    """Return a PCA projection as a dict from the name of its file to the content of the file."""
    return {_projection_name(when): found.to_bytes()}


def keep_comparison(given: ComparisonResult, task: Task) -> dict[str, bytes]:
    """Return a comparison as a dict from the name of its file to the content of the file.

    Raises:
        ConfigError: `given` is not a comparison, or its task or classes differ from `task`.
    """
    if not isinstance(given, ComparisonResult):
        raise ConfigError(
            "Expected comparison= as a Comparison, from keras_tl.compare() without dry_run=True, "
            f"or from Comparison.load(path). Received: {type(given).__name__}."
        )
    model = given.what["model"]
    there, here = (
        f"{kind} of {', '.join(names) or 'a number'}"
        for kind, names in ((model["task"], model["class_names"]), (task.kind, task.class_names))
    )
    if there != here:
        raise ConfigError(
            f"Expected a comparison with the task and classes of this model: {here}. Received: "
            f"{there}. Run keras_tl.compare() on the data of this model."
        )
    # The report must not contain local paths.
    values = {name: value for name, value in given.to_json().items() if name != "folder"}
    return {_COMPARISON: json.dumps({"sentences": given.sentences(), **values}).encode()}


def keep_top_items(
    rows: np.ndarray,
    split: Split,
    pixels: np.ndarray | None,
    parts: TransferModel,
    task: Task,
    record: PredictionRecord,
) -> dict[str, bytes]:
    """Return files about the items with the largest losses: a dict from name to content.

    Args:
        rows: Rows of the items in the test split, int array (n,).
        split: Split that contains only the n items.
        pixels: Images as the model receives them, (n, height, width, 3) in [0, 255], or `None` for
            texts.
        parts: The transfer model, which must not belong to a distribution strategy.
        task: Task of the model.
        record: Prediction record of the n items.
    """
    items = [
        {"row": int(row), "place": place, "texts": texts}
        for row, (place, texts) in zip(rows, _sources(split), strict=True)
    ]
    files: dict[str, bytes] = {}
    if pixels is not None:
        asked = task.question(record.labels, record.logits)
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
    """Return, for each item, the end of its file path (or `None`) and its texts."""
    if split.sources is None:
        return [(None, [])] * len(split)
    if split.in_files:
        return [(_end_of(path), []) for path in split.sources]
    items = ([item] if isinstance(item, str) else item for item in split.sources)
    return [(None, [*map(shortened, texts)]) for texts in items]


def _end_of(path: str) -> str:
    # People share reports, so hide the folders of this machine. File names may be invalid Unicode.
    return "/".join(Path(path).parts[-2:]).encode("utf-8", "replace").decode()


def _projection_name(when: str) -> str:
    # Saved runs contain files of these names.
    return f"feature_map_{when}.json"


def _jpeg(image: np.ndarray) -> bytes:
    """Encode an image as JPEG, after reducing it to at most the size that the report shows."""
    height, width = image.shape[:2]
    if max(height, width) > _LARGEST_SIDE:
        scale = _LARGEST_SIDE / max(height, width)
        size = (max(round(height * scale), 1), max(round(width * scale), 1))
        image = tf.image.resize(image, size, antialias=True).numpy()
    pixels = tf.cast(np.clip(image, 0, 255).round(), tf.uint8)
    return tf.io.encode_jpeg(pixels, quality=_QUALITY, chroma_downsampling=False).numpy()

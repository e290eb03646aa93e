"""`FrozenFeatures`: computes the features of each split once, for all uses of the features."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from keras_tl.base.config import CacheConfig
from keras_tl.data.labelled_data import Split
from keras_tl.features.extraction import BatchRunner
from keras_tl.features.fingerprints import WeightsFingerprint
from keras_tl.features.store import Features, FeatureStore


class FrozenFeatures:
    """Computes and stores the features of all splits of the data. A frozen backbone runs once per
    item.

    Head training, cross-validation, preflight, backbone ranking and comparisons use the stored
    features. A fine-tuned backbone's features stay in memory, because no other process needs them.

    Args:
        runner: Runs the Keras model that maps inputs of the backbone to float32 features
            (batch, ...).
        backbone: Backbone layer. A fingerprint of the backbone's weights is a part of the key of
            stored features.
        about: Network, pooling and other settings that change the features, as JSON types.
        item: Word for one item, `"image"` or `"text"`, a part of the key of stored features.

    Attributes:
        store: Store of the features that the backbone computes with its original weights.
        weights: Function that returns the fingerprint of the current weights of the backbone.
        is_original: Whether the backbone has its original weights.
    """

    def __init__(
        self, runner: BatchRunner, backbone: keras.layers.Layer, about: dict[str, Any], item: str
    ):
        self.store = FeatureStore(CacheConfig())
        self.is_original = True
        self.weights = WeightsFingerprint(backbone)
        self._runner = runner
        self._about = about
        self._item = item
        self._tuned = FeatureStore(CacheConfig("memory"))

    @property
    def are_kept(self) -> bool:
        """Whether features are stored, so that the backbone runs only once per item."""
        return self.store.config.where != "off"

    def keep_in(self, config: CacheConfig) -> None:
        """If `config` is new, replace the feature store, and forget the features in memory."""
        if config != self.store.config:
            self.store = FeatureStore(config)

    def backbone_changes(self) -> None:
        """Record that training will change the backbone. From now on, store features in memory."""
        self.is_original = False
        self._tuned = FeatureStore(CacheConfig("memory"))

    def backbone_is_restored(self) -> None:
        """Record that the backbone has its original weights again, bit for bit."""
        self.is_original = True

    def adopt(self, split: Split, rows: np.ndarray) -> None:
        """Store features that were computed before, so that the backbone need not run."""
        self._place.get(self.key(split), self._shape(split), lambda: iter([rows]))

    def of(self, split: Split) -> Features:
        """Return the features of a split. Missing features are computed and stored.

        Raises:
            CacheError: The features cannot be stored at the place that `CacheConfig` sets.
            DataError: An item of the split cannot be read.
        """
        return self._place.get(self.key(split), self._shape(split), lambda: self.batches(split))

    def has(self, split: Split) -> bool:
        """Return whether the features of a split are already stored."""
        return self._find(split) is not None

    def rows(self, split: Split, rows: np.ndarray) -> np.ndarray:
        """Return the features of the items `rows` of a split, float32 (len(rows), ...).

        Features that are not stored are computed.
        """
        if (found := self._find(split)) is not None:
            return found.read(rows)
        return np.concatenate([*self.batches(split.take(rows))])

    def batches(self, split: Split) -> Iterator[np.ndarray]:
        """Compute a split's features without the store, as float32 arrays (batch, ...)."""
        return self._runner.rows(split)

    def key(self, split: Split) -> dict[str, Any]:
        """Return all facts that the features of a split depend on, as JSON types."""
        return {
            f"{self._item}s": split.fingerprint(self.store.config.full_hash),
            "weights": self.weights(),
            **self._about,
        }

    @property
    def _place(self) -> FeatureStore:
        return self.store if self.is_original else self._tuned

    def _find(self, split: Split) -> Features | None:
        return self._place.find(self.key(split), self._shape(split)) if self.are_kept else None

    def _shape(self, split: Split) -> tuple[int, ...]:
        return (len(split), *self._runner.row_shape)

"""`FrozenFeatures`: the features of all splits, which everything cheap reads."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_tl.base.config import CacheConfig
from keras_tl.base.reporting import Reporter
from keras_tl.data.labelled_data import Split
from keras_tl.data.pipeline import Pipeline
from keras_tl.features.extraction import BatchRunner
from keras_tl.features.fingerprints import WeightsFingerprint
from keras_tl.features.rows import Features
from keras_tl.features.store import FeatureStore


class FrozenFeatures:
    """The features of all splits: a frozen backbone runs once per item.

    The head's training, cross-validation, the preflight, the ranking of backbones and comparisons
    read them here. Features of a fine-tuned backbone stay in memory: no other process will ask.

    Args:
        extractor: model from the backbone's inputs to float32 features (batch, ...).
        backbone: the layer inside, whose weights decide which features these are.
        about: everything else that features depend on, apart from the items; JSON types.
        pipeline: makes the extractor's inputs of a split.
        item: what messages call one item.
        strategy: where the extractor runs.
        reporter: shows progress.

    Attributes:
        store: keeps the features.
        weights: gives the fingerprint of the backbone's weights as they are now.
        is_original: whether the backbone still has the weights it came with.
    """

    def __init__(
        self,
        extractor: keras.Model,
        backbone: keras.layers.Layer,
        about: dict[str, Any],
        pipeline: Pipeline,
        item: str,
        strategy: tf.distribute.Strategy,
        reporter: Reporter,
    ):
        self.store = FeatureStore(CacheConfig())
        self.is_original = True
        self._row_shape = tuple(extractor.output_shape[1:])
        self._runner = BatchRunner(extractor, strategy)
        self.weights = WeightsFingerprint(backbone)
        self._about = about
        self._pipeline = pipeline
        self._item = item
        self._reporter = reporter
        self._tuned = FeatureStore(CacheConfig("memory"))

    @property
    def are_kept(self) -> bool:
        """Whether features are kept, so that asking again costs nothing."""
        return self.store.config.where != "off"

    def keep_in(self, config: CacheConfig) -> None:
        """Keeps the features as `config` says from now on; what is in memory stays if it can."""
        if config != self.store.config:
            self.store = FeatureStore(config)

    def backbone_changes(self) -> None:
        """Says that the backbone is about to be trained: its features are this process's own."""
        self.is_original = False
        self._tuned = FeatureStore(CacheConfig("memory"))

    def backbone_is_as_it_came(self) -> None:
        """Note that the backbone has its original weights again, bit for bit."""
        self.is_original = True

    def adopt(self, split: Split, rows: np.ndarray) -> None:
        """Keep known features of a split, so that the backbone does not run for them.

        Args:
            split: some items of a split whose features were read.
            rows: float32 array (n, ...), these features.
        """
        self._place.get(self.key(split), self._shape(split), lambda: iter([rows]))

    def of(self, split: Split) -> Features:
        """The features of a split: kept ones, or computed now and kept.

        Raises:
            CacheError: they cannot be kept where asked.
            DataError: an item cannot be read.
        """
        return self._place.get(self.key(split), self._shape(split), lambda: self.batches(split))

    def has(self, split: Split) -> bool:
        """Whether the features of a split are kept already."""
        return self._find(split) is not None

    def rows(self, split: Split, rows: np.ndarray) -> np.ndarray:
        """float32 array (len(rows), ...): features of some items of a split, kept or computed."""
        found = self._find(split)
        return (
            np.concatenate([*self.batches(split.take(rows))]) if found is None else found.read(rows)
        )

    def batches(self, split: Split) -> Iterator[np.ndarray]:
        """float32 arrays (batch, ...): features computed now, whatever is kept."""
        with self._reporter.bar("Extracting features", len(split)) as progress:
            yield from self._runner.rows(split, self._pipeline, progress)

    def key(self, split: Split) -> dict[str, Any]:
        """Everything that the features of a split depend on, as JSON types."""
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
        return (len(split), *self._row_shape)

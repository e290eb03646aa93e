"""Runs a model in inference mode over a split, once, on every replica there is."""

from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf

from keras_tl.data.pipeline import Pipeline, explain_unreadable
from keras_tl.data.sources import ImageSplit

BATCH_PER_REPLICA = 64


class BatchRunner:
    """A model, traced once, that is asked about whole splits.

    Args:
        model: float32 pixels (batch, height, width, 3) to one float32 tensor (batch, ...).
        strategy: each batch is shared out over its replicas.
    """

    def __init__(self, model: keras.Model, strategy: tf.distribute.Strategy):
        self._strategy = strategy
        # Keras's own predict would gather all batches in memory.
        self._function = tf.function(
            lambda batch: strategy.run(lambda pixels: model(pixels, training=False), (batch,)),
            autograph=False,
        )

    def rows(
        self,
        split: ImageSplit,
        pipeline: Pipeline,
        progress: Callable[[int], None] = lambda done: None,
    ) -> Iterator[np.ndarray]:
        """Yields the outputs in the split's order, a batch at a time, so that memory stays flat.

        Args:
            split: the images.
            pipeline: decodes them.
            progress: called with the number of images done so far.

        Yields:
            float32 arrays (batch, ...).

        Raises:
            DataError: a file cannot be read; the message names it.
        """
        left = len(split)
        batch_size = BATCH_PER_REPLICA * self._strategy.num_replicas_in_sync
        batches = pipeline.padded(split, batch_size)
        try:
            for batch in self._strategy.experimental_distribute_dataset(batches):
                parts = self._strategy.experimental_local_results(self._function(batch))
                rows = np.concatenate([part.numpy() for part in parts])[:left]
                left -= len(rows)
                progress(len(split) - left)
                yield rows
        except tf.errors.OpError as error:
            found = explain_unreadable(split)
            if found is None:
                raise
            raise found from error

"""Runs a frozen extractor over a split, once, on every replica there is."""

from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf

from keras_tl.data.pipeline import Pipeline, explain_unreadable
from keras_tl.data.sources import ImageSplit

EXTRACTION_BATCH = 64


def extract(
    extractor: keras.Model,
    split: ImageSplit,
    pipeline: Pipeline,
    strategy: tf.distribute.Strategy,
    progress: Callable[[int], None] = lambda done: None,
) -> Iterator[np.ndarray]:
    """Yields the features of a split in order, a batch at a time, so that memory stays flat.

    Args:
        extractor: pixels to features; runs in inference mode.
        split: the images.
        pipeline: decodes them.
        strategy: each batch is shared out over its replicas.
        progress: called with the number of images done so far.

    Yields:
        float32 arrays (batch, ...).

    Raises:
        DataError: a file cannot be read; the message names it.
    """
    if len(split) == 0:
        return
    batch_size = EXTRACTION_BATCH * strategy.num_replicas_in_sync
    batches = strategy.experimental_distribute_dataset(pipeline.padded(split, batch_size))

    @tf.function
    def features_of(batch):
        # The model's compiled predict would copy every batch into one growing array.
        return strategy.run(lambda pixels: extractor(pixels, training=False), args=(batch,))

    left = len(split)
    try:
        for batch in batches:
            parts = strategy.experimental_local_results(features_of(batch))
            rows = np.concatenate([part.numpy() for part in parts])[:left]
            left -= len(rows)
            progress(len(split) - left)
            yield rows
    except tf.errors.OpError as error:
        found = explain_unreadable(split)
        if found is None:
            raise
        raise found from error

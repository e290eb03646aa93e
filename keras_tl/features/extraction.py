"""Compute the outputs of a model for all items of a split, on all replicas."""

from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf

from keras_tl.base.reporting import Reporter, no_retracing_warnings
from keras_tl.data.labelled_data import Split
from keras_tl.data.pipeline import Pipeline

BATCH_PER_REPLICA = 64


class BatchRunner:
    """Runs a model on all items of a split. TensorFlow traces the model as a `tf.function`.

    Args:
        model: Model from the inputs of the pipeline to one float32 tensor (batch, ...).
        strategy: Distribution strategy, which divides each batch among its replicas.
        pipeline: Converts items to inputs of the model.
        title: Title of the progress bar that `reporter` shows.

    Attributes:
        row_shape: Shape of the model's output for one item.
    """

    def __init__(
        self,
        model: keras.Model,
        strategy: tf.distribute.Strategy,
        pipeline: Pipeline,
        reporter: Reporter,
        title: str,
    ):
        self.row_shape = tuple(model.output_shape[1:])
        self._strategy, self._pipeline = strategy, pipeline
        self._reporter, self._title = reporter, title
        # Do not use Keras's `predict`, which would gather all batches in memory.
        self._function = tf.function(
            lambda batch: strategy.run(lambda inputs: model(inputs, training=False), (batch,)),
            autograph=False,
            reduce_retracing=True,  # batches of texts have many lengths
        )

    def rows(self, split: Split) -> Iterator[np.ndarray]:
        """Yield the model's outputs in the order of the split, one batch at a time to save memory.

        Yields:
            Outputs of the model, float32 arrays (batch, ...).

        Raises:
            DataError: A file cannot be read. The error message names the file.
        """
        batch_size = BATCH_PER_REPLICA * self._strategy.num_replicas_in_sync
        with self._reporter.bar(self._title, len(split)) as progress:
            batches, order = self._pipeline.once(split, batch_size)
            computed = self._computed(batches, len(split), progress)
            try:
                if order is not None:
                    # Only text pipelines change the order of the items. The features of texts are
                    # vectors, small enough to sort in memory.
                    computed = [np.concatenate(list(computed))[np.argsort(order)]]
                yield from computed
            except tf.errors.OpError as error:
                found = self._pipeline.explain(split)
                if found is None:
                    raise
                raise found from error

    def _computed(
        self, batches: tf.data.Dataset, count: int, progress: Callable[[int], None]
    ) -> Iterator[np.ndarray]:
        left = count
        for batch in self._strategy.experimental_distribute_dataset(batches):
            with no_retracing_warnings():
                outputs = self._function(batch)
            parts = self._strategy.experimental_local_results(outputs)
            rows = np.concatenate([part.numpy() for part in parts])[:left]
            left -= len(rows)
            progress(count - left)
            yield rows

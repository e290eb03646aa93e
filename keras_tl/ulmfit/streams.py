"""Contiguous text in batches, for backpropagation through time that is cut short."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from keras_tl.errors import DataError

# How often the length is not halved, its standard deviation, and the shortest.
_WHOLE, _DEVIATION, _SHORTEST = 0.95, 5, 5


class TokenStream:
    """Batches of a stream of tokens, in its order.

    The stream is cut into `batch_size` rows; row i of a batch goes on where row i of the batch
    before ended. Fewer than `batch_size` tokens at its end, which would fill no row, are left out.

    Args:
        tokens: integers (n,).
        batch_size: rows.
        length: steps a batch; the last one may have fewer.
        seed: draws the length of each batch, as Merity et al., 2017 (arXiv:1708.02182, sec. 4.1):
            from a normal distribution of deviation 5 around `length`, or with probability 0.05
            around half of it, at least 5. They are drawn once and come in another order in every
            epoch, for all epochs to have as many batches. The paper's rescaling of the learning
            rate by the length, which was for SGD, is not done. `None`: always `length`.

    Raises:
        DataError: there are not two tokens for each row.
    """

    def __init__(self, tokens: np.ndarray, batch_size: int, length: int, seed: int | None = None):
        steps = (len(tokens) - 1) // batch_size
        if steps < 1:
            raise DataError(
                f"{len(tokens):,} tokens are too few for {batch_size} rows. Give more text, or a "
                "smaller batch size."
            )
        used = np.asarray(tokens, np.int32)[: steps * batch_size + 1]
        self._inputs = used[:-1].reshape(batch_size, steps)
        self._targets = used[1:].reshape(batch_size, steps)
        self._lengths = _draw_lengths(steps, length, seed)
        self._seed = seed
        # The epoch whose order `dataset` takes when it is gone through.
        self.epoch = 0

    @property
    def size(self) -> int:
        """Tokens that are predicted in an epoch."""
        return self._inputs.size

    def __len__(self) -> int:
        """Batches in an epoch."""
        return len(self._lengths)

    def lengths(self, epoch: int) -> list[int]:
        """Steps of each batch of an epoch, which counts from 0."""
        if self._seed is None:
            return self._lengths
        return np.random.default_rng([self._seed, epoch]).permutation(self._lengths).tolist()

    def batches(self, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Tokens and those that follow them, int32 (batch_size, length) each."""
        start = 0
        for length in self.lengths(epoch):
            part = slice(start, start + length)
            yield self._inputs[:, part], self._targets[:, part]
            start += length

    def dataset(self) -> tf.data.Dataset:
        """The batches of `epoch` as it is when an iteration begins."""
        signature = tf.TensorSpec((len(self._inputs), None), tf.int32)
        found = tf.data.Dataset.from_generator(
            lambda: self.batches(self.epoch), output_signature=(signature, signature)
        )
        return found.apply(tf.data.experimental.assert_cardinality(len(self))).prefetch(2)


def _draw_lengths(total: int, length: int, seed: int | None) -> list[int]:
    draws = None if seed is None else np.random.default_rng(seed)
    lengths = []
    while total:
        drawn = length
        if draws is not None:
            middle = length if draws.random() < _WHOLE else length / 2
            drawn = max(_SHORTEST, int(draws.normal(middle, _DEVIATION)))
        lengths.append(min(drawn, total))
        total -= lengths[-1]
    return lengths

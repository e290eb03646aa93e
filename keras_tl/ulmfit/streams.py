"""Batches of contiguous text, for truncated backpropagation through time."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from keras_tl.errors import DataError

# Distribution of random batch lengths: probability of the mean `length` (otherwise the mean is
# `length / 2`), standard deviation and minimum in tokens.
_WHOLE, _DEVIATION, _SHORTEST = 0.95, 5, 5


class TokenStream:
    """Iterator over batches of consecutive tokens, for training a language model.

    `TokenStream` cuts the tokens into `batch_size` rows. Row i of a batch continues row i of the
    previous batch. If the tokens cannot fill all rows equally, the last tokens are left out.

    Args:
        tokens: Token ids of all texts in one sequence, integers (n,).
        batch_size: Number of rows in a batch.
        length: Mean number of tokens per row of a batch. The last batch can be shorter.
        seed: Seed of random batch lengths, as in Merity et al., 2017 (arXiv:1708.02182, sec. 4.1).
            With `seed=None`, every batch has `length` tokens per row. Random batch lengths have a
            normal distribution with mean `length` (probability 0.95) or `length / 2` (probability
            0.05), standard deviation 5 and minimum 5. Each epoch has the same batch lengths in
            another order. Unlike Merity et al., keras_tl does not scale the learning rate in
            proportion to the batch length.

    Raises:
        DataError: There are fewer than `batch_size + 1` tokens.
    """

    def __init__(self, tokens: np.ndarray, batch_size: int, length: int, seed: int | None = None):
        steps = (len(tokens) - 1) // batch_size
        if steps < 1:
            raise DataError(
                f"{len(tokens):,} tokens are too few for {batch_size} rows. Pass more texts, or a "
                "smaller batch size."
            )
        used = np.asarray(tokens, np.int32)[: steps * batch_size + 1]
        self._inputs = used[:-1].reshape(batch_size, steps)
        self._targets = used[1:].reshape(batch_size, steps)
        self._lengths = _draw_lengths(steps, length, seed)
        self._seed = seed
        # Number of the current epoch, which determines the order of the batch lengths in `dataset`.
        self.epoch = 0

    def __len__(self) -> int:
        """Return the number of batches per epoch."""
        return len(self._lengths)

    def lengths(self, epoch: int) -> list[int]:
        """Return the length of each batch in an epoch. Epochs are counted from 0."""
        if self._seed is None:
            return self._lengths
        return np.random.default_rng([self._seed, epoch]).permutation(self._lengths).tolist()

    def batches(self, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield pairs of tokens and their next tokens, each int32 (batch_size, length)."""
        start = 0
        for length in self.lengths(epoch):
            part = slice(start, start + length)
            yield self._inputs[:, part], self._targets[:, part]
            start += length

    def dataset(self) -> tf.data.Dataset:
        """Return a data set of batches. Each iteration yields the batches of epoch `self.epoch`."""
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

"""tf.data pipelines of texts: each text is tokenized once, batches are padded as needed."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
import tensorflow as tf

from keras_tl.data.pipeline import OPTIONS, Pipeline, padded_rows, row_numbers, rows_of_epochs
from keras_tl.data.texts.text_split import TextSplit
from keras_tl.errors import ConfigError

Tokens = dict[str, tf.Tensor]

_AT_ONCE = 256
# Texts are sorted by length within groups of this many batches. With such groups, batches need
# little padding, and the order of the texts stays random enough.
_SORTED_BATCHES = 50
# Number of splits whose tokens stay in memory: the three splits of the data and one other split.
_KEPT = 4


class Preprocessor(Protocol):
    """Converts texts to tokens, see `keras_tl.backbones.texts`.

    Attributes:
        mask_name: Name of the output with the mask, which is 1 for tokens and 0 for padding.
    """

    mask_name: str

    def __call__(self, texts: tf.Tensor, pairs: tf.Tensor | None = None) -> Tokens:
        """Return integer tokens (batch, length) for each model input, by the name of the input."""


@dataclasses.dataclass(frozen=True)
class TokenRows:
    """Tokens of a split, without padding.

    Attributes:
        values: Concatenated tokens of all texts, for each model input.
        starts: Index in `values` of the first token of each text, followed by the number of all
            tokens, int64 array (n + 1,).
        padding: Padding value of each model input.
    """

    values: dict[str, np.ndarray]
    starts: np.ndarray
    padding: dict[str, int]

    @property
    def lengths(self) -> np.ndarray:
        """Number of tokens of each text, int64 array (n,)."""
        return np.diff(self.starts)


@dataclasses.dataclass(frozen=True)
class TextPipeline(Pipeline):
    """Converts the texts of a split to batches of tokens and labels. `augment` must be `None`.

    Attributes:
        preprocessor: Converter of texts to tokens. `None` means that the model takes strings.
        length: Number of tokens of each text after padding. `None` means the number of tokens of
            the longest text in the batch.
        names: Names of the model inputs. `None`: the model takes all outputs of the preprocessor.
        whole_batches: Whether repeated texts fill up the last batch, see
            `keras_tl.data.pipeline.row_numbers`.
    """

    preprocessor: Preprocessor | None
    length: int | None = None
    names: tuple[str, ...] | None = None
    whole_batches: bool = False
    _made: dict[int, tuple[TextSplit, TokenRows]] = dataclasses.field(default_factory=dict)

    def ordered(self, split: TextSplit, batch_size: int) -> tf.data.Dataset:
        """Return batches of (inputs, labels), the shortest texts first."""
        rows = row_numbers(len(split), batch_size if self.whole_batches else 1)
        order = tf.constant(self._by_length(split))
        batches = rows.map(lambda row: order[row]).batch(batch_size)
        return self._inputs_and_labels(batches, split)

    def shuffled(
        self, split: TextSplit, batch_size: int, seed: int, augment: Callable | None = None
    ) -> tf.data.Dataset:
        """Return training batches of (inputs, labels). A batch holds texts of similar length."""
        _refuse(augment)
        rows = padded_rows(len(split), batch_size if self.whole_batches else 1)
        are_sorted = self.preprocessor is not None and self.length is None
        lengths = self.tokens(split).lengths if are_sorted else np.zeros(len(split), np.int64)

        def batches(epoch: int) -> Iterator[np.ndarray]:
            rng = np.random.default_rng([seed, epoch])
            order, chunk = rng.permutation(rows), _SORTED_BATCHES * batch_size
            for start in range(0, len(order), chunk):
                near = order[start : start + chunk]
                near = near[np.argsort(lengths[near], kind="stable")]
                found = np.split(near, range(batch_size, len(near), batch_size))
                yield from (found[number] for number in rng.permutation(len(found)))

        count = tf.data.experimental.assert_cardinality(-(-len(rows) // batch_size))
        return self._inputs_and_labels(rows_of_epochs(batches).apply(count), split)

    def drawn(
        self,
        split: TextSplit,
        rows: tf.data.Dataset,
        batch_size: int,
        augment: Callable | None = None,
    ) -> tf.data.Dataset:
        """Return batches of (inputs, labels) of the given rows, see `Pipeline.drawn`."""
        _refuse(augment)
        return self._inputs_and_labels(rows.batch(batch_size), split)

    def once(self, split: TextSplit, batch_size: int) -> tuple[tf.data.Dataset, np.ndarray]:
        """Return batches of inputs, the longest texts first, so that lack of memory shows early."""
        order = self._by_length(split)[::-1]
        rows = row_numbers(len(split), batch_size).map(lambda row: tf.constant(order)[row])
        batches = rows.batch(batch_size, drop_remainder=True)
        return self._inputs_and_labels(batches, split).map(lambda inputs, labels: inputs), order

    def tokens(self, split: TextSplit) -> TokenRows:
        """Return the tokens of a split. The first call for a split computes the tokens."""
        # Keep the split too: after the deletion of a split, another split could get the same `id`.
        made = self._made.pop(id(split.texts), None) or (
            split,
            tokenize(split, self.preprocessor, self.names),
        )
        self._made[id(split.texts)] = made
        if len(self._made) > _KEPT:
            self._made.pop(next(iter(self._made)))
        return made[1]

    def _by_length(self, split: TextSplit) -> np.ndarray:
        if self.preprocessor is None:
            return np.arange(len(split))
        return np.argsort(self.tokens(split).lengths, kind="stable")

    def _inputs_and_labels(self, batches: tf.data.Dataset, split: TextSplit) -> tf.data.Dataset:
        labels = tf.constant(split.labels)
        if self.preprocessor is None:
            texts = tf.constant(split.texts)
            batches = batches.map(lambda rows: (tf.gather(texts, rows), tf.gather(labels, rows)))
            return batches.prefetch(2).with_options(OPTIONS)
        tokens = self.tokens(split)
        ragged = {
            name: tf.RaggedTensor.from_row_splits(values, tokens.starts, validate=False)
            for name, values in tokens.values.items()
        }
        shape = (None, self.length)

        def load(rows: tf.Tensor) -> tuple[Tokens, tf.Tensor]:
            inputs = {
                name: tf.gather(values, rows).to_tensor(tokens.padding[name], shape=shape)
                for name, values in ragged.items()
            }
            return inputs, tf.gather(labels, rows)

        batches = batches.map(load, num_parallel_calls=tf.data.AUTOTUNE)
        return batches.prefetch(2).with_options(OPTIONS)


def _refuse(augment: Callable | None) -> None:
    if augment is not None:
        raise ConfigError(
            "augment= works only for images. These data are texts. Leave augment= out."
        )


def tokenize(
    split: TextSplit, preprocessor: Preprocessor, names: tuple[str, ...] | None = None
) -> TokenRows:
    """Tokenize all texts of a split and drop the padding. `names` selects the model inputs."""
    segments = tuple(tf.constant(x) for x in (split.texts, split.pairs) if x is not None)
    dataset = tf.data.Dataset.from_tensor_slices(segments).batch(_AT_ONCE)
    dataset = dataset.map(preprocessor, num_parallel_calls=tf.data.AUTOTUNE)
    parts, counts = [], []
    for batch in dataset.as_numpy_iterator():
        lengths = used_length(batch[preprocessor.mask_name])
        counts.append(lengths)
        kept = np.arange(batch[preprocessor.mask_name].shape[1]) < lengths[:, None]
        parts.append({name: batch[name][kept] for name in names or batch})
    empty = preprocessor(*[tf.constant([""])] * len(segments))
    return TokenRows(
        values={name: np.concatenate([part[name] for part in parts]) for name in parts[0]},
        starts=np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64),
        padding={name: int(empty[name][0, -1]) for name in parts[0]},
    )


def used_length(mask: np.ndarray) -> np.ndarray:
    """Return the number of positions up to the last token in each row of a mask, int64 (batch,)."""
    mask = np.asarray(mask) != 0
    return np.where(mask.any(axis=1), mask.shape[1] - mask[:, ::-1].argmax(axis=1), 0)


def without_padding(tokens: Tokens, mask_name: str) -> Tokens:
    """Cut a batch of tokens to the length of its longest text, with TensorFlow operations."""
    used = tf.reduce_any(tokens[mask_name] != 0, axis=0)
    positions = tf.range(1, tf.size(used) + 1)
    longest = tf.reduce_max(tf.where(used, positions, tf.ones_like(positions)))
    return {name: values[:, :longest] for name, values in tokens.items()}

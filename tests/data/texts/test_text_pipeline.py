"""Batches of tokens: once a text, padded to the longest of the batch, in a repeatable order."""

import numpy as np
import pytest
import tensorflow as tf

from keras_tl.data.texts.text_pipeline import TextPipeline, tokenize, used_length, without_padding
from keras_tl.data.texts.text_split import TextSplit
from keras_tl.errors import ConfigError

LENGTH = 12
PAD = 9


class Letters:
    """Each letter is a token; `[mask]` and `[ids]` as a model might call them."""

    mask_name = "mask"
    calls = 0

    def __call__(self, texts, pairs=None):
        tf.py_function(self._count, [], [])
        if pairs is not None:
            texts = tf.strings.join([texts, pairs])
        letters = tf.strings.unicode_decode(texts, "UTF-8")
        ids = letters.to_tensor(PAD, shape=(None, LENGTH))
        mask = tf.ones_like(letters).to_tensor(0, shape=(None, LENGTH))
        return {"ids": ids, "mask": mask}

    def _count(self):
        self.calls += 1


def split_of(count, pairs=False):
    rng = np.random.default_rng(0)
    texts = tuple(
        "".join(chr(97 + n % 26) for _ in range(rng.integers(0, 8))) for n in range(count)
    )
    others = tuple("xyz"[: n % 4] for n in range(count)) if pairs else None
    return TextSplit(texts, others, np.arange(count))


def contents(inputs):
    """The letters of each row, padding left out."""
    ids, mask = inputs["ids"].numpy(), inputs["mask"].numpy()
    return ["".join(map(chr, row[used != 0])) for row, used in zip(ids, mask, strict=True)]


@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize("way", ["ordered", "shuffled"])
def test_every_text_comes_once_with_its_label(way, pairs):
    split = split_of(701, pairs)
    pipeline = TextPipeline(Letters())
    dataset = (
        pipeline.ordered(split, 16) if way == "ordered" else pipeline.shuffled(split, 16, seed=3)
    )
    assert int(dataset.cardinality()) == -(-701 // 16)
    found = {}
    for inputs, labels in dataset:
        found |= dict(zip(labels.numpy().tolist(), contents(inputs), strict=True))
    expected = [a + (split.pairs[n] if pairs else "") for n, a in enumerate(split.texts)]
    assert [found[n] for n in range(701)] == expected


def test_a_model_gets_only_the_tokens_that_it_takes():
    split = split_of(20)
    ((inputs, _),) = TextPipeline(Letters(), names=("ids",)).ordered(split, 20)
    ((every, _),) = TextPipeline(Letters()).ordered(split, 20)
    assert set(inputs) == {"ids"} < set(every)
    np.testing.assert_array_equal(inputs["ids"], every["ids"])


def test_batches_are_padded_to_their_longest_text_and_no_further():
    pipeline, split = TextPipeline(Letters()), split_of(800)
    widths = []
    for inputs, labels in pipeline.shuffled(split, 16, seed=0):
        longest = max(len(split.texts[n]) for n in labels.numpy())
        assert inputs["ids"].shape[1] == inputs["mask"].shape[1] == longest
        widths.append(longest)
        padding = inputs["ids"].numpy()[inputs["mask"].numpy() == 0]
        assert set(padding.tolist()) <= {PAD}
    assert len(set(widths)) > 3
    padded = sum(widths) * 16
    assert padded < 1.2 * sum(map(len, split.texts))


def test_a_fixed_length_is_kept():
    pipeline = TextPipeline(Letters(), length=LENGTH)
    for dataset in (pipeline.ordered(split_of(9), 4), pipeline.shuffled(split_of(9), 4, seed=0)):
        assert dataset.element_spec[0]["ids"].shape.as_list() == [None, LENGTH]
        assert all(inputs["ids"].shape[1] == LENGTH for inputs, _ in dataset)


def test_orders_are_repeatable_and_new_in_every_epoch():
    def epochs(seed):
        dataset = TextPipeline(Letters()).shuffled(split_of(200), 8, seed)
        return [[tuple(labels.numpy().tolist()) for _, labels in dataset] for _ in range(2)]

    first, again, other = epochs(0), epochs(0), epochs(1)
    assert first == again
    assert first[0] != first[1]
    assert first[0] != other[0]
    assert sorted(sum(first[0], ())) == list(range(200))


def test_once_says_which_rows_come_when():
    split = split_of(37)
    batches, order = TextPipeline(Letters()).once(split, 8)
    rows = [text for inputs in batches for text in contents(inputs)]
    assert len(rows) == 40
    assert rows[:37] == [split.texts[n] for n in order]
    assert sorted(order.tolist()) == list(range(37))
    lengths = [len(text) for text in rows[:37]]
    assert lengths == sorted(lengths, reverse=True)


def test_tokens_are_made_once_for_all_epochs_and_phases():
    letters = Letters()
    pipeline, split = TextPipeline(letters), split_of(50)
    list(pipeline.once(split, 8)[0])
    made = letters.calls
    assert made > 0
    for _ in range(2):
        list(pipeline.shuffled(split, 8, seed=0))
        list(pipeline.ordered(split, 8))
    assert letters.calls == made
    for count in range(51, 55):
        list(pipeline.ordered(split_of(count), 8))
        assert letters.calls > made
        made = letters.calls
    # What was unused for longest has been forgotten.
    list(pipeline.ordered(split, 8))
    assert letters.calls > made


def test_whole_batches_for_replicas():
    pipeline = TextPipeline(Letters(), whole_batches=True)
    for dataset in (pipeline.ordered(split_of(37), 8), pipeline.shuffled(split_of(37), 8, seed=0)):
        sizes = [len(labels) for _, labels in dataset]
        assert sizes == [8] * 5


def test_texts_as_they_are():
    split = TextSplit(("ä", "", "b c"), None, np.array([2, 0, 1]))
    ((texts, labels),) = TextPipeline(None).ordered(split, 4)
    assert [text.decode() for text in texts.numpy()] == list(split.texts)
    assert labels.numpy().tolist() == [2, 0, 1]
    with pytest.raises(ConfigError, match=r"augment= works only for images\. These data are texts"):
        TextPipeline(None).shuffled(split, 4, 0, augment=lambda x, y: (x, y))


def test_tokens_without_padding():
    rows = tokenize(TextSplit(("abc", "", "z"), None, np.zeros(3)), Letters())
    assert rows.lengths.tolist() == [3, 0, 1]
    assert rows.values["ids"].tolist() == [97, 98, 99, 122]
    assert rows.padding == {"ids": PAD, "mask": 0}


@pytest.mark.parametrize(
    ("mask", "lengths", "width"),
    [
        ([[1, 1, 0, 0], [1, 0, 0, 0]], [2, 1], 2),
        ([[0, 0, 0], [0, 0, 0]], [0, 0], 1),  # a model needs one position
        ([[0, 1, 0], [1, 1, 1]], [2, 3], 3),  # a hole is no end
    ],
)
def test_where_rows_end(mask, lengths, width):
    mask = np.array(mask)
    assert used_length(mask).tolist() == lengths
    cut = without_padding({"ids": tf.constant(mask * 5), "mask": tf.constant(mask)}, "mask")
    np.testing.assert_array_equal(cut["ids"], mask[:, :width] * 5)
    np.testing.assert_array_equal(cut["mask"], mask[:, :width])

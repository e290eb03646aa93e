"""Texts of TensorFlow Datasets as a corpus: which they are, how many, Wiki-40B's markers."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from keras_tl.errors import ConfigError, DataError
from keras_tl.ulmfit import tfds_texts
from tests.data.tfds import test_tf_data_sets

TEXT = tfds.features.Text()
NUMBER = tfds.features.Scalar(np.int64)
ARTICLE = (
    "\n_START_ARTICLE_\nTown {n}\n_START_PARAGRAPH_\nIt is small._NEWLINE_It is _old.\n"
    "\n_START_SECTION_\nHistory\n_START_PARAGRAPH_\n  None. "
)
LINES = "Town {n}\nIt is small.\nIt is _old.\nHistory\nNone."
# Features and the values of a row.
KINDS = {
    "wiki40b": (
        {"wikidata_id": TEXT, "text": TEXT, "version_id": TEXT},
        lambda n: {"wikidata_id": f"Q{n}", "text": ARTICLE.format(n=n), "version_id": "1"},
    ),
    "plain": ({"body": TEXT, "stars": NUMBER}, lambda n: {"body": f"Text {n}.", "stars": n}),
    "two": ({"title": TEXT, "body": TEXT}, lambda n: {"title": f"{n}", "body": f"Body {n}"}),
    "blank": ({"text": TEXT}, lambda n: {"text": " _NEWLINE_ \n" if n % 2 else f"Text {n}"}),
    "latin": ({"text": TEXT}, lambda n: {"text": b"caf\xe9"}),
    "no-text": ({"stars": NUMBER}, lambda n: {"stars": n}),
}
SPLITS = {"train": range(12), "validation": range(100, 104)}


@pytest.fixture
def prepare(tmp_path, monkeypatch):
    """Prepares a data set called `tiny`, of one of the kinds, and gives the options to read it."""

    def prepared(kind):
        monkeypatch.setitem(test_tf_data_sets.KINDS, "of-texts", KINDS[kind])
        folder = test_tf_data_sets.prepare(tmp_path / kind, "of-texts", SPLITS)
        return {"name": "tiny", "data_dir": folder, "download": False}

    return prepared


def test_an_article_is_a_text_of_lines(prepare):
    texts = tfds_texts(**prepare("wiki40b"), limit=None)
    assert sorted(texts) == sorted(LINES.format(n=n) for n in range(12))


def test_the_first_ones_are_read_and_no_more(prepare):
    where = prepare("plain")
    texts = tfds_texts(**where, limit=None)
    assert sorted(texts) == sorted(f"Text {n}." for n in range(12))
    assert tfds_texts(**where, limit=100) == texts
    # Damage the last of the texts: only who reads it gets an error.
    (file,) = where["data_dir"].rglob("*-train.tfrecord*")
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    for limit in (1, 11):
        assert tfds_texts(**where, limit=limit) == texts[:limit]
    with pytest.raises(tf.errors.DataLossError):
        tfds_texts(**where, limit=12)


def test_other_splits_and_parts_of_them_are_read(prepare):
    where = prepare("plain")
    half, other = (
        tfds_texts(**where, limit=None, split=split) for split in ("train[:50%]", "train[50%:]")
    )
    assert [*half, *other] == tfds_texts(**where, limit=None)
    held_out = tfds_texts(**where, limit=None, split="validation")
    assert sorted(held_out) == [f"Text {n}." for n in range(100, 104)]


def test_a_feature_is_chosen_and_empty_texts_are_left_out(prepare):
    bodies = tfds_texts(**prepare("two"), limit=2, text="body")
    assert all(body.startswith("Body ") for body in bodies)
    texts = tfds_texts(**prepare("blank"), limit=4)
    assert len(texts) == 4
    assert all(int(text.split()[1]) % 2 == 0 for text in texts)


# The kind, options, what the message says.
ERRORS = {
    "split": ("plain", {"split": "trian"}, r"no split 'trian'. Expected one of: train, validation"),
    "part": ("plain", {"split": "train[:x]"}, r"no split .*such as 'train\[:10%\]'"),
    "nothing": ("plain", {"split": "train[5:2]"}, r"'tiny' has no text in 'train\[5:2\]'"),
    "feature": ("plain", {"text": "bdy"}, "Unknown text feature 'bdy'. Did you mean 'body'"),
    "number": ("plain", {"text": "stars"}, "Unknown text feature 'stars'"),
    "several": ("two", {}, "several features that could be the text: .*Choose one, such as text="),
    "no-text": ("no-text", {}, "'tiny' has no text feature. Its features: stars"),
    "latin": ("latin", {}, "UTF-8, found invalid bytes in train row 0"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_what_cannot_be_read_is_explained(prepare, name):
    kind, options, reason = ERRORS[name]
    with pytest.raises(DataError, match=reason) as caught:
        tfds_texts(**prepare(kind), limit=None, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("limit", [0, 1.5, True])
def test_the_limit_is_checked_before_anything_is_opened(tmp_path, limit):
    with pytest.raises(ConfigError, match="limit must be a whole number of at least 1"):
        tfds_texts("absent", limit, data_dir=tmp_path)

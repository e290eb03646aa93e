"""Text data sets of TensorFlow Datasets: which features are read, and what labels they make."""

import numpy as np
import pytest
import tensorflow_datasets as tfds

from keras_tl import ImageData, TextData
from keras_tl.data import specs
from keras_tl.errors import ConfigError, DataError
from tests.data.tfds import test_tf_data_sets

NO_SPLITS = {"validation_split": 0, "test_split": 0}
FEATURES = tfds.features
TEXT = FEATURES.Text()
CLASS = FEATURES.ClassLabel(names=["neg", "pos"])


def several(*names):
    """Features that are texts, whose values are their name and the row's number."""
    return dict.fromkeys(names, TEXT), lambda n: {name: f"{name} {n}" for name in names}


def with_label(texts, feature=CLASS, value=lambda n: n % 2, name="label"):
    features, values = texts
    return features | {name: feature}, lambda n: values(n) | {name: value(n)}


SINGLE = with_label(several("text"))
MRPC = with_label(several("sentence1", "sentence2"))
# Features and the values of a row; as in GLUE, what is not published has the label -1.
KINDS = {
    "imdb": SINGLE,
    "sst2": with_label(with_label(several("sentence"), FEATURES.Scalar(np.int32), int, "idx")),
    "mrpc": MRPC,
    "qnli": with_label(several("question", "sentence")),
    "with-title": with_label(several("title", "text")),
    "own-names": with_label(several("tweet"), name="mood"),
    "own-pair": with_label(several("claim", "evidence", "source")),
    "several": with_label(several("headline", "body")),
    "stars": with_label(several("text"), FEATURES.Scalar(np.int64), lambda n: n % 5 + 1),
    "years": with_label(several("text"), FEATURES.Scalar(np.int64), lambda n: 1900 + 3 * n),
    "score": with_label(several("text"), FEATURES.Scalar(np.float32), lambda n: n / 2),
    "toxic": with_label(
        several("text"),
        FEATURES.Sequence(FEATURES.ClassLabel(names=["rude", "spam"])),
        lambda n: list(range(n % 3)),
    ),
    "text-label": with_label(several("text"), TEXT, lambda n: "ab"[n % 2], "kind"),
    "test-unpublished": with_label(several("sentence"), value=lambda n: -1 if n >= 100 else n % 2),
    "score-unpublished": with_label(
        several("sentence"),
        FEATURES.Scalar(np.float32),
        lambda n: -1 if n >= 100 else n / 2,
    ),
    "no-label": several("text"),
    "no-text": with_label(({}, lambda n: {})),
    "image": with_label(
        with_label(
            several("text"), FEATURES.Image(), lambda n: np.full((4, 4, 3), n, np.uint8), "image"
        )
    ),
    "latin": with_label(({"text": TEXT}, lambda n: {"text": b"caf\xe9" if n == 3 else b"x"})),
}


@pytest.fixture
def prepare(tmp_path, monkeypatch):
    """Prepares a data set called `tiny`, of one of the kinds."""

    def prepared(kind, splits=None, supervised=None):
        monkeypatch.setitem(test_tf_data_sets.KINDS, "of-texts", KINDS[kind])
        splits = {"train": range(24)} if splits is None else splits
        return test_tf_data_sets.prepare(tmp_path, "of-texts", splits, supervised=supervised)

    return prepared


def load(data_dir, **options):
    return TextData.from_tfds("tiny", data_dir=data_dir, download=False, **options)


# The kind, what the data set says itself, options; the features read, the task, the class names.
READ = {
    "imdb": ("imdb", ("text", "label"), {}, ("text", None), "binary", ("neg", "pos")),
    "sst2": ("sst2", None, {}, ("sentence", None), "binary", ("neg", "pos")),
    "mrpc": ("mrpc", None, {}, ("sentence1", "sentence2"), "binary", ("neg", "pos")),
    "qnli": ("qnli", None, {}, ("question", "sentence"), "binary", ("neg", "pos")),
    "one-of-a-pair": (
        "mrpc",
        None,
        {"text": "sentence2"},
        ("sentence2", None),
        "binary",
        ("neg", "pos"),
    ),
    "turned": (
        "mrpc",
        None,
        {"text": "sentence2", "text_pair": "sentence1"},
        ("sentence2", "sentence1"),
        "binary",
        ("neg", "pos"),
    ),
    "other-one": ("mrpc", None, {"text_pair": "sentence1"}, ("sentence2", "sentence1"), "binary",
                  ("neg", "pos")),
    "said": ("mrpc", ("sentence2", "label"), {}, ("sentence2", None), "binary", ("neg", "pos")),
    "said-pair": (
        "own-pair",
        (("claim", "evidence"), "label"),
        {},
        ("claim", "evidence"),
        "binary",
        ("neg", "pos"),
    ),
    "usual": ("with-title", None, {}, ("text", None), "binary", ("neg", "pos")),
    "own-names": ("own-names", None, {}, ("tweet", None), "binary", ("neg", "pos")),
    "given": ("several", None, {"text": "body"}, ("body", None), "binary", ("neg", "pos")),
    "stars": ("stars", None, {}, ("text", None), "multiclass", tuple("12345")),
    "years": ("years", None, {}, ("text", None), "regression", ()),
    "score": ("score", None, {}, ("text", None), "regression", ()),
    "toxic": ("toxic", None, {}, ("text", None), "multilabel", ("rude", "spam")),
    "text-label": ("text-label", None, {"label": "kind"}, ("text", None), "binary", ("a", "b")),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_which_features_are_read(prepare, name):
    kind, supervised, options, (text, pair), task, class_names = READ[name]
    data = load(prepare(kind, supervised=supervised), **options, **NO_SPLITS)
    assert (data.task, data.class_names) == (task, class_names)
    assert data.is_pair == (pair is not None)
    train = data.splits["train"]
    rows = [int(text.split()[1]) for text in train.texts]
    assert sorted(rows) == list(range(24))
    assert train.texts == tuple(f"{text} {n}" for n in rows)
    assert train.pairs == (None if pair is None else tuple(f"{pair} {n}" for n in rows))
    values = KINDS[kind][1]
    label = data.source_settings["label"]
    for row, found in zip(rows, train.labels, strict=True):
        said = values(row)[label]
        if task == "multilabel":
            assert found.tolist() == [float(n in said) for n in range(2)]
        elif kind == "stars":
            assert found == said - 1
        elif kind == "text-label":
            assert class_names[found] == said
        else:
            assert found == said
    again = load(prepare(kind, supervised=supervised), **{
        key: data.source_settings[key] for key in ("text", "text_pair", "label")
    }, **NO_SPLITS)  # fmt: skip
    assert again.describe() == data.describe()


@pytest.mark.parametrize("kind", ["test-unpublished", "score-unpublished"])
def test_a_split_without_published_labels_is_left_out(prepare, kind):
    splits = {"train": range(40), "validation": range(6), "test": range(100, 110)}
    data = load(prepare(kind, splits))
    assert {name: len(split) for name, split in data.splits.items()} == {
        "train": 34,
        "validation": 6,
        "test": 6,
    }


# The kind, options, what the message says.
ERRORS = {
    "several": (
        "several",
        {},
        r"several features that could be the text: (body, headline|headline, body)\. "
        r"Choose one, such as te",
    ),
    "no-text": ("no-text", {}, r"data set of texts with a label each. 'tiny' has no text among"),
    "no-label": ("no-label", {}, r"'tiny' has no label among its features: text"),
    "unknown": ("imdb", {"text": "txt"}, r"'tiny': Unknown feature 'txt'"),
    "unknown-pair": ("imdb", {"text_pair": "txt"}, r"'tiny': Unknown feature 'txt'"),
    "label-as-text": ("imdb", {"text": "label"}, r"Unknown text feature 'label'. .*'text'"),
    "label-as-pair": ("imdb", {"text_pair": "label"}, r"Unknown text feature 'label'"),
    "latin": ("latin", {}, r"UTF-8, found invalid bytes in train row \d+, line 1 of the text"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_a_data_set_that_cannot_be_used_is_explained(prepare, name):
    kind, options, message = ERRORS[name]
    with pytest.raises(DataError, match=message) as caught:
        load(prepare(kind), **options)
    assert "\n" not in str(caught.value)


def test_a_data_set_that_is_not_there_is_explained(tmp_path):
    with pytest.raises(DataError, match=r"'imdb_reviews' is not in .*copy the prepared data set"):
        TextData.from_tfds("imdb_reviews", data_dir=tmp_path, download=False)


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        ("imdb", {}, TextData),
        ("mrpc", {}, TextData),
        ("image", {}, ImageData),
        ("image", {"text": "text"}, TextData),
        ("image", {"image": "image"}, ImageData),
    ],
)
def test_a_data_set_by_its_name_on_the_command_line(prepare, kind, options, expected):
    where = {"data_dir": str(prepare(kind))}
    data = specs.load_spec("tfds:tiny", **where, **options, seed=3)
    assert type(data) is expected
    again = specs.load_spec("tfds:tiny", data.source_settings, **where, seed=3)
    assert again.describe() == data.describe()


def test_options_that_do_not_go_together_are_explained(tmp_path):
    with pytest.raises(ConfigError, match=r"image= \(--image-column\).* text= .*Pass only one"):
        specs.load_spec("tfds:tiny", data_dir=str(tmp_path), image="image", text="text")

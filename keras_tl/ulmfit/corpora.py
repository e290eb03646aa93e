"""Texts to pretrain on from TensorFlow Datasets (https://www.tensorflow.org/datasets)."""

import itertools
import os
import re
from collections.abc import Iterator

from keras_tl.base.config import check_range
from keras_tl.base.reporting import only_errors
from keras_tl.data.texts.text_values import as_text
from keras_tl.data.tfds.prepared import Prepared, open_prepared
from keras_tl.data.tfds.text_builders import text_features
from keras_tl.errors import DataError, quoted, unknown

# What Wiki-40B (Guo et al., LREC 2020) has in the place of line breaks.
_MARKERS = re.compile("_START_(?:ARTICLE|SECTION|PARAGRAPH)_|_NEWLINE_")


def tfds_texts(
    name: str,
    limit: int | None,
    split: str = "train",
    text: str | None = None,
    data_dir: str | os.PathLike | None = None,
    download: bool = True,
) -> list[str]:
    r"""The texts of a data set, for `pretrain` and `fine_tune_lm`; labels are not read.

    Each example is one text, such as an article. Its lines are separated by `\n`: the markers of
    Wiki-40B (`_START_ARTICLE_`, `_START_SECTION_`, `_START_PARAGRAPH_`, `_NEWLINE_`) become ends of
    lines, and empty lines and empty texts are left out.

    All that is returned is in memory, and so are its tokens in `pretrain`. The whole data set is
    fetched and kept on disk, whatever the limit is: `wiki40b/en` has 3.3 million articles in 10 GB
    (https://huggingface.co/datasets/google/wiki40b).

    Args:
        name: the data set's name, such as `"wiki40b/en"`; also one of your own that was prepared in
            `data_dir`, whose code is not needed.
        limit: the most texts, the first ones, in an order that is always the same; `None`: all.
        split: the data set's name of a split, or a part such as `"train[:10%]"`.
        text: the feature that is the text; `None`: the one there is, or what is called `text`.
        data_dir: the folder of prepared data sets; `None`: tfds's, `~/tensorflow_datasets`.
        download: download and prepare a data set that is not there.

    Returns:
        At least one text.

    Raises:
        DataError: there is no such data set, split or feature, it cannot be fetched, nothing says
            which feature is the text, or there is no text, or one that is not UTF-8.
        ConfigError: the limit is not a whole number of at least 1.
    """
    if limit is not None:
        check_range("limit", limit, 1, whole=True)
    with only_errors("absl"):
        found = open_prepared(name, data_dir, download, "text")
        texts = list(itertools.islice(_texts(found, split, _feature(found, text)), limit))
    if not texts:
        raise DataError(
            f"{quoted(name)} has no text in {quoted(split)}. Prepare it again, or name another."
        )
    return texts


def _feature(found: Prepared, given: str | None) -> str:
    features = text_features(found.builder)
    if given is not None and given not in features:
        raise DataError(f"{quoted(found.name)}: {unknown('text feature', given, features)}")
    if not features:
        raise DataError(
            f"Expected a data set of texts. {quoted(found.name)} has no text among its features: "
            f"{', '.join(found.features)}."
        )
    return given or found.pick("text", features, [found.supervised_keys[0], "text"])


def _texts(found: Prepared, split: str, feature: str) -> Iterator[str]:
    splits = found.builder.info.splits
    try:
        count = splits[split].num_examples
    except (KeyError, ValueError) as error:
        raise DataError(
            f"{quoted(found.name)} has no split {quoted(split)}. Expected one of: "
            f"{', '.join(splits)}; or a part of one, such as '{next(iter(splits))}[:10%]'."
        ) from error
    for row, example in enumerate(found.examples(split, [feature]) if count > 0 else ()):
        text = _MARKERS.sub("\n", as_text(example[feature], f"{split} row {row}"))
        lines = [line.strip() for line in text.split("\n")]
        if any(lines):
            yield "\n".join(filter(None, lines))

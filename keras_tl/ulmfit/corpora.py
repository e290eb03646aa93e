"""Reader of texts from TensorFlow Datasets, tfds (https://www.tensorflow.org/datasets)."""

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

# Markers that the data set Wiki-40B (Guo et al., LREC 2020) has in place of line breaks.
_MARKERS = re.compile("_START_(?:ARTICLE|SECTION|PARAGRAPH)_|_NEWLINE_")


def tfds_texts(
    name: str,
    limit: int | None,
    *,
    split: str = "train",
    text: str | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    download: bool = True,
) -> list[str]:
    r"""Return the texts of a data set, without labels, for `pretrain` and `fine_tune_lm`.

    Each example of the data set becomes one text, such as an article, with lines separated by `\n`.
    The function replaces the markers of Wiki-40B (`_START_ARTICLE_`, `_START_SECTION_`,
    `_START_PARAGRAPH_`, `_NEWLINE_`) by line breaks. Empty lines and empty texts are left out.

    The function holds all texts in memory, and `pretrain` also holds all tokens in memory. tfds
    downloads the whole data set to disk, even if `limit` is small. `wiki40b/en` has 3.3 million
    articles in 10 GB (https://huggingface.co/datasets/google/wiki40b).

    Args:
        name: Name of the data set in tfds, such as `"wiki40b/en"`, or of your own data set in
            `data_dir`. A prepared data set can be read without the Python code that prepared it.
        limit: Maximum number of texts, read from the start in a fixed order. `None`: all texts.
        split: Name of a split of the data set, or a part of a split, such as `"train[:10%]"`.
        text: Name of the feature that holds the text. With `text=None`, the function chooses the
            first supervised key of the data set, else the feature named `text`, else the only text
            feature.
        data_dir: Folder of prepared data sets, or `None` for tfds's folder `~/tensorflow_datasets`.
        download: Whether to download and prepare a data set that is missing in `data_dir`.

    Returns:
        List of at least one text.

    Raises:
        DataError: A data set, split or feature that does not exist, a failed download, several
            features that could be the text, a split without text, or a text that is not UTF-8.
        ConfigError: `limit` is neither `None` nor a whole number of at least 1.

    Example:
        >>> len(ktl.ulmfit.tfds_texts("tiny", limit=5, data_dir="tfds/texts", download=False))
        5
    """
    if limit is not None:
        check_range("limit", limit, 1, whole=True)
    with only_errors("absl"):
        found = open_prepared(name, data_dir, download, "text")
        texts = list(itertools.islice(_texts(found, split, _feature(found, text)), limit))
    if not texts:
        raise DataError(
            f"{quoted(name)} has no text in {quoted(split)}. Prepare the data set again, or "
            "choose another data set or split."
        )
    return texts


def _feature(found: Prepared, given: str | None) -> str:
    features = text_features(found.builder)
    if given is not None and given not in features:
        raise DataError(f"{quoted(found.name)}: {unknown('text feature', given, features)}")
    if not features:
        raise DataError(
            f"Expected a data set of texts. {quoted(found.name)} has no text feature. Its "
            f"features: {', '.join(found.features)}."
        )
    return given or found.pick("text", features, [found.supervised_keys[0], "text"])


def _texts(found: Prepared, split: str, feature: str) -> Iterator[str]:
    splits = found.builder.info.splits
    try:
        count = splits[split].num_examples
    except (KeyError, ValueError) as error:
        raise DataError(
            f"{quoted(found.name)} has no split {quoted(split)}. Expected one of: "
            f"{', '.join(splits)}; or a part of a split, such as '{next(iter(splits))}[:10%]'."
        ) from error
    for row, example in enumerate(found.examples(split, [feature]) if count > 0 else ()):
        text = _MARKERS.sub("\n", as_text(example[feature], f"{split} row {row}"))
        lines = [line.strip() for line in text.split("\n")]
        if any(lines):
            yield "\n".join(filter(None, lines))

"""Read the text inputs of `predict` and `features`, without importing TensorFlow."""

import dataclasses
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from keras_tl.base.files import local_path
from keras_tl.data.folders.unused_files import UnusedFiles, items_below
from keras_tl.data.prediction_items import PredictionItems
from keras_tl.data.tables.item_columns import ItemColumns
from keras_tl.data.texts.text_files import TEXT_FILES
from keras_tl.data.texts.text_values import (
    as_text,
    is_utf_8,
    read_text_file,
    refuse_paths,
    text_problem,
)
from keras_tl.data.user_items import ItemSource, is_frame, plain, plain_list
from keras_tl.errors import DataError, quoted

Text = str | bytes | os.PathLike[str] | BinaryIO
TextInput = Text | Sequence[Text] | Sequence[tuple[Text, Text]] | Any
_CURE = (
    "If the contents are meant, pass pathlib.Path(path). If the paths are meant, pass "
    "text.encode(). On the command line, use folder:PATH for contents, or --literal for paths."
)


@dataclasses.dataclass(frozen=True)
class TextItems(PredictionItems):
    """Texts for prediction.

    Attributes:
        texts: Text (or first text) of each of the n items. Texts that are not UTF-8 stay bytes.
        pairs: Second texts of n pairs, or `None` for single texts.
        names: Names of the items in results, for texts from files. `None`: results show the text of
            each item instead of a name.
        problems: For each item, the reason why the item is unreadable, or `None` for a readable
            item. An unreadable item has an empty text in `texts`. `problems` is `None` if all
            items are readable.
        unused: See `PredictionItems`.
    """

    item = "text"

    texts: tuple[str | bytes, ...]
    pairs: tuple[str | bytes, ...] | None = None
    names: tuple[str, ...] | None = None
    problems: tuple[str | None, ...] | None = None
    unused: tuple[UnusedFiles, ...] = ()

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the items in results: the paths of the files, or the texts."""
        if self.names is not None:
            return self.names
        return tuple(" | ".join(map(_shown, item)) for item in self._items)

    def questions(self, size: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield texts for the signature `serving_default`, at most `size` at a time."""
        for start in range(0, len(self.texts), size):
            batch = {"text": list(self.texts[start : start + size])}
            if self.pairs is not None:
                batch["text_pair"] = list(self.pairs[start : start + size])
            yield "serving_default", batch

    def valid(self) -> np.ndarray:
        """Return whether each item has only readable texts (see `text_problem`), as bool (n,)."""
        return np.array([not any(map(text_problem, item)) for item in self._items])

    def why(self, number: int) -> str:
        """See `PredictionItems.why`."""
        if problem := self.problems and self.problems[number]:
            return problem.removesuffix(".")
        # The Unicode versions of the server and of Python can differ. So the server can reject a
        # text as blank although Python finds no problem in the text.
        return next(filter(None, map(text_problem, self._items[number])), "nothing to read")

    def reason(self, number: int) -> str:
        """See `PredictionItems.reason`."""
        if problem := self.problems and self.problems[number]:
            return problem
        try:
            for text in self._items[number]:
                as_text(text, self.name(number))
        except DataError as error:
            return str(error)
        name = self.name(number) if self.names else f"Item {number} of {len(self)}"
        return f"{name} is {self.why(number)}. Remove this text."

    def name(self, number: int) -> str:
        """Return the name by which messages call an item."""
        return quoted(self.names[number]) if self.names else super().name(number)

    def take(self, rows: Iterable[int]) -> "TextItems":
        """Return only the items with these row numbers, in this order."""
        rows = [*rows]
        fields = (self.texts, self.pairs, self.names, self.problems)
        return TextItems(*(f and tuple(f[row] for row in rows) for f in fields))

    @property
    def _items(self) -> list[tuple[str | bytes, ...]]:
        """Tuples of the one or two texts of each item."""
        return list(zip(*(x for x in (self.texts, self.pairs) if x is not None), strict=True))


@dataclasses.dataclass(frozen=True)
class _Read:
    """A text (or undecodable bytes), its name in results, and the problem if it is unreadable."""

    text: str | bytes
    name: str
    problem: str | None = None


def read_texts(
    items: TextInput,
    are_pairs: bool,
    columns: ItemColumns | None = None,
    on_invalid: str = "raise",
) -> TextItems:
    """Read the inputs of a text model: texts, or pairs of texts.

    Args:
        items: A text (`str` or UTF-8 bytes) or a list of texts. For models of pairs, a pair (text,
            text_pair) or a list of pairs. A text may also be a `pathlib.Path` of a `.txt` file or
            an open file: the whole content of the file is one text. The `pathlib.Path` of a folder
            means all `.txt` files below the folder. `items` may also be an array, a tensor or a
            `pandas.Series` of texts, or a split such as `data.split("test")`. A `tf.data.Dataset`
            of texts may be batched or not, with or without labels. A `pandas.DataFrame` must have
            the column names of the training data.
        are_pairs: Whether the model takes pairs of texts.
        columns: Columns of a data frame that hold the texts. `None` means the column `text`, and
            for pairs also the column `text_pair`.
        on_invalid: `"raise"`: raise an error if a text or file is unreadable. Any other value: an
            unreadable item becomes an empty text, and `TextItems.problems` holds the reason.
            Blank texts and bytes that are not UTF-8 raise no error, but get no prediction.

    Raises:
        DataError: `items` is empty or of an unsupported type, or every item is a `str` with the
            path of an existing file (it is unclear whether the text is the path or the content).
        ConfigError: The file system of a path is not supported.
    """
    if is_frame(items):
        items = (columns or ItemColumns.of("text", are_pairs)).of_frame(items)
    unused = None
    if isinstance(items, os.PathLike) and (folder := local_path(items)).is_dir():
        files, unused = items_below(items, folder, TEXT_FILES)
        items = [*map(Path, files)]
    found = _listed(items, are_pairs)
    fits = _is_pair if are_pairs else _is_text
    if not found or not all(map(fits, found)):
        strange = next((item for item in found if not fits(item)), None)
        kind = type(strange).__name__
        received = f"{quoted(strange)}, of type {kind}" if found else "nothing"
        wanted = "pairs (text, text_pair)" if are_pairs else "texts"
        raise DataError(f"Expected {wanted}, at least one. Received: {received}.")
    rows = found if are_pairs else [(item,) for item in found]
    given = [one for row in rows for one in row]
    if not isinstance(items, ItemSource):
        refuse_paths(given, _CURE)
    read = [[_read(one, f"item {i}", on_invalid) for one in row] for i, row in enumerate(rows)]
    names = tuple(" | ".join(one.name for one in row) for row in read)
    problems = tuple(next((x.problem for x in row if x.problem), None) for row in read)
    return TextItems(
        tuple(row[0].text for row in read),
        tuple(row[1].text for row in read) if are_pairs else None,
        names if any(isinstance(one, os.PathLike) for one in given) else None,
        problems if any(problems) else None,
        (unused,) if unused else (),
    )


def _listed(items: TextInput, are_pairs: bool) -> list:
    """Convert the inputs to a list of items. Each item is a text or path, or a pair of these."""
    if not are_pairs:
        return plain_list(items, ("text",))
    if isinstance(items, tuple) and len(items) == 2:
        # A tuple of two texts is one pair. A tuple of two pairs is a list of two items.
        items = tuple(map(plain, items))
        items = [items] if _is_pair(items) else items
    found = plain_list(items, ("text", "text_pair"))
    return [tuple(map(plain, item)) if isinstance(item, (tuple, list)) else item for item in found]


def _read(one: str | bytes | os.PathLike[str], place: str, on_invalid: str) -> _Read:
    name = os.fspath(one) if isinstance(one, os.PathLike) else None
    try:
        text = _decoded(*_content(one, place))
    except DataError as error:
        if on_invalid == "raise":
            raise
        return _Read("", "" if name is None else name, str(error))
    return _Read(text, _shown(text) if name is None else name)


def _content(one: str | bytes | os.PathLike[str], place: str) -> tuple[str | bytes, str]:
    """Return the content of one input, and the name by which messages call this input."""
    if not isinstance(one, os.PathLike):
        return one, place
    path = local_path(one)
    if not path.name.lower().endswith(TEXT_FILES.suffixes):
        raise DataError(
            f"Expected the path of a {TEXT_FILES.formats} file. Received: {quoted(str(path))}. "
            "Pass the content of the file as a str, or the rows of a table as a pandas.DataFrame."
        )
    return read_text_file(str(path)), str(path)


def _decoded(text: str | bytes, place: str) -> str | bytes:
    """Decode a text. Bytes that are not UTF-8 stay bytes and get no prediction."""
    return text if isinstance(text, bytes) and not is_utf_8(text) else as_text(text, place)


def _is_text(item: object) -> bool:
    return isinstance(item, (str, bytes, os.PathLike))


def _is_pair(item: object) -> bool:
    return isinstance(item, (tuple, list)) and len(item) == 2 and all(map(_is_text, item))


def _shown(text: str | bytes) -> str:
    """Return a text as results show it: the text itself, or `repr` of undecodable bytes."""
    return text if isinstance(text, str) else repr(text)

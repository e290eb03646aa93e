"""Check of texts: leaves out empty texts and finds texts with contradictory labels."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from keras_tl.data.item_checks import BadItem, BadRows, Check, label_conflicts
from keras_tl.data.labelled_data import rows_of
from keras_tl.data.texts.text_split import Texts
from keras_tl.data.texts.text_values import text_problem


@dataclasses.dataclass(frozen=True)
class BadText(BadItem):
    """A text with a problem, such as an empty text.

    Attributes:
        place: Place of the text in the data source: a line, a row or a path.
    """

    place: str
    reason: str

    @property
    def name(self) -> str:
        """Place of the text in the data source."""
        return self.place


@dataclasses.dataclass(frozen=True)
class TextCheck(Check):
    """Result of the check of texts.

    Attributes:
        label_conflicts: Texts that occur twice or more in the train split, with different labels.
            All copies of a text with different labels stay in the train split, because short texts
            often recur and people label them differently. (The check of images is stricter: for
            copies of a photo, two labels can only be a mistake.)

    Example:
        >>> texts.checked.checked, texts.checked.bad, texts.checked.label_conflicts
        (24, (), ())
    """

    item = "text"

    bad: tuple[BadText, ...]
    label_conflicts: tuple[BadText, ...] = ()

    def summary(self) -> str:
        """Describe how many texts have each problem, and how many have contradictory labels.

        Example:
            >>> texts.checked.summary()
            'All 24 texts can be used.'
        """
        lines = [super().summary()]
        if self.label_conflicts:
            lines.append(
                f"{len(self.label_conflicts):,} training texts occur again in the training split "
                "with another label. These texts are kept."
            )
        return "\n".join(lines)

    def describe(self) -> str:
        """Return the summary, and a line for each bad text and each text with contradictory labels.

        Example:
            >>> texts.checked.describe()
            'All 24 texts can be used.'
        """
        return "\n".join([super().describe(), *map(str, self.label_conflicts)])


def bad_texts(
    given: Mapping[str, Texts], labels: np.ndarray, class_names: tuple[str, ...], max_bad: float
) -> tuple[BadRows, TextCheck]:
    """Return the empty texts by split and row, and the result of the check.

    `labels` are the labels of the training texts.

    Raises:
        DataError: The fraction of empty texts exceeds `max_bad`.
    """
    bad = {name: found for name, texts in given.items() if (found := _empty(texts))}
    checked = sum(map(len, given.values()))
    all_bad = tuple(text for found in bad.values() for text in found.values())
    TextCheck(checked, all_bad).stop_above(max_bad)
    rows = np.setdiff1d(np.arange(len(labels)), [*bad.get("train", ())])
    double = _label_conflicts(rows_of(given["train"], rows), labels[rows], class_names)
    return bad, TextCheck(checked, all_bad, double)


def _empty(texts: Texts) -> dict[int, BadText]:
    """Return a mapping from row numbers to bad texts. A pair is bad if one of its texts is bad."""
    found = {}
    for row, place in enumerate(texts.places):
        second = None if texts.pairs is None else texts.pairs[row]
        if problem := text_problem(texts.texts[row]):
            found[row] = BadText(place, problem)
        elif second is not None and (problem := text_problem(second)):
            found[row] = BadText(place, f"second text {problem}")
    return found


def _label_conflicts(
    texts: Texts, labels: np.ndarray, class_names: tuple[str, ...]
) -> tuple[BadText, ...]:
    contents = [
        (text.strip(), texts.pairs[row].strip() if texts.pairs else None)
        for row, text in enumerate(texts.texts)
    ]
    found = []
    for row, other, mine, theirs in label_conflicts(contents, labels, class_names or None):
        reason = f"two labels: {mine}, but {theirs} in {texts.places[other]}"
        found.append(BadText(texts.places[row], reason))
    return tuple(found)

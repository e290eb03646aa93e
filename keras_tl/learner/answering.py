"""Read the items that a user passes, and return their predictions or features."""

import dataclasses
import math
from collections.abc import Iterable, Iterator

import numpy as np

from keras_tl.base.config import ON_INVALID, CacheConfig, check_choice
from keras_tl.base.results import MultilabelPredictions, Predictions, RegressionPredictions
from keras_tl.data.images.image_inputs import ImageInput
from keras_tl.data.labelled_data import Split
from keras_tl.data.prediction_items import PredictionItems
from keras_tl.data.texts.text_inputs import TextInput
from keras_tl.errors import ConfigError, quoted
from keras_tl.export.serving import BATCH, VALID
from keras_tl.learner.state import State


def predict(
    state: State, items: ImageInput | TextInput, on_invalid: str
) -> Predictions | MultilabelPredictions | RegressionPredictions:
    """See `Learner.predict`."""
    given = _read(state, items, on_invalid)
    answers = state.serving_model.answers_to(given.questions(BATCH))
    found = state.task.predictions(answers, given.sources)
    if VALID in answers:
        _report_invalid(state, given, answers[VALID], on_invalid)
        if on_invalid != "raise":
            reasons = given.reasons(answers[VALID])
            found = dataclasses.replace(found, valid=answers[VALID], reasons=reasons)
    return found.only_valid() if on_invalid == "skip" else found


def features(
    state: State, items: ImageInput | TextInput, on_invalid: str, cache: str | CacheConfig | None
) -> np.ndarray:
    """See `Learner.features`."""
    kept = state.trainer.features
    config = kept.store.config if cache is None else CacheConfig.of(cache)
    if not isinstance(items, Split) or on_invalid != "raise":
        if cache is not None:
            _check_not_stored(config)
        return np.concatenate(list(feature_batches(state, items, on_invalid)[1]))
    if config.where == "off":
        rows = np.concatenate(list(kept.batches(items)))
    else:
        kept.keep_in(config)
        found = kept.of(items)
        # Copy the rows: the caller may change the array, but the cache must not change.
        rows = found.read(np.arange(len(found)))
    return rows.reshape(len(rows), -1)


def _check_not_stored(config: CacheConfig) -> None:
    """Raise `ConfigError` if `cache=` names a place, although the cache stores only splits."""
    if config.where != "off" and config != CacheConfig():
        raise ConfigError(
            "cache= stores only the features of a whole split, such as data.split('train'), with "
            f"on_invalid='raise'. Received: cache={quoted(config.where)} for other items. Leave "
            "cache= out."
        )


def _read(state: State, items: ImageInput | TextInput, on_invalid: str) -> PredictionItems:
    check_choice("on_invalid", on_invalid, ON_INVALID)
    given = state.parts.modality.read(items, state.source_settings, on_invalid)
    for unused in given.unused:
        state.reporter.say(unused.advice)
    return given


def feature_batches(
    state: State, items: ImageInput | TextInput, on_invalid: str
) -> tuple[tuple[str, ...], Iterator[np.ndarray]]:
    """Return the names of the items, and an iterator of feature batches (k, d)."""
    given = _read(state, items, on_invalid)
    sources = given.sources or tuple(map(str, range(len(given))))
    if on_invalid == "raise":
        return sources, _rows_of(state, given)
    valid = given.valid()
    _report_invalid(state, given, valid, on_invalid)
    rows = np.flatnonzero(valid)
    batches = _rows_of(state, given.take(rows)) if len(rows) else iter(())
    if on_invalid == "skip":
        return tuple(sources[row] for row in rows), batches
    return sources, _with_gaps(batches, valid, feature_width(state))


def _rows_of(state: State, given: PredictionItems) -> Iterator[np.ndarray]:
    batches = state.trainer.features.batches(state.parts.modality.as_split(given))
    return (np.reshape(batch, (len(batch), -1)) for batch in batches)


def _with_gaps(
    batches: Iterable[np.ndarray], present: np.ndarray, width: int
) -> Iterator[np.ndarray]:
    """Insert rows of NaN at the places of items without features.

    Args:
        batches: float32 arrays (k, width), which together have one row for each item with features.
        present: bool (n,), whether each item has features.
        width: Number of values per row.

    Yields:
        float32 arrays with the rows of `batches` and the inserted rows, in the order of the items.
        Together the arrays have n rows.
    """
    places, done, start = np.flatnonzero(present), 0, 0
    for rows in batches:
        done += len(rows)
        stop = int(places[done]) if done < len(places) else len(present)
        filled = np.full((stop - start, width), np.nan, np.float32)
        filled[present[start:stop]] = rows
        yield filled
        start = stop
    if start < len(present):
        yield np.full((len(present) - start, width), np.nan, np.float32)


def feature_width(state: State) -> int:
    """Return the length of an item's feature vector."""
    return math.prod(state.parts.extractor.output_shape[1:])


def _report_invalid(
    state: State, given: PredictionItems, valid: np.ndarray, on_invalid: str
) -> None:
    """Report which items are invalid, and why, or raise `DataError` (see `Learner.predict`)."""
    if on_invalid == "raise" or (on_invalid == "skip" and not valid.any()):
        given.check_valid(valid)
    bad = np.flatnonzero(~valid)
    if len(bad):
        done = "Left out" if on_invalid == "skip" else "Kept as invalid"
        reasons = "\n".join(map(given.reason, bad))
        state.reporter.say(f"{done}: {len(bad):,} of {len(valid):,} {given.item}s.\n{reasons}")

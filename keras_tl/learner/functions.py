"""Functions that take or create learners: `rank_backbones`, `overfitting`, `save_features`."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from keras_tl.base.config import CacheConfig
from keras_tl.data.image_data import ImageData
from keras_tl.data.images.image_inputs import ImageInput
from keras_tl.data.text_data import TextData
from keras_tl.data.texts.text_inputs import TextInput
from keras_tl.evaluation.overfitting import Overfitting
from keras_tl.evaluation.ranking import Ranking
from keras_tl.learner import answering, checking
from keras_tl.learner.facade import Learner
from keras_tl.learner.ranking import rank


def overfitting(learner: Learner, measure: bool = False) -> Overfitting:
    """Diagnose overfitting or underfitting from the learning curves, and suggest remedies.

    Args:
        learner: A trained learner.
        measure: Also evaluate the current model on the training and validation splits. The result
            then has the gap between them, not only its lower bound.

    Raises:
        ConfigError: Nothing was trained, the weights changed after training, or, with `measure`, a
            logit is not a finite number.
        DataError: With `measure`, there are no data, or there is no validation split.

    Example:
        >>> keras_tl.overfitting(learner).state  # doctest: +SKIP
    """
    return checking.overfitting(learner._state, measure)


def save_features(
    learner: Learner,
    items: ImageInput | TextInput,
    path: str | os.PathLike,
    on_invalid: str = "raise",
    overwrite: bool = False,
) -> tuple[int, int]:
    """Write the features of items to a file, batch by batch, for other tools.

    Args:
        learner: Learner with the backbone and the pooling.
        items: Items, as in `Learner.predict`.
        path: `.npy`: an array (n, d). `.parquet`: the columns `source` (path or number of the
            image, or the text) and `features` (a list of d float32 values).
        on_invalid: As in `Learner.features`.
        overwrite: Replace an existing file.

    Returns:
        The shape (n, d).

    Raises:
        ConfigError: The path has another suffix or is on an unsupported file system. Or the file
            exists, and `overwrite` is false.
        DataError: See `Learner.predict`.

    Example:
        >>> keras_tl.save_features(learner, "photos/", "photos.npy")  # doctest: +SKIP
    """
    return answering.save_features(learner._state, items, path, on_invalid, overwrite)


def rank_backbones(
    data: ImageData | TextData,
    backbones: Sequence[str | keras.Model | Learner | Mapping[str, Any]] | None = None,
    items: int = 2000,
    seed: int = 0,
    cache: str | CacheConfig = "auto",
    verbose: bool = True,
    **options: Any,
) -> Ranking:
    """Rank backbones by a cross-validated head on their frozen features.

    Each backbone runs once over the same items of the training split, and the feature cache keeps
    the features. The ranking also has their LogME score. Validation and test items are not used.

    Args:
        data: Labelled items.
        backbones: Values for the backbone argument of `Learner`, or dicts of arguments of
            `Learner`, such as `{"backbone": "efficientnet_lite0", "output_block": "block6"}`. A
            dict may have a `"name"` for the ranking. `None`: the catalogue backbones with weights
            on this machine, see `keras_tl.backbones.local_weights.backbones_without_download`.
        items: Maximum number of training items. Each class keeps its share, and at least one item.
            Items with several labels or a regression target are drawn at random.
        seed: Seed of the draw, of the folds, and of random weights of the backbones.
        cache: Place of the features, as in `Learner.fit_head`.
        verbose: Report progress on standard error.
        options: Arguments of `Learner` for all backbones, such as `image_size`. The arguments in a
            dict override them. For images, `preprocess` applies only to Keras models.

    Returns:
        The measurements of each backbone. `.best` is the fastest backbone within one standard error
        of the best metric. A backbone that cannot be loaded, or does not fit the data, comes last,
        with the reason.

    Raises:
        BackboneError: The catalogue lacks a name. The error comes before any backbone runs.
        ConfigError: The list is empty, a backbone occurs twice, an argument is invalid, or no
            backbone can be measured.
        DataError: The data cannot be read, or all labels are equal.
        CacheError: The features cannot be kept in the requested place.

    Example:
        >>> keras_tl.rank_backbones(data).best.name  # doctest: +SKIP
    """
    return rank(Learner, data, backbones, items, seed, cache, verbose, **options)

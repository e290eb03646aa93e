"""Functions that take or make learners: `rank_backbones`, `overfitting`, `save_features`."""

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
    """Say whether a model overfits or underfits by the curves of its training, and what to try.

    Args:
        learner: a trained learner.
        measure: run the model as it is over the training and validation splits too, for the gap
            between them and not only the least that it can be.

    Raises:
        ConfigError: nothing was trained, the weights were changed after training, or an answer to
            be measured is not a finite number.
        DataError: to be measured, and there are no data, or no validation split.

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
    """Write the features of items to a file, a batch at a time, for other tools.

    Args:
        learner: its backbone and pooling make the features.
        items: as for `Learner.predict`.
        path: `.npy` for an array (n, d); `.parquet` for columns `source` (the image's path or
            number, or the text) and `features` (a list of d float32).
        on_invalid: as for `Learner.features`.
        overwrite: replace a file that is there.

    Returns:
        (n, d).

    Raises:
        ConfigError: the path ends otherwise, is of a file system that is not supported, or there
            is a file and `overwrite` is false.
        DataError: see `Learner.predict`.

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
    """Rank backbones for a head on their frozen features, by cross-validation.

    Each backbone runs once over the same items of the training split, by way of the feature
    cache. A head is cross-validated on the features; LogME stands beside its metric. The other
    splits are not looked at.

    Args:
        data: the labelled items.
        backbones: each is what `Learner` takes as backbone; or a dict of `Learner`'s arguments,
            such as `{"backbone": "efficientnet_lite0", "output_block": "block6"}`, with a `"name"`
            of your own if you like. `None`: those of the catalogue whose weights are on this
            machine, see `keras_tl.backbones.at_hand.backbones_at_hand`.
        items: of the training split at most so many, drawn so that each class has its share and
            at least one; of several labels, or of a regression, at random.
        seed: of the draw, of the folds, and of the backbones' random weights.
        cache: where features are kept, as in `Learner.fit_head`.
        verbose: report progress on standard error.
        options: arguments of `Learner` for all of them, such as `image_size`; those of a dict
            come first. Of images, `preprocess` is for the Keras models among them.

    Returns:
        The backbones with their measurements; `.best` is the fastest one within one standard
        error of the best metric. A backbone that cannot be loaded, or does not fit the data, is
        listed last with the reason.

    Raises:
        BackboneError: the catalogue has no such name; found out before anything runs.
        ConfigError: there is no backbone, one is given twice, an argument is not as described, or
            none of the backbones can be measured.
        DataError: the data cannot be read, or their labels are all the same.
        CacheError: the features cannot be kept where asked.

    Example:
        >>> keras_tl.rank_backbones(data).best.name  # doctest: +SKIP
    """
    return rank(Learner, data, backbones, items, seed, cache, verbose, **options)

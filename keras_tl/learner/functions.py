"""Functions that take or create learners: `rank_backbones`, `overfitting`, `save_features`."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import keras

from keras_tl.base.choices import CachePlace, OnInvalid
from keras_tl.base.config import CacheConfig
from keras_tl.base.files import local_path
from keras_tl.base.overwriting import check_new
from keras_tl.data.image_data import ImageData
from keras_tl.data.images.image_inputs import ImageInput
from keras_tl.data.text_data import TextData
from keras_tl.data.texts.text_inputs import TextInput
from keras_tl.evaluation.overfitting import Overfitting
from keras_tl.evaluation.ranking import Ranking
from keras_tl.export.feature_files import check_feature_file, write_features
from keras_tl.learner import checking
from keras_tl.learner.answering import feature_batches, feature_width
from keras_tl.learner.facade import Learner
from keras_tl.learner.options import LearnerOptions
from keras_tl.learner.ranking import rank


def overfitting(learner: Learner, *, measure: bool = False) -> Overfitting:
    """Diagnose overfitting or underfitting from the learning curves, and suggest remedies.

    Args:
        learner: A trained learner.
        measure: Whether to also evaluate the current model on the training and validation splits.
            With `measure`, the result has the exact gap between training and validation metrics.
            Without `measure`, the result has only a lower bound of the gap between training and
            validation metrics.

    Returns:
        The diagnosis of each phase, and at most two remedies.

    Raises:
        ConfigError: Nothing was trained, or the weights changed after training. With
            `measure=True`, the error also occurs if a logit is not a finite number.
        DataError: `measure` is true, and the learner has no data or no validation split.

    Example:
        >>> diagnosis = ktl.overfitting(learner)
        >>> [phase.name for phase in diagnosis.phases]
        ['head']
    """
    return checking.overfitting(learner._state, measure)


def save_features(
    learner: Learner,
    items: ImageInput | TextInput,
    *,
    path: str | os.PathLike[str],
    on_invalid: OnInvalid = "raise",
    overwrite: bool = False,
) -> tuple[int, int]:
    """Write the features of items to a file, batch by batch, for other tools.

    Args:
        learner: Learner whose backbone and pooling compute the features.
        items: Items, as in `Learner.predict`.
        path: File to write. `.npy`: an array (n, d). `.parquet`: the columns `source` (path or
            number of the image, or the text) and `features` (a list of d float32 values).
        on_invalid: As in `Learner.features`.
        overwrite: Whether to replace an existing file.

    Returns:
        The shape (n, d) of the features: number of items, and values per item.

    Raises:
        ConfigError: The suffix is neither `.npy` nor `.parquet`, or the path is on an unsupported
            file system. With `overwrite=False`, the error also occurs if the file exists.
        DataError: See `Learner.predict`.

    Example:
        >>> ktl.save_features(learner, data.split("test"), path="features.npy")
        (8, 16)
        >>> np.load("features.npy").dtype
        dtype('float32')
    """
    path = local_path(path)
    check_feature_file(path)
    check_new(path, overwrite=overwrite)
    sources, batches = feature_batches(learner._state, items, on_invalid)
    shape = (len(sources), feature_width(learner._state))
    write_features(path, batches, shape, sources)
    return shape


def rank_backbones(
    data: ImageData | TextData,
    backbones: Sequence[str | keras.Model | Learner | Mapping[str, Any]] | None = None,
    *,
    max_items: int = 2000,
    seed: int = 0,
    cache: CachePlace | CacheConfig = "auto",
    verbose: bool = True,
    **options: Unpack[LearnerOptions],
) -> Ranking:
    """Rank backbones by the cross-validated metric of a head on their frozen features.

    Each backbone runs once over the same items of the training split, and the feature cache keeps
    the features. The ranking also has the LogME score of each backbone. Validation and test items
    are not used.

    Args:
        data: Labelled images or texts.
        backbones: Values for the argument `backbone` of `Learner`, or dicts of arguments of
            `Learner`, such as `{"backbone": "efficientnet_lite0", "output_block": "block6"}`. With
            the key `"name"`, a dict also sets the backbone's name in the ranking. `None`: the
            catalogue backbones with weights on this machine, see
            `keras_tl.backbones.local_weights.backbones_without_download`.
        max_items: Maximum number of training items that the ranking uses. If the training split has
            more items than `max_items`, the ranking uses a random sample. For data with one class
            per item, the random sample has the class proportions of the training split, and at
            least one item per class.
        seed: Seed of the sample of items, of the cross-validation, and of random backbone weights.
        cache: Place where the features are stored, as in `Learner.fit_head`.
        verbose: Whether to report progress on standard error.
        options: Arguments of `Learner` for all backbones, see `LearnerOptions`. Arguments in a dict
            of `backbones` override arguments in `options`. For images, `preprocess` applies only to
            Keras models.

    Returns:
        The measurements of each backbone. `.best` is the fastest of the backbones whose metric is
        within one standard error of the best metric. A backbone that cannot be loaded, or does not
        fit the data, comes last in the ranking, with the reason.

    Raises:
        BackboneError: A name in `backbones` is not in the catalogue. The function checks the names
            before any backbone runs.
        ConfigError: `backbones` is empty or names a backbone twice, another argument is invalid, or
            no backbone can be measured.
        DataError: The data cannot be read, or all labels are equal.
        CacheError: The features cannot be stored in the requested place.

    Example:
        >>> ranking = ktl.rank_backbones(data, [learner], verbose=False)
        >>> len(ranking.rows), ranking.items
        (1, 24)
    """
    return rank(Learner, data, backbones, max_items, seed, cache, verbose, **options)

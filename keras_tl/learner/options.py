"""Arguments of `Learner` that functions such as `rank_backbones` pass on."""

import os
from typing import TypedDict

import tensorflow as tf

from keras_tl.backbones.preprocessing import Preprocessing
from keras_tl.backbones.texts import TextPreprocessor
from keras_tl.base.choices import Precision, StrategyName
from keras_tl.base.config import HeadConfig
from keras_tl.data.images.image_options import ImageSize


class LearnerOptions(TypedDict, total=False):
    """Arguments that functions pass on to `Learner`. `Learner` describes the arguments.

    The arguments `seed` and `verbose` of `Learner` are missing here, because functions such as
    `rank_backbones` have their own `seed` and `verbose`.

    Example:
        >>> options = ktl.LearnerOptions(preprocess="tf", image_size=16)
        >>> ktl.Learner(network, data, **options, seed=0, verbose=False).config.image_size
        (16, 16)
    """

    weights: str | os.PathLike[str] | None
    image_size: ImageSize
    output_block: str | None
    head: HeadConfig | None
    precision: Precision
    strategy: StrategyName | tf.distribute.Strategy
    preprocess: str | Preprocessing | TextPreprocessor | None
    preflight: bool

"""The record of a backbone: how it is built, what its weights expect, what it is made of."""

import dataclasses

from keras_tl.backbones.preprocessing import Preprocessing


@dataclasses.dataclass(frozen=True)
class Block:
    """A named part of a network, from the input towards the head.

    Attributes:
        name: what users say: `"stem"`, `"block1"`, ...
        prefixes: the layers whose names begin with one of these belong to it.
    """

    name: str
    prefixes: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Weights:
    """Where ImageNet weights come from.

    Attributes:
        source: who trained and published them.
        licence: SPDX identifier or name of their licence.
        bundled: file name in `keras_tl/backbones/weights`, or `None`: Keras downloads them.
        top1: published ImageNet top-1 accuracy of the whole classifier, in [0, 1].
        top1_source: where that figure was published.
    """

    source: str
    licence: str
    top1: float
    top1_source: str
    bundled: str | None = None


@dataclasses.dataclass(frozen=True)
class BackboneSpec:
    """All that is particular to one backbone; everything else is shared code.

    Attributes:
        name: its name in the catalogue.
        builder: `"module:function"`, called with `include_top`, `weights`, `input_shape` as the
            constructors of `keras.applications` are; imported when used.
        preprocessing: what its weights expect of the pixels.
        image_size: (height, width) its weights were trained at; the default.
        min_size: the smallest side it can be built for.
        features: channels of its feature maps.
        parameters: how many it has, without the classifier.
        blocks: its parts from input to output.
        weights: where the ImageNet weights come from.
    """

    name: str
    builder: str
    preprocessing: Preprocessing
    image_size: tuple[int, int]
    min_size: int
    features: int
    parameters: int
    blocks: tuple[Block, ...]
    weights: Weights

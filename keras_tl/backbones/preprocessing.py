"""Preprocessing of pixels that each family of weights expects, as records.

The record belongs to the weights. Users never choose it: `keras_tl.backbones.load` includes it.
"""

import dataclasses
from typing import TYPE_CHECKING

from keras_tl.errors import BackboneError, unknown

if TYPE_CHECKING:
    import keras

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)
_CAFFE_MEAN = (103.939, 116.779, 123.68)


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """`pixels * scale + offset` for each channel, after an optional swap to BGR.

    Attributes:
        scale: Factor of each channel.
        offset: Summand of each channel.
        bgr: Whether the channels are reversed first.
    """

    scale: tuple[float, float, float]
    offset: tuple[float, float, float]
    bgr: bool = False

    def describe(self) -> str:
        """Return the formula as text."""
        scale, offset = (
            _short(values[0]) if len(set(values)) == 1 else f"({', '.join(map(_short, values))})"
            for values in (self.scale, self.offset)
        )
        return f"{'BGR' if self.bgr else 'RGB'} * {scale} + {offset}"

    def apply(self, pixels: "keras.KerasTensor") -> "keras.KerasTensor":
        """Add the preprocessing to a functional graph, in float32 whatever the dtype policy.

        Args:
            pixels: RGB pixels in [0, 255], float32 (batch, height, width, 3).
        """
        import keras

        if self.bgr:
            pixels = keras.ops.flip(pixels, axis=-1)
        return keras.layers.Rescaling(
            list(self.scale), list(self.offset), dtype="float32", name="preprocessing"
        )(pixels)


def _short(value: float) -> str:
    return f"{value:.6g}"


def _uniform(scale: float, offset: float) -> Preprocessing:
    return Preprocessing((scale,) * 3, (offset,) * 3)


# `tf`, `torch` and `caffe` are modes of `keras.applications.imagenet_utils.preprocess_input`.
PREPROCESSINGS = {
    "none": _uniform(1.0, 0.0),
    "tf": _uniform(1 / 127.5, -1.0),
    "torch": Preprocessing(
        tuple(1 / 255 / std for std in _IMAGENET_STD),
        tuple(-mean / std for mean, std in zip(_IMAGENET_MEAN, _IMAGENET_STD, strict=True)),
    ),
    "caffe": Preprocessing((1.0,) * 3, tuple(-mean for mean in _CAFFE_MEAN), bgr=True),
    "lite": _uniform(1 / 128, -127 / 128),
}


def get_preprocessing(preprocess: "str | Preprocessing") -> Preprocessing:
    """Return a preprocessing by its name, or the given `Preprocessing` itself.

    Raises:
        BackboneError: No preprocessing has this name.
    """
    if isinstance(preprocess, Preprocessing):
        return preprocess
    if preprocess not in PREPROCESSINGS:
        raise BackboneError(unknown("preprocessing", preprocess, PREPROCESSINGS))
    return PREPROCESSINGS[preprocess]

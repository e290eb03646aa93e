"""Records of the pixel preprocessing that each family of pretrained weights expects.

For backbones of the catalogue, users do not choose a preprocessing. `keras_tl.backbones.load` adds
the preprocessing that the weights expect.
"""

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING

from keras_tl.base.choices import PreprocessingName
from keras_tl.errors import BackboneError, unknown

if TYPE_CHECKING:
    import keras

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)
_CAFFE_MEAN = (103.939, 116.779, 123.68)


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """Preprocessing `pixels * scale + offset` of each channel, after an optional swap to BGR.

    Attributes:
        scale: Factors that multiply the three channels, in BGR order if `bgr` is true.
        offset: Values that are added to the three channels after the multiplication.
        bgr: Whether the channels are first reversed, from RGB to BGR.

    Example:
        >>> to_unit = ktl.backbones.Preprocessing(scale=(1 / 128,) * 3, offset=(-1,) * 3)
        >>> to_unit.describe()
        'RGB * 0.0078125 + -1'
    """

    scale: tuple[float, float, float]
    offset: tuple[float, float, float]
    _: dataclasses.KW_ONLY
    bgr: bool = False

    def describe(self) -> str:
        """Return the preprocessing's formula as text, such as `"RGB * 0.0078125 + -0.992188"`.

        Example:
            >>> ktl.backbones.get_spec("efficientnet_lite0").preprocessing.describe()
            'RGB * 0.0078125 + -0.992188'
        """
        scale, offset = (
            _short(values[0]) if len(set(values)) == 1 else f"({', '.join(map(_short, values))})"
            for values in (self.scale, self.offset)
        )
        return f"{'BGR' if self.bgr else 'RGB'} * {scale} + {offset}"

    def apply(self, pixels: "keras.KerasTensor") -> "keras.KerasTensor":
        """Add the preprocessing to a functional model, and return the preprocessed pixels.

        The preprocessing computes in float32 under any dtype policy.

        Args:
            pixels: RGB pixels in [0, 255], float32 (batch, height, width, 3).

        Example:
            >>> import keras
            >>> pixels = keras.Input((16, 16, 3))
            >>> ktl.backbones.get_spec("resnet50").preprocessing.apply(pixels).shape
            (None, 16, 16, 3)
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
    return Preprocessing((scale, scale, scale), (offset, offset, offset))


def _three(values: Iterable[float]) -> tuple[float, float, float]:
    first, second, third = values
    return first, second, third


# `tf`, `torch` and `caffe` are modes of `keras.applications.imagenet_utils.preprocess_input`.
PREPROCESSINGS: dict[PreprocessingName, Preprocessing] = {
    "none": _uniform(1.0, 0.0),
    "tf": _uniform(1 / 127.5, -1.0),
    "torch": Preprocessing(
        _three(1 / 255 / std for std in _IMAGENET_STD),
        _three(-mean / std for mean, std in zip(_IMAGENET_MEAN, _IMAGENET_STD, strict=True)),
    ),
    "caffe": Preprocessing((1.0, 1.0, 1.0), _three(-mean for mean in _CAFFE_MEAN), bgr=True),
    "lite": _uniform(1 / 128, -127 / 128),
}


def get_preprocessing(preprocess: "PreprocessingName | Preprocessing") -> Preprocessing:
    """Return the `Preprocessing` that a name stands for. If the argument is a `Preprocessing`,
    return it.

    Raises:
        BackboneError: No preprocessing has this name.
    """
    if isinstance(preprocess, Preprocessing):
        return preprocess
    if preprocess not in PREPROCESSINGS:
        raise BackboneError(unknown("preprocessing", preprocess, PREPROCESSINGS))
    return PREPROCESSINGS[preprocess]

"""EfficientNet-Lite0, -Lite1 and -Lite2: networks for phones that are fast on any CPU.

EfficientNet-Lite0 is EfficientNet-B0 (Tan and Le, 2019, "EfficientNet: Rethinking Model Scaling for
Convolutional Neural Networks", arXiv:1905.11946, table 1) without squeeze-and-excite, and with
ReLU6 in place of swish. The three variants differ in width, depth, image size and dropout. All
variants have the same stem (32 channels), the same head (1280 channels), and the same number of
blocks in the first and last stage. The TensorFlow blog announced EfficientNet-Lite on 16 March
2020. The constants of EfficientNet-Lite (scaling, dropout, survival probability, BatchNorm) come
from `efficientnet/lite` in the TensorFlow TPU repository.
"""

import math
from pathlib import Path
from typing import NamedTuple

import keras
from keras import layers

from keras_tl.backbones.mbconv import LAYOUT, Stage, conv, conv_bn_relu6, mbconv
from keras_tl.errors import BackboneError, quoted

STEM_FILTERS = 32
HEAD_FILTERS = 1280
MIN_SIZE = 32
DROP_CONNECT = 0.2


class Variant(NamedTuple):
    """Values in which a variant differs from EfficientNet-Lite0.

    Attributes:
        width: Factor that multiplies Lite0's number of channels in each stage.
        depth: Factor that multiplies Lite0's number of blocks in all stages but the first and last.
        size: Side of the training images, in pixels.
        dropout: Dropout rate before the classifier.
    """

    width: float
    depth: float
    size: int
    dropout: float


LITE0 = Variant(width=1.0, depth=1.0, size=224, dropout=0.2)
LITE1 = Variant(width=1.0, depth=1.1, size=240, dropout=0.2)
LITE2 = Variant(width=1.1, depth=1.2, size=260, dropout=0.3)

STAGES = (
    Stage(repeats=1, kernel=3, strides=1, expansion=1, filters=16),
    Stage(repeats=2, kernel=3, strides=2, expansion=6, filters=24),
    Stage(repeats=2, kernel=5, strides=2, expansion=6, filters=40),
    Stage(repeats=3, kernel=3, strides=2, expansion=6, filters=80),
    Stage(repeats=3, kernel=5, strides=1, expansion=6, filters=112),
    Stage(repeats=4, kernel=5, strides=2, expansion=6, filters=192),
    Stage(repeats=1, kernel=3, strides=1, expansion=6, filters=320),
)


def EfficientNetLite0(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    *,
    name: str = "efficientnet_lite0",
) -> keras.Model:
    """Build EfficientNet-Lite0 from standard Keras layers, without preprocessing.

    Input: RGB images (batch, height, width, 3), floating point. The input values are (pixel - 127)
    / 128 for pixels in [0, 255], so the values are in [-127/128, 1]. The layout is always channels
    last: Keras's global image data format has no effect. Padding is TensorFlow's "SAME", as in the
    original training.

    Output, in the dtype of the global policy:
        With `include_top`, softmax probabilities (batch, classes).
        Without `include_top` and `pooling`, (batch, ceil(height / 32), ceil(width / 32), 1280) in
            [0, 6].
        Without `include_top`, with `pooling="avg"` or `"max"`, vectors (batch, 1280) in [0, 6].

    In training, images skip residual branches at random (stochastic depth: Huang et al., 2016,
    arXiv:1603.09382). The probability that an image skips a branch rises linearly with the depth of
    the branch, from 0 to almost 0.2. A dropout layer precedes the classifier.

    Args:
        include_top: Whether to add average pooling, dropout and the softmax classifier.
        weights: Path of a `.weights.h5` file, or `None` for random weights. A file that was saved
            with the classifier also fits a network without classifier.
        input_shape: Shape of an image, (height, width, 3), each side at least 32 or `None`. Default
            with `include_top`: the image size of the variant. Default of `input_shape` without
            `include_top`: (None, None, 3).
        pooling: Pooling of the feature maps: `None`, `"avg"` or `"max"`. With `include_top`,
            `pooling` has no effect.
        classes: Number of classes of the classifier.
        name: Name of the returned model.

    Returns:
        A functional model. Layers are named as in `keras.applications.EfficientNetB0`: `stem_conv`,
        `block2a_expand_conv`, `block2b_add`, ..., `top_activation`, `predictions`.

    Raises:
        BackboneError: The input shape or the pooling is invalid.
        OSError, ValueError: The weights file does not exist, or does not fit the network.
    """
    return _build(LITE0, include_top, weights, input_shape, pooling, classes, name)


def EfficientNetLite1(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    *,
    name: str = "efficientnet_lite1",
) -> keras.Model:
    """Build EfficientNet-Lite1 (240 x 240 pixels). `EfficientNetLite0` explains the arguments."""
    return _build(LITE1, include_top, weights, input_shape, pooling, classes, name)


def EfficientNetLite2(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    *,
    name: str = "efficientnet_lite2",
) -> keras.Model:
    """Build EfficientNet-Lite2 (260 x 260 pixels). `EfficientNetLite0` explains the arguments."""
    return _build(LITE2, include_top, weights, input_shape, pooling, classes, name)


def scaled_stages(variant: Variant) -> tuple[Stage, ...]:
    """Return a variant's scaled stages. The first and last stage are scaled only in width."""
    first, *middle, last = (
        stage._replace(filters=_scaled_filters(stage.filters, variant.width)) for stage in STAGES
    )
    deeper = (s._replace(repeats=math.ceil(s.repeats * variant.depth)) for s in middle)
    return (first, *deeper, last)


def _scaled_filters(filters: int, width: float) -> int:
    """Round `filters * width` to the nearest multiple of 8 that is not more than 10% lower."""
    wanted = filters * width
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * wanted else rounded + 8


def _build(variant, include_top, weights, input_shape, pooling, classes, name) -> keras.Model:
    shape = _checked_shape(input_shape, variant.size if include_top else None)
    if pooling not in (None, "avg", "max"):
        raise BackboneError(f"pooling must be None, 'avg' or 'max'. Received: {quoted(pooling)}.")
    stages = scaled_stages(variant)
    inputs = keras.Input(shape, name="image")
    x = conv_bn_relu6(inputs, conv(STEM_FILTERS, 3, strides=2, name="stem_conv"), "stem_")
    total = sum(stage.repeats for stage in stages)
    done = 0
    for number, stage in enumerate(stages, start=1):
        for repeat in range(stage.repeats):
            prefix = f"block{number}{chr(ord('a') + repeat)}_"
            strides = 1 if repeat else stage.strides
            x = mbconv(x, stage, strides, DROP_CONNECT * done / total, prefix)
            done += 1
    x = conv_bn_relu6(x, conv(HEAD_FILTERS, 1, name="top_conv"), "top_")

    if include_top or pooling == "avg":
        x = layers.GlobalAveragePooling2D(data_format=LAYOUT, name="avg_pool")(x)
    elif pooling == "max":
        x = layers.GlobalMaxPooling2D(data_format=LAYOUT, name="max_pool")(x)
    if include_top:
        x = layers.Dropout(variant.dropout, name="top_dropout")(x)
        # The classifier's initial kernel is uniform in [-1/sqrt(classes), 1/sqrt(classes)].
        init = keras.initializers.VarianceScaling(1 / 3, "fan_out", "uniform")
        x = layers.Dense(classes, "softmax", kernel_initializer=init, name="predictions")(x)

    model = keras.Model(inputs, x, name=name)
    if weights is not None:
        model.load_weights(weights)
    return model


def _checked_shape(shape, default: int | None) -> tuple[int | None, int | None, int]:
    if shape is None:
        return (default, default, 3)
    fits = len(shape) == 3 and shape[2] == 3
    if not fits or any(side is not None and side < MIN_SIZE for side in shape[:2]):
        raise BackboneError(
            "EfficientNet-Lite takes RGB images: input_shape must be (height, width, 3) with "
            f"sides of at least {MIN_SIZE}, or None for images of any size. Received: "
            f"{quoted(shape)}."
        )
    return tuple(shape)

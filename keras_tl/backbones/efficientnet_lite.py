"""EfficientNet-Lite0, a network for phones that is quick on any CPU (4.7 million weights).

EfficientNet-B0 (Tan and Le, 2019, "EfficientNet: Rethinking Model Scaling for Convolutional
Neural Networks", arXiv:1905.11946, table 1) without squeeze-and-excite and with ReLU6 in
place of swish; its stem (32 channels) and head (1280) stay unscaled in every Lite variant.
Announced on the TensorFlow blog on 16 March 2020; the constants below (BatchNorm, dropout,
survival probability) are those of `efficientnet/lite` in the TensorFlow TPU repository.
"""

from pathlib import Path
from typing import NamedTuple

import keras
from keras import layers

from keras_tl.errors import BackboneError

STEM_FILTERS = 32
HEAD_FILTERS = 1280
MIN_SIZE = 32
DEFAULT_SIZE = 224
DROPOUT = 0.2
DROP_CONNECT = 0.2
BN_EPSILON = 1e-3
# The value the weights were trained with: fine-tuning with live statistics moves them at the
# rate of the original training. It has no effect while the statistics are pinned.
BN_MOMENTUM = 0.99
_LAYOUT = "channels_last"

# He et al., 2015, arXiv:1502.01852, eq. 14 (fan-out), and a uniform law of +-1/sqrt(classes).
_CONV_INIT = {"scale": 2.0, "mode": "fan_out", "distribution": "untruncated_normal"}
_DENSE_INIT = {"scale": 1 / 3, "mode": "fan_out", "distribution": "uniform"}


class Stage(NamedTuple):
    """A run of MBConv blocks; only the first of them may change the size or the width.

    Attributes:
        repeats: number of blocks.
        kernel: side of the depthwise kernel, in pixels.
        strides: strides of the first block's depthwise convolution.
        expansion: channels inside a block, as a multiple of those coming in.
        filters: channels going out.
    """

    repeats: int
    kernel: int
    strides: int
    expansion: int
    filters: int


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
    """Builds EfficientNet-Lite0 from stock Keras layers, without preprocessing.

    Input: RGB images (batch, height, width, 3), floating point, already scaled as
    (pixel - 127) / 128 from pixels in [0, 255], so within [-0.993, 1]; channels last,
    whatever the global image data format. Padding is TensorFlow's "SAME", as in training.

    Output, in the dtype of the global policy:
        include_top: (batch, classes), softmax probabilities.
        else, pooling None: (batch, ceil(height / 32), ceil(width / 32), 1280), in [0, 6].
        else, pooling `"avg"` or `"max"`: (batch, 1280), in [0, 6].

    In training, a residual block is dropped for a whole image with a probability that rises
    linearly with depth towards 0.2 (stochastic depth: Huang et al., 2016, arXiv:1603.09382),
    and a dropout of 0.2 precedes the classifier.

    Args:
        include_top: add average pooling, dropout and the softmax classifier.
        weights: a `.weights.h5` file for `load_weights`, or `None` for random weights. A
            file written with the classifier also serves a network without it.
        input_shape: (height, width, 3), sides of at least 32 or `None`; by default
            (224, 224, 3) with the classifier and (None, None, 3) without.
        pooling: without the classifier: `None`, `"avg"` or `"max"`; with it, unused.
        classes: width of the classifier.
        name: name of the model.

    Returns:
        A functional model. Layers are named as in `keras.applications.EfficientNetB0`:
        `stem_conv`, `block2a_expand_conv`, `block2b_add`, ..., `top_activation`, `predictions`.

    Raises:
        BackboneError: the input shape or the pooling is not one of those above.
        OSError, ValueError: Keras found no such file, or one of another network.
    """
    shape = _checked_shape(input_shape, DEFAULT_SIZE if include_top else None)
    if pooling not in (None, "avg", "max"):
        raise BackboneError(f"pooling must be None, 'avg' or 'max'. Received: {pooling!r}.")

    inputs = keras.Input(shape, name="image")
    x = _conv_bn(inputs, _conv(STEM_FILTERS, 3, strides=2, name="stem_conv"), "stem_bn")
    x = _relu6(x, "stem_activation")
    total = sum(stage.repeats for stage in STAGES)
    done = 0
    for number, stage in enumerate(STAGES, start=1):
        for repeat in range(stage.repeats):
            prefix = f"block{number}{chr(ord('a') + repeat)}_"
            strides = 1 if repeat else stage.strides
            x = _mbconv(x, stage, strides, DROP_CONNECT * done / total, prefix)
            done += 1
    x = _conv_bn(x, _conv(HEAD_FILTERS, 1, name="top_conv"), "top_bn")
    x = _relu6(x, "top_activation")

    if include_top:
        x = layers.GlobalAveragePooling2D(data_format=_LAYOUT, name="avg_pool")(x)
        x = layers.Dropout(DROPOUT, name="top_dropout")(x)
        init = keras.initializers.VarianceScaling(**_DENSE_INIT)
        x = layers.Dense(
            classes, activation="softmax", kernel_initializer=init, name="predictions"
        )(x)
    elif pooling == "avg":
        x = layers.GlobalAveragePooling2D(data_format=_LAYOUT, name="avg_pool")(x)
    elif pooling == "max":
        x = layers.GlobalMaxPooling2D(data_format=_LAYOUT, name="max_pool")(x)

    model = keras.Model(inputs, x, name=name)
    if weights is not None:
        model.load_weights(weights)
    return model


def _mbconv(x, stage: Stage, strides: int, drop_rate: float, prefix: str):
    """Inverted residual block (Sandler et al., 2018, arXiv:1801.04381, section 3.3)."""
    inputs = x
    if stage.expansion != 1:
        filters = inputs.shape[-1] * stage.expansion
        x = _conv_bn(x, _conv(filters, 1, name=f"{prefix}expand_conv"), f"{prefix}expand_bn")
        x = _relu6(x, f"{prefix}expand_activation")
    depthwise = layers.DepthwiseConv2D(
        stage.kernel,
        strides=strides,
        padding="same",
        data_format=_LAYOUT,
        use_bias=False,
        depthwise_initializer=keras.initializers.VarianceScaling(**_CONV_INIT),
        name=f"{prefix}dwconv",
    )
    x = _relu6(_conv_bn(x, depthwise, f"{prefix}bn"), f"{prefix}activation")
    project = _conv(stage.filters, 1, name=f"{prefix}project_conv")
    x = _conv_bn(x, project, f"{prefix}project_bn")
    if strides != 1 or inputs.shape[-1] != stage.filters:
        return x
    if drop_rate:
        x = layers.Dropout(drop_rate, noise_shape=(None, 1, 1, 1), name=f"{prefix}drop")(x)
    return layers.Add(name=f"{prefix}add")([x, inputs])


def _conv(filters: int, kernel: int, strides: int = 1, *, name: str) -> layers.Conv2D:
    return layers.Conv2D(
        filters,
        kernel,
        strides=strides,
        padding="same",
        data_format=_LAYOUT,
        use_bias=False,
        kernel_initializer=keras.initializers.VarianceScaling(**_CONV_INIT),
        name=name,
    )


def _conv_bn(x, conv: layers.Layer, name: str):
    norm = layers.BatchNormalization(momentum=BN_MOMENTUM, epsilon=BN_EPSILON, name=name)
    return norm(conv(x))


def _relu6(x, name: str):
    return layers.ReLU(max_value=6.0, name=name)(x)


def _checked_shape(shape, default: int | None) -> tuple[int | None, int | None, int]:
    if shape is None:
        return (default, default, 3)
    fits = len(shape) == 3 and shape[2] == 3
    if not fits or any(side is not None and side < MIN_SIZE for side in shape[:2]):
        raise BackboneError(
            f"EfficientNetLite0 takes RGB images: input_shape must be (height, width, 3) with "
            f"sides of at least {MIN_SIZE}, or None for any. Received: {shape!r}."
        )
    return tuple(shape)

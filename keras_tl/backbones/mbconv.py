"""Build the inverted residual blocks (MBConv) of EfficientNet-Lite from standard Keras layers."""

from typing import NamedTuple

import keras
from keras import layers

LAYOUT = "channels_last"
BN_EPSILON = 1e-3
# BatchNorm momentum of the original training. The momentum has no effect while `Backbone` fixes the
# moving statistics. `Backbone.unfreeze(..., batch_norm="live")` lowers the momentum to 0.9.
BN_MOMENTUM = 0.99

# Initializer of the convolutions' weights: He et al., 2015, arXiv:1502.01852, eq. 14 (fan-out).
_CONV_INIT = {"scale": 2.0, "mode": "fan_out", "distribution": "untruncated_normal"}


class Stage(NamedTuple):
    """Series of MBConv blocks, of which only the first may change the image size and the channels.

    Attributes:
        repeats: Number of blocks in the stage.
        kernel: Side of the depthwise kernel, in pixels.
        strides: Strides of the depthwise convolution in the first block.
        expansion: Number of channels inside a block, divided by the number of its input channels.
        filters: Number of output channels of each block.
    """

    repeats: int
    kernel: int
    strides: int
    expansion: int
    filters: int


def mbconv(
    inputs: keras.KerasTensor, stage: Stage, strides: int, drop_rate: float, prefix: str
) -> keras.KerasTensor:
    """Add an inverted residual block (Sandler et al., 2018, arXiv:1801.04381, section 3.3).

    In training, an image skips the residual branch with the probability `drop_rate`. The names of
    the layers begin with `prefix`.
    """
    x = inputs
    if stage.expansion != 1:
        filters = inputs.shape[-1] * stage.expansion
        x = conv_bn_relu6(x, conv(filters, 1, name=f"{prefix}expand_conv"), f"{prefix}expand_")
    depthwise = layers.DepthwiseConv2D(
        stage.kernel,
        strides=strides,
        padding="same",
        data_format=LAYOUT,
        use_bias=False,
        depthwise_initializer=keras.initializers.VarianceScaling(**_CONV_INIT),
        name=f"{prefix}dwconv",
    )
    x = conv_bn_relu6(x, depthwise, prefix)
    x = _batch_norm(f"{prefix}project_bn")(conv(stage.filters, 1, name=f"{prefix}project_conv")(x))
    if strides != 1 or inputs.shape[-1] != stage.filters:
        return x
    if drop_rate:
        x = layers.Dropout(drop_rate, noise_shape=(None, 1, 1, 1), name=f"{prefix}drop")(x)
    return layers.Add(name=f"{prefix}add")([x, inputs])


def conv(filters: int, kernel: int, strides: int = 1, *, name: str) -> layers.Conv2D:
    """Return a convolution layer without bias and with TensorFlow's "SAME" padding."""
    return layers.Conv2D(
        filters,
        kernel,
        strides=strides,
        padding="same",
        data_format=LAYOUT,
        use_bias=False,
        kernel_initializer=keras.initializers.VarianceScaling(**_CONV_INIT),
        name=name,
    )


def conv_bn_relu6(x: keras.KerasTensor, convolution: layers.Layer, prefix: str):
    """Add a convolution, then the layers `{prefix}bn` and `{prefix}activation`."""
    x = _batch_norm(f"{prefix}bn")(convolution(x))
    return layers.ReLU(max_value=6.0, name=f"{prefix}activation")(x)


def _batch_norm(name: str) -> layers.BatchNormalization:
    return layers.BatchNormalization(momentum=BN_MOMENTUM, epsilon=BN_EPSILON, name=name)

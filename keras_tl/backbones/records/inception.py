"""Inception V3 (arXiv:1512.00567), Inception-ResNet V2 (arXiv:1602.07261), Xception (1610.02357).

Keras names few layers of these networks. The blocks have the names of these layers.
"""

from keras_tl.backbones.records.family import Family
from keras_tl.backbones.spec import BlockSpec

_INCEPTION = Family("tf", "Google (tensorflow/models)", "Apache-2.0", min_size=75)
_XCEPTION = Family("tf", "François Chollet", "MIT", min_size=71)

# The stem ends at the second pooling layer.
_STEM = BlockSpec("stem", "max_pooling2d_1")

RECORDS = (
    _INCEPTION.record(
        "inception_v3",
        "InceptionV3",
        299,
        2048,
        21_802_784,
        0.779,
        (_STEM, *(BlockSpec(f"mixed{number}", f"mixed{number}") for number in range(11))),
    ),
    _INCEPTION.record(
        "inception_resnet_v2",
        "InceptionResNetV2",
        299,
        1536,
        54_336_736,
        0.803,
        (
            _STEM,
            BlockSpec("mixed_5b", "mixed_5b"),
            BlockSpec("block35", "block35_*"),
            BlockSpec("mixed_6a", "mixed_6a"),
            BlockSpec("block17", "block17_*"),
            BlockSpec("mixed_7a", "mixed_7a"),
            # The last unit ends in a scaled addition, which has only a number in Keras.
            BlockSpec("block8", "custom_scale_layer_39"),
            BlockSpec("top"),
        ),
    ),
    _XCEPTION.record(
        "xception",
        "Xception",
        299,
        2048,
        20_861_480,
        0.790,
        (
            BlockSpec("block1", "block1_*"),
            BlockSpec("block2", "add"),
            *(BlockSpec(f"block{number}", f"add_{number - 2}") for number in range(3, 14)),
            BlockSpec("block14"),
        ),
    ),
)

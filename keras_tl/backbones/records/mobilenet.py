"""MobileNet (Howard et al., 2017, arXiv:1704.04861), V2 (arXiv:1801.04381), V3 (1905.02244).

Blocks have the numbers that are in Keras's layer names. In V2 and V3, Keras does not number the
first block, which has few weights. Here this block is part of the stem.
"""

from keras_tl.backbones.records.family import Family, numbered
from keras_tl.backbones.spec import BlockSpec

_SOURCE = "Google (tensorflow/models)"
_MOBILENET = Family("tf", _SOURCE, "Apache-2.0")
_V3 = Family(
    "tf",
    _SOURCE,
    "Apache-2.0",
    scales_inside=True,
    top1_source="keras.applications.MobileNetV3Small, documentation",
)


def _v3_blocks(count: int) -> tuple[BlockSpec, ...]:
    # The stem ends in an addition in the large network, and in a projection in the small network.
    stem = BlockSpec("stem", "expanded_conv_[ap]*")
    return (stem, *numbered(count, "expanded_conv_{}_*"), BlockSpec("top"))


RECORDS = (
    _MOBILENET.record(
        "mobilenet",
        "MobileNet",
        224,
        1024,
        3_228_864,
        0.704,
        (BlockSpec("stem", "conv1_relu"), *numbered(13, "conv_pw_{}_relu")),
    ),
    _MOBILENET.record(
        "mobilenet_v2",
        "MobileNetV2",
        224,
        1280,
        2_257_984,
        0.713,
        (BlockSpec("stem", "expanded_conv_*"), *numbered(16, "block_{}_*"), BlockSpec("top")),
    ),
    _V3.record("mobilenet_v3_small", "MobileNetV3Small", 224, 576, 939_120, 0.681, _v3_blocks(10)),
    _V3.record(
        "mobilenet_v3_large", "MobileNetV3Large", 224, 960, 2_996_352, 0.756, _v3_blocks(14)
    ),
)

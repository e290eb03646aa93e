"""ResNet (He et al., 2015, arXiv:1512.03385) and ResNetV2 (2016, arXiv:1603.05027)."""

from keras_tl.backbones.records.family import Family, numbered
from keras_tl.backbones.spec import BlockSpec

_V1 = Family("caffe", "Kaiming He et al.", "MIT")
_V2 = Family("tf", "Facebook (fb.resnet.torch)", "BSD")

_V1_BLOCKS = (BlockSpec("stem", "conv1_*"), *numbered(4, "conv{}_*", first=2))
_V2_BLOCKS = (BlockSpec("stem", "conv1_*"), *numbered(3, "conv{}_*", first=2), BlockSpec("block4"))

RECORDS = (
    _V1.record("resnet50", "ResNet50", 224, 2048, 23_587_712, 0.749, _V1_BLOCKS),
    _V1.record("resnet101", "ResNet101", 224, 2048, 42_658_176, 0.764, _V1_BLOCKS),
    _V1.record("resnet152", "ResNet152", 224, 2048, 58_370_944, 0.766, _V1_BLOCKS),
    _V2.record("resnet50_v2", "ResNet50V2", 224, 2048, 23_564_800, 0.760, _V2_BLOCKS),
    _V2.record("resnet101_v2", "ResNet101V2", 224, 2048, 42_626_560, 0.772, _V2_BLOCKS),
    _V2.record("resnet152_v2", "ResNet152V2", 224, 2048, 58_331_648, 0.780, _V2_BLOCKS),
)

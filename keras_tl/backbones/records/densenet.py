"""DenseNet (Huang et al., 2016, arXiv:1608.06993). Each block ends with the transition layers."""

from keras_tl.backbones.records.family import Family, numbered
from keras_tl.backbones.spec import BlockSpec

_DENSENET = Family("torch", "Zhuang Liu et al.", "BSD-3-Clause")
_BLOCKS = (BlockSpec("stem", "conv1_*"), *numbered(3, "pool{}_pool", first=2), BlockSpec("block4"))

RECORDS = (
    _DENSENET.record("densenet121", "DenseNet121", 224, 1024, 7_037_504, 0.750, _BLOCKS),
    _DENSENET.record("densenet169", "DenseNet169", 224, 1664, 12_642_880, 0.762, _BLOCKS),
    _DENSENET.record("densenet201", "DenseNet201", 224, 1920, 18_321_984, 0.773, _BLOCKS),
)

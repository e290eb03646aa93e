"""ConvNeXt (Liu et al., 2022, arXiv:2201.03545).

The base, large and xlarge weights were trained on ImageNet-21k before ImageNet-1k.
"""

from keras_tl.backbones.records.family import Family
from keras_tl.backbones.spec import BlockSpec

_CONVNEXT = Family("torch", "Facebook (facebookresearch/ConvNeXt)", "MIT", scales_inside=True)


def _blocks(third: int) -> tuple[BlockSpec, ...]:
    """Return a stem and stages of 3, 3, `third` and 3 units. Each unit ends in an `Add` layer."""
    return (
        BlockSpec("stem", "*_stem"),
        BlockSpec("block1", "add_2"),
        BlockSpec("block2", "add_5"),
        BlockSpec("block3", f"add_{5 + third}"),
        BlockSpec("block4"),
    )


RECORDS = (
    _CONVNEXT.record("convnext_tiny", "ConvNeXtTiny", 224, 768, 27_820_128, 0.813, _blocks(9)),
    _CONVNEXT.record("convnext_small", "ConvNeXtSmall", 224, 768, 49_454_688, 0.823, _blocks(27)),
    _CONVNEXT.record("convnext_base", "ConvNeXtBase", 224, 1024, 87_566_464, 0.853, _blocks(27)),
    _CONVNEXT.record("convnext_large", "ConvNeXtLarge", 224, 1536, 196_230_336, 0.863, _blocks(27)),
    _CONVNEXT.record(
        "convnext_xlarge", "ConvNeXtXLarge", 224, 2048, 348_147_968, 0.867, _blocks(27)
    ),
)

"""NASNet-A (Zoph et al., 2017, arXiv:1707.07012).

After the stem come three series of normal cells. Series two and three begin with a reduction cell.
"""

from keras_tl.backbones.records.family import Family
from keras_tl.backbones.spec import BlockSpec

_NASNET = Family("tf", "Google (tensorflow/models)", "Apache-2.0")


def _blocks(cells: int) -> tuple[BlockSpec, ...]:
    """Return the blocks of a network with `cells` normal cells in each series."""
    return (
        BlockSpec("stem", "reduction_concat_stem_2"),
        BlockSpec("block1", f"normal_concat_{cells - 1}"),
        BlockSpec("block2", f"normal_concat_{2 * cells}"),
        BlockSpec("block3"),
    )


RECORDS = (
    _NASNET.record("nasnet_mobile", "NASNetMobile", 224, 1056, 4_269_716, 0.744, _blocks(4)),
    _NASNET.record("nasnet_large", "NASNetLarge", 331, 4032, 84_916_818, 0.825, _blocks(6)),
)

"""Records of the networks in `keras.applications`."""

from keras_tl.backbones.preprocessing import Preprocessing
from keras_tl.backbones.records.family import Family, from_stem_to_top, numbered
from keras_tl.backbones.spec import BlockSpec

_TENSORFLOW = "Google (tensorflow/models)"
_V3_ACCURACY = "keras.applications.MobileNetV3Small, documentation"

_SIX, _SEVEN = from_stem_to_top(6), from_stem_to_top(7)

# The blocks of MobileNets have the numbers in Keras's layer names. In MobileNet V2 and V3, Keras
# does not number the first block, which has few weights. Here, this block is part of the stem.
_MOBILENET = (BlockSpec("stem", "conv1_relu"), *numbered(13, "conv_pw_{}_relu"))
_MOBILENET_V2 = (
    BlockSpec("stem", "expanded_conv_*"),
    *numbered(16, "block_{}_*"),
    BlockSpec("top"),
)

_CONV1 = BlockSpec("stem", "conv1_*")
_RESNET = (_CONV1, *numbered(4, "conv{}_*", first=2))
_RESNET_V2 = (_CONV1, *numbered(3, "conv{}_*", first=2), BlockSpec("block4"))

# Each block of a DenseNet ends with its transition layers.
_DENSENET = (_CONV1, *numbered(3, "pool{}_pool", first=2), BlockSpec("block4"))

# Keras gives names to few layers of Inception networks. The blocks have the names of these layers.
# The stem of an Inception network ends at the second pooling layer.
_INCEPTION_STEM = BlockSpec("stem", "max_pooling2d_1")
_INCEPTION = (_INCEPTION_STEM, *(BlockSpec(f"mixed{n}", f"mixed{n}") for n in range(11)))
_INCEPTION_RESNET = (
    _INCEPTION_STEM,
    BlockSpec("mixed_5b", "mixed_5b"),
    BlockSpec("block35", "block35_*"),
    BlockSpec("mixed_6a", "mixed_6a"),
    BlockSpec("block17", "block17_*"),
    BlockSpec("mixed_7a", "mixed_7a"),
    # The block ends in a scaled addition (`CustomScaleLayer`), a layer without a name of its own.
    BlockSpec("block8", "custom_scale_layer_39"),
    BlockSpec("top"),
)
_XCEPTION = (
    BlockSpec("block1", "block1_*"),
    BlockSpec("block2", "add"),
    *(BlockSpec(f"block{number}", f"add_{number - 2}") for number in range(3, 14)),
    BlockSpec("block14"),
)


def _mobilenet_v3(count: int) -> tuple[BlockSpec, ...]:
    # The stem of MobileNetV3Large ends in an addition, that of MobileNetV3Small in a projection.
    stem = BlockSpec("stem", "expanded_conv_[ap]*")
    return (stem, *numbered(count, "expanded_conv_{}_*"), BlockSpec("top"))


def _nasnet(cells: int) -> tuple[BlockSpec, ...]:
    """Return the blocks of a NASNet: a stem and three series of `cells` normal cells.

    The second and the third series of cells begin with a reduction cell.
    """
    return (
        BlockSpec("stem", "reduction_concat_stem_2"),
        BlockSpec("block1", f"normal_concat_{cells - 1}"),
        BlockSpec("block2", f"normal_concat_{2 * cells}"),
        BlockSpec("block3"),
    )


def _convnext(third: int) -> tuple[BlockSpec, ...]:
    """Return the blocks of a ConvNeXt: a stem, and stages of 3, 3, `third` and 3 units.

    Each unit ends in an `Add` layer.
    """
    return (
        BlockSpec("stem", "*_stem"),
        BlockSpec("block1", "add_2"),
        BlockSpec("block2", "add_5"),
        BlockSpec("block3", f"add_{5 + third}"),
        BlockSpec("block4"),
    )


RECORDS = (
    # EfficientNet: Tan and Le, 2019, arXiv:1905.11946. EfficientNetV2: arXiv:2104.00298.
    *Family("torch", "Google (tensorflow/tpu)", "Apache-2.0", scales_inside=True).records(
        ("efficientnet_b0", "EfficientNetB0", 224, 1280, 4_049_564, 0.771, _SEVEN),
        ("efficientnet_b1", "EfficientNetB1", 240, 1280, 6_575_232, 0.791, _SEVEN),
        ("efficientnet_b2", "EfficientNetB2", 260, 1408, 7_768_562, 0.801, _SEVEN),
        ("efficientnet_b3", "EfficientNetB3", 300, 1536, 10_783_528, 0.816, _SEVEN),
        ("efficientnet_b4", "EfficientNetB4", 380, 1792, 17_673_816, 0.829, _SEVEN),
        ("efficientnet_b5", "EfficientNetB5", 456, 2048, 28_513_520, 0.836, _SEVEN),
        ("efficientnet_b6", "EfficientNetB6", 528, 2304, 40_960_136, 0.840, _SEVEN),
        ("efficientnet_b7", "EfficientNetB7", 600, 2560, 64_097_680, 0.843, _SEVEN),
    ),
    *Family("torch", "Google (google/automl)", "Apache-2.0", scales_inside=True).records(
        ("efficientnet_v2_b0", "EfficientNetV2B0", 224, 1280, 5_919_312, 0.787, _SIX),
        ("efficientnet_v2_b1", "EfficientNetV2B1", 240, 1280, 6_931_124, 0.798, _SIX),
        ("efficientnet_v2_b2", "EfficientNetV2B2", 260, 1408, 8_769_374, 0.805, _SIX),
        ("efficientnet_v2_b3", "EfficientNetV2B3", 300, 1536, 12_930_622, 0.820, _SIX),
    ),
    *Family(
        Preprocessing((1 / 128,) * 3, (-1.0,) * 3),
        "Google (google/automl)",
        "Apache-2.0",
        scales_inside=True,
    ).records(
        ("efficientnet_v2_s", "EfficientNetV2S", 384, 1280, 20_331_360, 0.839, _SIX),
        ("efficientnet_v2_m", "EfficientNetV2M", 480, 1280, 53_150_388, 0.853, _SEVEN),
        ("efficientnet_v2_l", "EfficientNetV2L", 480, 1280, 117_746_848, 0.857, _SEVEN),
    ),
    # MobileNet: Howard et al., 2017, arXiv:1704.04861. V2: arXiv:1801.04381. V3: arXiv:1905.02244.
    *Family("tf", _TENSORFLOW, "Apache-2.0").records(
        ("mobilenet", "MobileNet", 224, 1024, 3_228_864, 0.704, _MOBILENET),
        ("mobilenet_v2", "MobileNetV2", 224, 1280, 2_257_984, 0.713, _MOBILENET_V2),
    ),
    *Family("tf", _TENSORFLOW, "Apache-2.0", scales_inside=True, top1_source=_V3_ACCURACY).records(
        ("mobilenet_v3_small", "MobileNetV3Small", 224, 576, 939_120, 0.681, _mobilenet_v3(10)),
        ("mobilenet_v3_large", "MobileNetV3Large", 224, 960, 2_996_352, 0.756, _mobilenet_v3(14)),
    ),
    # ResNet: He et al., 2015, arXiv:1512.03385. ResNetV2: 2016, arXiv:1603.05027.
    *Family("caffe", "Kaiming He et al.", "MIT").records(
        ("resnet50", "ResNet50", 224, 2048, 23_587_712, 0.749, _RESNET),
        ("resnet101", "ResNet101", 224, 2048, 42_658_176, 0.764, _RESNET),
        ("resnet152", "ResNet152", 224, 2048, 58_370_944, 0.766, _RESNET),
    ),
    *Family("tf", "Facebook (fb.resnet.torch)", "BSD").records(
        ("resnet50_v2", "ResNet50V2", 224, 2048, 23_564_800, 0.760, _RESNET_V2),
        ("resnet101_v2", "ResNet101V2", 224, 2048, 42_626_560, 0.772, _RESNET_V2),
        ("resnet152_v2", "ResNet152V2", 224, 2048, 58_331_648, 0.780, _RESNET_V2),
    ),
    # DenseNet: Huang et al., 2016, arXiv:1608.06993.
    *Family("torch", "Zhuang Liu et al.", "BSD-3-Clause").records(
        ("densenet121", "DenseNet121", 224, 1024, 7_037_504, 0.750, _DENSENET),
        ("densenet169", "DenseNet169", 224, 1664, 12_642_880, 0.762, _DENSENET),
        ("densenet201", "DenseNet201", 224, 1920, 18_321_984, 0.773, _DENSENET),
    ),
    # Inception V3: arXiv:1512.00567. Inception-ResNet V2: arXiv:1602.07261. Xception: 1610.02357.
    *Family("tf", _TENSORFLOW, "Apache-2.0", min_size=75).records(
        ("inception_v3", "InceptionV3", 299, 2048, 21_802_784, 0.779, _INCEPTION),
        (
            "inception_resnet_v2",
            "InceptionResNetV2",
            299,
            1536,
            54_336_736,
            0.803,
            _INCEPTION_RESNET,
        ),
    ),
    *Family("tf", "François Chollet", "MIT", min_size=71).records(
        ("xception", "Xception", 299, 2048, 20_861_480, 0.790, _XCEPTION),
    ),
    # NASNet-A: Zoph et al., 2017, arXiv:1707.07012.
    *Family("tf", _TENSORFLOW, "Apache-2.0").records(
        ("nasnet_mobile", "NASNetMobile", 224, 1056, 4_269_716, 0.744, _nasnet(4)),
        ("nasnet_large", "NASNetLarge", 331, 4032, 84_916_818, 0.825, _nasnet(6)),
    ),
    # ConvNeXt: Liu et al., 2022, arXiv:2201.03545. The base, large and xlarge weights were trained
    # on ImageNet-21k before ImageNet-1k.
    *Family("torch", "Facebook (facebookresearch/ConvNeXt)", "MIT", scales_inside=True).records(
        ("convnext_tiny", "ConvNeXtTiny", 224, 768, 27_820_128, 0.813, _convnext(9)),
        ("convnext_small", "ConvNeXtSmall", 224, 768, 49_454_688, 0.823, _convnext(27)),
        ("convnext_base", "ConvNeXtBase", 224, 1024, 87_566_464, 0.853, _convnext(27)),
        ("convnext_large", "ConvNeXtLarge", 224, 1536, 196_230_336, 0.863, _convnext(27)),
        ("convnext_xlarge", "ConvNeXtXLarge", 224, 2048, 348_147_968, 0.867, _convnext(27)),
    ),
    # VGG: Simonyan and Zisserman, 2014, arXiv:1409.1556.
    *Family("caffe", "Visual Geometry Group, Oxford", "CC-BY-4.0").records(
        ("vgg16", "VGG16", 224, 512, 14_714_688, 0.713, numbered(5)),
        ("vgg19", "VGG19", 224, 512, 20_024_384, 0.713, numbered(5)),
    ),
)

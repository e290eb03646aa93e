"""The table of backbones. A new one costs one record here; no other code knows its name."""

import re

from keras_tl.backbones.preprocessing import PREPROCESSINGS
from keras_tl.backbones.spec import BackboneSpec, Block, Weights
from keras_tl.errors import BackboneError, unknown

_KERAS_DOCS = "https://keras.io/api/applications/"
_PUBLISHED_BY_KERAS = {"top1_source": _KERAS_DOCS}


def _numbered(count: int, template: str = "block{}", first: int = 1) -> tuple[Block, ...]:
    """Blocks `block1`, `block2`, ... whose layers' names begin with the filled-in template."""
    return tuple(
        Block(f"block{number}", (template.format(number + first - 1),))
        for number in range(1, count + 1)
    )


_SPECS = (
    BackboneSpec(
        name="efficientnet_lite0",
        builder="keras_tl.backbones.efficientnet_lite:EfficientNetLite0",
        preprocessing=PREPROCESSINGS["lite"],
        image_size=(224, 224),
        min_size=32,
        features=1280,
        parameters=3_413_024,
        blocks=(
            Block("stem", ("stem_",)),
            *_numbered(7),
            Block("top", ("top_",)),
        ),
        weights=Weights(
            source="The TensorFlow TPU authors, converted (see keras_tl/backbones/weights)",
            licence="Apache-2.0",
            bundled="efficientnet_lite0_imagenet.weights.h5",
            top1=0.751,
            top1_source="tensorflow/tpu, models/official/efficientnet/lite",
        ),
    ),
    BackboneSpec(
        name="resnet50",
        builder="keras.applications:ResNet50",
        preprocessing=PREPROCESSINGS["caffe"],
        image_size=(224, 224),
        min_size=32,
        features=2048,
        parameters=23_587_712,
        blocks=(Block("stem", ("conv1_",)), *_numbered(4, "conv{}_", first=2)),
        weights=Weights(
            source="Kaiming He et al., ported by the Keras authors",
            licence="MIT",
            top1=0.749,
            **_PUBLISHED_BY_KERAS,
        ),
    ),
    BackboneSpec(
        name="vgg16",
        builder="keras.applications:VGG16",
        preprocessing=PREPROCESSINGS["caffe"],
        image_size=(224, 224),
        min_size=32,
        features=512,
        parameters=14_714_688,
        blocks=_numbered(5),
        weights=Weights(
            source="Visual Geometry Group, Oxford, ported by the Keras authors",
            licence="CC-BY-4.0",
            top1=0.713,
            **_PUBLISHED_BY_KERAS,
        ),
    ),
)

CATALOGUE = {spec.name: spec for spec in _SPECS}


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()


def get_spec(name: str) -> BackboneSpec:
    """The record of a backbone, its name matched ignoring case and underscores.

    Raises:
        BackboneError: there is none of that name; the message lists the near ones.
    """
    for spec in CATALOGUE.values():
        if _plain(spec.name) == _plain(name):
            return spec
    raise BackboneError(unknown("backbone", name, CATALOGUE))

"""The table of backbones to check. A new backbone costs one row."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_tl.backbones.layer import leaf_layers
from keras_tl.backbones.loading import seeded
from keras_tl.config import HeadConfig
from keras_tl.data import ImageData
from keras_tl.learner import Learner

_CLASSES = ("red", "green", "blue")
_PER_CLASS = 8


@dataclasses.dataclass(frozen=True)
class Case:
    """A backbone, and what the checks need to know of it.

    Attributes:
        backbone: a name from the catalogue or a registered one, or a function that builds a
            `keras.Model`.
        image_size: side in pixels, small enough to be quick.
        weights: `"imagenet"` where they are bundled; `None` for random ones.
        preprocess: for a model of one's own, as in `Learner`.
        reference: `"module:function"`, the preprocessing of the weights' authors. Scaling
            layers at the beginning of what the builder gives for "imagenet" come after it.
        statistics: what a published file holds in a Normalization layer: means and "variances".
        trained: whether it is small enough to be trained and exported by the checks. Those of
            bigger ones only build it.
    """

    backbone: str | Callable[[], keras.Model]
    image_size: int = 32
    weights: str | None = None
    preprocess: str | None = None
    reference: str | None = None
    statistics: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    trained: bool = True

    @property
    def name(self) -> str:
        """A name for test ids."""
        return self.backbone if isinstance(self.backbone, str) else self.backbone.__name__

    @property
    def in_catalogue(self) -> bool:
        """Whether the backbone has a record in the catalogue."""
        return isinstance(self.backbone, str)

    def data(self) -> ImageData:
        """Images of three colours, in noise: the smallest task that any network can learn."""
        rng = np.random.default_rng(0)
        labels = np.repeat(np.arange(len(_CLASSES)), _PER_CLASS)
        pixels = rng.uniform(0, 100, (len(labels), self.image_size, self.image_size, 3))
        pixels[np.arange(len(labels)), :, :, labels] += 120
        return ImageData.from_arrays(
            pixels.astype(np.float32), labels, class_names=_CLASSES, validation_split=0
        )

    def learner(self, settled: bool = False, **options: Any) -> Learner:
        """A learner on these images.

        Args:
            settled: give random BatchNorm layers the statistics of the images. Without them the
                signal and all gradients die in deep networks; with them rounding errors grow.
            options: as for `Learner`.
        """
        with seeded(options.get("seed", 0)):
            backbone = self.backbone if self.in_catalogue else self.backbone()
        defaults = {
            "weights": self.weights,
            "image_size": self.image_size,
            "preprocess": self.preprocess,
            "head": HeadConfig(dropout=0.0),
            "precision": "float32",
            "seed": 0,
            "verbose": False,
        }
        learner = Learner(backbone, self.data(), **(defaults | options))
        if settled and self.weights is None:
            _settle(learner)
        return learner


def _settle(learner: Learner) -> None:
    leaves = leaf_layers(learner.backbone.network)
    norms = [x for x in leaves if isinstance(x, keras.layers.BatchNormalization)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.trainable, norm.momentum = True, 0.0
    learner.backbone.network(learner.data.split("train").images, training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    learner.backbone.trainable = False


# The published files hold the standard deviations where Keras reads variances.
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def _rows(module: str, *names: str, **options: Any) -> tuple[Case, ...]:
    """Cases of backbones that one module of `keras.applications` has the preprocessing of."""
    reference = f"keras.applications.{module}:preprocess_input"
    return tuple(Case(name, reference=reference, **options) for name in names)


CASES = (
    Case("efficientnet_lite0", weights="imagenet"),
    *_rows(
        "efficientnet",
        "efficientnet_b0",
        "efficientnet_b1",
        "efficientnet_b2",
        "efficientnet_b3",
        "efficientnet_b4",
        "efficientnet_b5",
        "efficientnet_b6",
        "efficientnet_b7",
        statistics=_IMAGENET,
    ),
    *_rows(
        "efficientnet_v2",
        "efficientnet_v2_b0",
        "efficientnet_v2_b1",
        "efficientnet_v2_b2",
        "efficientnet_v2_b3",
        "efficientnet_v2_s",
        "efficientnet_v2_m",
    ),
    *_rows("efficientnet_v2", "efficientnet_v2_l", trained=False),
    *_rows("mobilenet", "mobilenet"),
    *_rows("mobilenet_v2", "mobilenet_v2"),
    *_rows("mobilenet_v3", "mobilenet_v3_small", "mobilenet_v3_large"),
    *_rows("resnet", "resnet50", "resnet101", "resnet152"),
    *_rows("resnet_v2", "resnet50_v2", "resnet101_v2", "resnet152_v2"),
    *_rows("densenet", "densenet121", "densenet169", "densenet201"),
    *_rows("inception_v3", "inception_v3", image_size=75),
    *_rows("inception_resnet_v2", "inception_resnet_v2", image_size=75),
    *_rows("xception", "xception", image_size=71),
    *_rows("nasnet", "nasnet_mobile"),
    *_rows("nasnet", "nasnet_large", trained=False),
    *_rows("convnext", "convnext_tiny", "convnext_small"),
    *_rows("convnext", "convnext_base", "convnext_large", "convnext_xlarge", trained=False),
    *_rows("vgg16", "vgg16"),
    *_rows("vgg19", "vgg19"),
)

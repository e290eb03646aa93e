"""The table of backbones to check. A new backbone costs one row."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

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
        backbone: a name from the catalogue, or a function that builds a `keras.Model`.
        image_size: side in pixels, small enough to be quick.
        weights: `"imagenet"` where they are bundled; `None` for random ones.
        preprocess: for a model of one's own, as in `Learner`.
        reference: `"module:function"`, the preprocessing of the weights' authors.
    """

    backbone: str | Callable[[], keras.Model]
    image_size: int = 32
    weights: str | None = None
    preprocess: str | None = None
    reference: str | None = None

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

    def learner(self, **options: Any) -> Learner:
        """A learner on these images; `options` as for `Learner`."""
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
        return Learner(backbone, self.data(), **(defaults | options))


CASES = (
    Case("efficientnet_lite0", weights="imagenet"),
    Case("resnet50", reference="keras.applications.resnet:preprocess_input"),
    Case("vgg16", reference="keras.applications.vgg16:preprocess_input"),
)

"""Table of backbones to check, one row per backbone."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_tl.backbones.layer import leaf_layers
from keras_tl.backbones.loading import seeded
from keras_tl.backbones.texts import TextPreprocessor
from keras_tl.base.config import HeadConfig
from keras_tl.data import ImageData, TextData
from keras_tl.learner import Learner
from keras_tl.models.modality import Tensors

_CLASSES = ("red", "green", "blue")
_WORDS = ("good", "bad")
_PER_CLASS = 8


def colours(case: "Case") -> ImageData:
    """Return noisy images of three colours: a minimal task that any network can learn."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(len(_CLASSES)), _PER_CLASS)
    pixels = rng.uniform(0, 100, (len(labels), case.image_size, case.image_size, 3))
    pixels[np.arange(len(labels)), :, :, labels] += 120
    return ImageData.from_arrays(
        pixels.astype(np.float32),
        labels,
        class_names=_CLASSES,
        image_size=case.image_size,
        validation_split=0,
    )


def words(case: "Case") -> TextData:
    """Return short texts of several lengths. One of their words determines the class."""
    labels = np.repeat(np.arange(len(_WORDS)), _PER_CLASS)
    texts = [f"the {_WORDS[label]}{' film' * (n % 5)}" for n, label in enumerate(labels)]
    return _texts(texts, labels)


def word_pairs(case: "Case") -> TextData:
    """Return pairs of texts, with the texts of `words` in second place."""
    split = words(case).split("train")
    return _texts([("the film", text) for text in split.texts], split.labels)


def _texts(texts: list, labels: np.ndarray) -> TextData:
    return TextData.from_arrays(
        texts, labels, class_names=_WORDS, validation_split=0, test_split=0, verbose=False
    )


@dataclasses.dataclass(frozen=True)
class Case:
    """A backbone, and the settings that the checks need.

    Attributes:
        backbone: Argument of `Learner`: a name from the catalogue, a registered name, or
            `"tfhub:HANDLE"`. Or a function that returns such a name or a `keras.Model`.
        image_size: Side in pixels, small for fast checks.
        weights: Only for a name from the catalogue: `"imagenet"` where no download is needed, the
            path of a file, or a function that returns the path. `None`: random weights.
        preprocess: Argument of `Learner` for your own model or for a text encoder, or a function
            that returns the argument.
        task: Function that makes the data from the case: `colours` for images, `words` or
            `word_pairs` for texts, or your own. The data have no validation split, so that
            training keeps the last weights.
        pooling: Pooling of the head. An encoder without token outputs needs `"pooled"`.
        reference: `"module:function"`, the preprocessing of the weights' authors. It runs before
            the scaling layers in the network that the builder returns for "imagenet".
        statistics: Values of a Normalization layer in a published file: means and "variances".
        trained: Whether the checks train and export the backbone. If not, they only look at the
            network: it is a deeper network from the constructor of another case.
        tunable: Whether the backbone can be fine-tuned. A TF-Hub module without trainable
            variables or without a training graph cannot.
        repeatable: Whether a seed makes fine-tuning repeatable. A seed reaches the dropout inside a
            TF-Hub module only if the state of its generator is a variable of the module.
    """

    backbone: str | Callable[[], keras.Model | str]
    image_size: int = 32
    weights: str | Callable[[], str] | None = None
    preprocess: str | TextPreprocessor | Callable[[], str | TextPreprocessor] | None = None
    task: Callable[["Case"], ImageData | TextData] = colours
    pooling: str = "avg"
    reference: str | None = None
    statistics: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    trained: bool = True
    tunable: bool = True
    repeatable: bool = True

    @property
    def name(self) -> str:
        """Name for test ids."""
        return self.backbone if isinstance(self.backbone, str) else self.backbone.__name__

    @property
    def in_catalogue(self) -> bool:
        """Whether the backbone has a record in the catalogue."""
        return _in_catalogue(self.backbone)

    def data(self) -> ImageData | TextData:
        """Return the data of the task."""
        return self.task(self)

    def learner(self, settled: bool = False, **options: Any) -> Learner:
        """Return a learner on the data, with an untrained head that has random weights.

        Args:
            settled: Whether to give random BatchNorm layers the statistics of the images. Without
                them, signal and gradients vanish in deep networks. With them, rounding errors grow.
            options: Arguments of `Learner`.
        """
        with seeded(options.get("seed", 0)):
            backbone = self.backbone if isinstance(self.backbone, str) else self.backbone()
        weights = self.weights() if callable(self.weights) else self.weights
        preprocess = self.preprocess
        # A `TextPreprocessor` is callable too, but it is not a function that returns the argument.
        if callable(preprocess) and not isinstance(preprocess, TextPreprocessor):
            preprocess = preprocess()
        defaults = {
            # If a function returned the name, it is known only now.
            **({"weights": weights} if _in_catalogue(backbone) else {}),
            "preprocess": preprocess,
            "head": HeadConfig(self.pooling, dropout=0.0),
            "precision": "float32",
            "seed": 0,
            "verbose": False,
            # The data are synthetic, so findings about them have no value.
            "check": False,
        }
        options = defaults | options
        learner = Learner(backbone, self.data(), **options)
        randomise_head(learner, options["seed"])
        if settled and self.weights is None:
            _settle(learner)
        return learner


def randomise_head(learner: Learner, seed: int | None = 0) -> None:
    """Give the last layer of an untrained head random weights in place of zeros.

    With zeros, all items have the same logits and no gradient reaches the backbone. Checks of
    logits or gradients would then pass for any network.
    """
    kernel = learner.trainer.parts.head.get_layer("logits").kernel
    kernel.assign(keras.initializers.GlorotUniform(seed=seed)(kernel.shape))


def _in_catalogue(backbone: object) -> bool:
    return isinstance(backbone, str) and ":" not in backbone


def train_inputs(learner: Learner, parts: int = 1) -> tuple[list[Tensors], np.ndarray]:
    """Return the training split as inputs of the learner's model.

    Args:
        learner: Learner with data.
        parts: Number of batches.

    Returns:
        Batches of equal size, the last one filled up, and the row numbers of the split in the order
        of the batches.
    """
    split = learner.data.split("train")
    batches, order = learner.trainer.pipeline.once(split, -(-len(split) // parts))
    return list(batches), np.arange(len(split)) if order is None else order


def _settle(learner: Learner) -> None:
    leaves = leaf_layers(learner.backbone.network)
    norms = [x for x in leaves if isinstance(x, keras.layers.BatchNormalization)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.trainable, norm.momentum = True, 0.0
    (inputs,), _ = train_inputs(learner)
    learner.backbone.network(inputs, training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    learner.backbone.trainable = False


# The published files have standard deviations where Keras reads variances.
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def _rows(module: str, *names: str, **options: Any) -> tuple[Case, ...]:
    """Return cases of backbones whose preprocessing is in one module of `keras.applications`."""
    reference = f"keras.applications.{module}:preprocess_input"
    return tuple(Case(name, reference=reference, **options) for name in names)


CASES = (
    Case("efficientnet_lite0", weights="imagenet"),
    # Packages hold the weights of efficientnet_lite1 and efficientnet_lite2, see
    # `keras_tl.backbones.weights_packages`.
    Case("efficientnet_lite1", weights="imagenet"),
    # With noise of 32 x 32 pixels, all features of this network are 0.
    Case("efficientnet_lite2", weights="imagenet", image_size=48),
    *_rows("efficientnet", "efficientnet_b0", statistics=_IMAGENET),
    *_rows(
        "efficientnet",
        "efficientnet_b1",
        "efficientnet_b2",
        "efficientnet_b3",
        "efficientnet_b4",
        "efficientnet_b5",
        "efficientnet_b6",
        "efficientnet_b7",
        statistics=_IMAGENET,
        trained=False,
    ),
    *_rows("efficientnet_v2", "efficientnet_v2_b0"),
    *_rows(
        "efficientnet_v2",
        "efficientnet_v2_b1",
        "efficientnet_v2_b2",
        "efficientnet_v2_b3",
        "efficientnet_v2_s",
        "efficientnet_v2_m",
        "efficientnet_v2_l",
        trained=False,
    ),
    *_rows("mobilenet", "mobilenet"),
    *_rows("mobilenet_v2", "mobilenet_v2"),
    *_rows("mobilenet_v3", "mobilenet_v3_small"),
    *_rows("mobilenet_v3", "mobilenet_v3_large", trained=False),
    *_rows("resnet", "resnet50"),
    *_rows("resnet", "resnet101", "resnet152", trained=False),
    *_rows("resnet_v2", "resnet50_v2"),
    *_rows("resnet_v2", "resnet101_v2", "resnet152_v2", trained=False),
    *_rows("densenet", "densenet121"),
    *_rows("densenet", "densenet169", "densenet201", trained=False),
    *_rows("inception_v3", "inception_v3", image_size=75),
    *_rows("inception_resnet_v2", "inception_resnet_v2", image_size=75),
    *_rows("xception", "xception", image_size=71),
    *_rows("nasnet", "nasnet_mobile"),
    *_rows("nasnet", "nasnet_large", trained=False),
    *_rows("convnext", "convnext_tiny"),
    *_rows(
        "convnext",
        "convnext_small",
        "convnext_base",
        "convnext_large",
        "convnext_xlarge",
        trained=False,
    ),
    *_rows("vgg16", "vgg16"),
    *_rows("vgg19", "vgg19"),
)

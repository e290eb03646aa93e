"""The table of backbones to check. A new backbone costs one row."""

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
    """Images of three colours, in noise: the smallest task that any network can learn."""
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
    """Short texts of several lengths: one of their words is the class."""
    labels = np.repeat(np.arange(len(_WORDS)), _PER_CLASS)
    texts = [f"the {_WORDS[label]}{' film' * (n % 5)}" for n, label in enumerate(labels)]
    return _texts(texts, labels)


def word_pairs(case: "Case") -> TextData:
    """The same texts as the second ones of pairs."""
    split = words(case).split("train")
    return _texts([("the film", text) for text in split.texts], split.labels)


def _texts(texts: list, labels: np.ndarray) -> TextData:
    return TextData.from_arrays(
        texts, labels, class_names=_WORDS, validation_split=0, test_split=0, verbose=False
    )


@dataclasses.dataclass(frozen=True)
class Case:
    """A backbone, and what the checks need to know of it.

    Attributes:
        backbone: what `Learner` takes: a name from the catalogue or a registered one,
            `"tfhub:HANDLE"`; or a function that gives such a name or builds a `keras.Model`.
        image_size: side in pixels, small enough to be quick.
        weights: of a name from the catalogue, `"imagenet"` where no download is needed, or the
            path of a file, or a function that gives it; `None` for random ones. Others come with
            their weights.
        preprocess: for a model of one's own, or for an encoder of texts, as in `Learner`; or a
            function that gives it.
        task: makes the data to learn: `colours` for images, `words` or `word_pairs` for texts, or
            a function of one's own that takes the case. They have no validation split, so that
            the last weights are kept.
        pooling: of the head; an encoder that has no tokens to give needs `"pooled"`.
        reference: `"module:function"`, the preprocessing of the weights' authors. Scaling
            layers at the beginning of what the builder gives for "imagenet" come after it.
        statistics: what a published file holds in a Normalization layer: means and "variances".
        trained: whether the checks train and export it. Of the others of its family, which one
            constructor makes with more layers, they look at the network only.
        tunable: whether it can be fine-tuned; a TF-Hub module without trainable variables, or
            without a trace for training, cannot.
        repeatable: whether a seed makes fine-tuning repeatable. Nothing can seed the dropout
            inside a TF-Hub module unless its state is a variable of the module.
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
        """A name for test ids."""
        return self.backbone if isinstance(self.backbone, str) else self.backbone.__name__

    @property
    def in_catalogue(self) -> bool:
        """Whether the backbone has a record in the catalogue."""
        return _in_catalogue(self.backbone)

    def data(self) -> ImageData | TextData:
        """The task's data."""
        return self.task(self)

    def learner(self, settled: bool = False, **options: Any) -> Learner:
        """A learner on these data, whose head is untrained but has random weights.

        Args:
            settled: give random BatchNorm layers the statistics of the images. Without them the
                signal and all gradients die in deep networks; with them rounding errors grow.
            options: as for `Learner`.
        """
        with seeded(options.get("seed", 0)):
            backbone = self.backbone if isinstance(self.backbone, str) else self.backbone()
        weights = self.weights() if callable(self.weights) else self.weights
        preprocess = self.preprocess
        # A `TextPreprocessor` can be called too, with texts.
        if callable(preprocess) and not isinstance(preprocess, TextPreprocessor):
            preprocess = preprocess()
        defaults = {
            # That of a name is known once it was made.
            **({"weights": weights} if _in_catalogue(backbone) else {}),
            "preprocess": preprocess,
            "head": HeadConfig(self.pooling, dropout=0.0),
            "precision": "float32",
            "seed": 0,
            "verbose": False,
            # The data are made up: their faults are nobody's.
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

    Otherwise all items have the same logits, and no gradient reaches the backbone: a check of
    either would hold for any network.
    """
    kernel = learner.trainer.parts.head.get_layer("logits").kernel
    kernel.assign(keras.initializers.GlorotUniform(seed=seed)(kernel.shape))


def _in_catalogue(backbone: object) -> bool:
    return isinstance(backbone, str) and ":" not in backbone


def train_inputs(learner: Learner, parts: int = 1) -> tuple[list[Tensors], np.ndarray]:
    """The training split as the learner's model takes it.

    Args:
        learner: a learner with data.
        parts: how many batches to make of it.

    Returns:
        The batches, of one size, the last one filled up; and the numbers of the split's rows in
        the order that they come in.
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


# The published files hold the standard deviations where Keras reads variances.
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def _rows(module: str, *names: str, **options: Any) -> tuple[Case, ...]:
    """Cases of backbones that one module of `keras.applications` has the preprocessing of."""
    reference = f"keras.applications.{module}:preprocess_input"
    return tuple(Case(name, reference=reference, **options) for name in names)


CASES = (
    Case("efficientnet_lite0", weights="imagenet"),
    # Their weights are in packages (`keras_tl.backbones.packaged`).
    Case("efficientnet_lite1", weights="imagenet"),
    # Of noise of 32 x 32 pixels its features are all zero.
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

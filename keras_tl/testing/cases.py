"""Backbones for the conformance checks, with small data sets and settings for the checks."""

import dataclasses
from collections.abc import Callable
from typing import Any, Unpack

import keras
import numpy as np

from keras_tl.backbones.layer import leaf_layers
from keras_tl.backbones.loading import seeded
from keras_tl.backbones.texts import TextPreprocessor
from keras_tl.base.choices import PoolingName
from keras_tl.base.config import HeadConfig
from keras_tl.data import ImageData, TextData
from keras_tl.learner import Learner
from keras_tl.learner.options import LearnerOptions
from keras_tl.models.modality import Tensors

_CLASSES = ("red", "green", "blue")
_WORDS = ("good", "bad")
_PER_CLASS = 8


def colours(case: "Case") -> ImageData:
    """Return noisy images of three colours. Any network can learn to predict the colours.

    Example:
        >>> case = ktl.testing.Case(backbone="resnet50", image_size=32)
        >>> ktl.testing.colours(case).class_names
        ('red', 'green', 'blue')
    """
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
    """Return short texts of several lengths. One word of each text determines its class.

    Example:
        >>> case = ktl.testing.Case(backbone="tfhub:modules/bert", task=ktl.testing.words)
        >>> ktl.testing.words(case).split("train").texts[0]
        'the good'
    """
    labels = np.repeat(np.arange(len(_WORDS)), _PER_CLASS)
    texts = [f"the {_WORDS[label]}{' film' * (n % 5)}" for n, label in enumerate(labels)]
    return _texts(texts, labels)


def word_pairs(case: "Case") -> TextData:
    """Return pairs of texts. The second text of each pair comes from the function `words`.

    Example:
        >>> case = ktl.testing.Case(backbone="tfhub:modules/bert", task=ktl.testing.word_pairs)
        >>> ktl.testing.word_pairs(case).is_pair
        True
    """
    split = words(case).split("train")
    return _texts([("the film", text) for text in split.texts], split.labels)


def _texts(texts: list[Any], labels: np.ndarray) -> TextData:
    return TextData.from_arrays(
        texts, labels, class_names=_WORDS, validation_split=0, test_split=0, verbose=False
    )


@dataclasses.dataclass(frozen=True)
class Case:
    """Backbone to check, with the settings that the checks need.

    Attributes:
        backbone: Name of the backbone as in `Learner`: from the catalogue, registered by you, or
            `"tfhub:HANDLE"`. `backbone` may also be a function that returns a name or a
            `keras.Model`.
        image_size: Side of the images in pixels. Small images make the checks fast.
        weights: Weights of a backbone from the catalogue: `"imagenet"` (only if the weights need no
            download), the path of a file, or a function that returns the path. `None`: random
            weights.
        preprocess: Argument `preprocess` of `Learner` for your own model or for a text encoder, or
            a function that returns the argument.
        task: Function that takes the case and returns data: `colours` for images, `words` or
            `word_pairs` for texts, or your own function. If the data have no validation split,
            training keeps the weights of the last epoch.
        pooling: Pooling method of the head. Use `"pooled"` if a text encoder has no token outputs.
        reference: Preprocessing function of the weights' authors, as `"module:function"`. The
            `reference` function runs before the scaling layers that the builder adds for
            `weights="imagenet"`.
        statistics: Means and variances of the Normalization layer in the published weights file.
        trained: Whether the checks train and export the backbone. `False`: the checks only build
            the network. Set `trained=False` for a deeper variant of a backbone that another case
            trains.
        tunable: Whether the backbone can be fine-tuned. TF-Hub modules without trainable variables
            or without a training graph cannot be fine-tuned.
        repeatable: Whether two fine-tunings with the same seed give the same weights. In a TF-Hub
            module, the seed reaches dropout only if the state of dropout's random generator is a
            variable.

    Example:
        >>> case = ktl.testing.Case(backbone="resnet50", image_size=32)
        >>> case.name, case.trained
        ('resnet50', True)
    """

    backbone: str | Callable[[], keras.Model | str]
    _: dataclasses.KW_ONLY
    image_size: int = 32
    weights: str | Callable[[], str] | None = None
    preprocess: str | TextPreprocessor | Callable[[], str | TextPreprocessor] | None = None
    task: Callable[["Case"], ImageData | TextData] = colours
    pooling: PoolingName = "avg"
    reference: str | None = None
    statistics: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    trained: bool = True
    tunable: bool = True
    repeatable: bool = True

    @property
    def name(self) -> str:
        """Name of the case in pytest's test ids.

        Example:
            >>> ktl.testing.Case(backbone="resnet50").name
            'resnet50'
        """
        return self.backbone if isinstance(self.backbone, str) else self.backbone.__name__

    @property
    def in_catalogue(self) -> bool:
        """Whether the catalogue of backbones has a record of this backbone.

        Example:
            >>> ktl.testing.Case(backbone="tfhub:modules/vectors").in_catalogue
            False
        """
        return _in_catalogue(self.backbone)

    def data(self) -> ImageData | TextData:
        """Make the data with the function `task`.

        Example:
            >>> ktl.testing.Case(backbone="resnet50", image_size=32).data().image_size
            (32, 32)
        """
        return self.task(self)

    def learner(
        self,
        settled: bool = False,
        *,
        seed: int | None = 0,
        verbose: bool = False,
        **options: Unpack[LearnerOptions],
    ) -> Learner:
        """Return a learner on the data, with random weights in the untrained head instead of zeros.

        Args:
            settled: Whether to set BatchNorm layers to the statistics of the images, if the weights
                are random. With random weights and BatchNorm's initial statistics, activations and
                gradients vanish in deep networks. With the statistics of the images, BatchNorm
                layers enlarge rounding errors.
            seed: Seed of the learner and of the random weights.
            verbose: Whether to report progress on standard error.
            options: Further arguments of `Learner`, see `LearnerOptions`.

        Example:
            >>> case = ktl.testing.Case(backbone=lambda: network, image_size=16, preprocess="tf")
            >>> case.learner().task.kind
            'multiclass'
        """
        with seeded(seed):
            backbone = self.backbone if isinstance(self.backbone, str) else self.backbone()
        weights = self.weights() if callable(self.weights) else self.weights
        preprocess = self.preprocess
        # Do not call a `TextPreprocessor`, although it is callable: the learner needs the
        # `TextPreprocessor` itself.
        if callable(preprocess) and not isinstance(preprocess, TextPreprocessor):
            preprocess = preprocess()
        defaults: LearnerOptions = {
            # Check `backbone`, because `self.backbone` can be a function that returns a name.
            **({"weights": weights} if _in_catalogue(backbone) else {}),
            "preprocess": preprocess,
            "head": HeadConfig(self.pooling, dropout=0.0),
            "precision": "float32",
            # Skip the preflight checks: their findings about synthetic data have no value.
            "preflight": False,
        }
        given: LearnerOptions = {**defaults, **options}
        learner = Learner(backbone, self.data(), seed=seed, verbose=verbose, **given)
        randomise_head(learner, seed)
        if settled and self.weights is None:
            _settle(learner)
        return learner


def randomise_head(learner: Learner, seed: int | None = 0) -> None:
    """Set the last layer of an untrained head to random weights instead of zeros.

    If the last layer has zero weights, all items have the same logits, and all gradients of the
    backbone are zero. Then checks of logits or gradients would pass for any network.
    """
    kernel = learner.trainer.parts.head.get_layer("logits").kernel
    kernel.assign(keras.initializers.GlorotUniform(seed=seed)(kernel.shape))


def _in_catalogue(backbone: object) -> bool:
    return isinstance(backbone, str) and ":" not in backbone


def train_inputs(learner: Learner, parts: int = 1) -> tuple[list[Tensors], np.ndarray]:
    """Return the training inputs in `parts` equal batches (the last padded), and row numbers."""
    split = learner._state.need_data().split("train")
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


# Means and "variances" of the Normalization layer in the published weights files. The files wrongly
# hold standard deviations as variances.
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def _rows(module: str, *names: str, **options: Any) -> tuple[Case, ...]:
    """Return a case for each backbone of a module of `keras.applications`."""
    reference = f"keras.applications.{module}:preprocess_input"
    return tuple(Case(name, reference=reference, **options) for name in names)


CASES = (
    Case("efficientnet_lite0", weights="imagenet"),
    # Python packages contain the weights of efficientnet_lite1 and efficientnet_lite2, see
    # `keras_tl.backbones.weights_packages`.
    Case("efficientnet_lite1", weights="imagenet"),
    # Use 48 pixels: for noise images of 32 x 32 pixels, all features of efficientnet_lite2 are 0.
    Case("efficientnet_lite2", weights="imagenet", image_size=48),
    *_rows("efficientnet", "efficientnet_b0", statistics=_IMAGENET),
    *_rows(
        "efficientnet",
        *(f"efficientnet_b{number}" for number in range(1, 8)),
        statistics=_IMAGENET,
        trained=False,
    ),
    *_rows("efficientnet_v2", "efficientnet_v2_b0"),
    *_rows(
        "efficientnet_v2",
        *(f"efficientnet_v2_{size}" for size in ("b1", "b2", "b3", "s", "m", "l")),
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
        *(f"convnext_{size}" for size in ("small", "base", "large", "xlarge")),
        trained=False,
    ),
    *_rows("vgg16", "vgg16"),
    *_rows("vgg19", "vgg19"),
)

"""Image augmentation with Keras layers, which change only training batches, not cached images."""

from collections.abc import Callable, Sequence
from typing import Any, get_args

import keras
import tensorflow as tf

from keras_tl.base.choices import AugmentationName
from keras_tl.errors import MOST_QUOTED, ConfigError, unknown

AUGMENTATIONS: tuple[AugmentationName, ...] = get_args(AugmentationName)
_MIXING = {"mixup", "cutmix"}

Augmentation = (
    AugmentationName | bool | Callable[..., Any] | Sequence[AugmentationName | Callable[..., Any]]
)


def check_augmentation(kind: Augmentation) -> None:
    """Raise `ConfigError` unless `kind` is a valid value of `augment=`."""
    for part in _parts(kind):
        if not (isinstance(kind, bool) or callable(part) or part in AUGMENTATIONS):
            raise ConfigError(
                f"{unknown('augmentation', part, AUGMENTATIONS)} Other accepted "
                "values: True, False, a Keras layer, a list of names and layers."
            )


def try_augmentation(kind: Augmentation, image_size: tuple[int, int]) -> None:
    """Trace the layers and functions of a user in a graph, to find errors before training.

    Raises:
        ConfigError: A layer or function fails on a batch of images, returns images of another shape
            than the input, or returns images of an unknown shape.
    """
    shape = (None, *image_size, 3)
    for part in _parts(kind):
        if not callable(part):
            continue
        (name,) = names_of(part)
        traced = tf.function(lambda pixels, part=part: tf.convert_to_tensor(part(pixels)))
        try:
            found = traced.get_concrete_function(tf.TensorSpec(shape, tf.float32)).outputs[0].shape
        except Exception as error:  # User code may raise any error.
            raise ConfigError(
                f"augment: {name} failed on a batch of images, float32 {shape}: {_reason(error)}"
            ) from error
        if found.rank is None or not found.is_compatible_with(shape):
            gave = "a value without a known shape" if found.rank is None else tuple(found)
            raise ConfigError(
                f"augment: {name} must return images of the same shape as its input, {shape}. "
                f"Received: {gave}."
            )


def _reason(error: Exception) -> str:
    """Return the line of an error message that names the cause (in a traceback, the last line)."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1 if lines[0].startswith("in user code") else 0].strip()[:MOST_QUOTED]


def mixes_labels(kind: Augmentation) -> bool:
    """Whether an augmentation mixes two images and their labels, so that labels are soft."""
    return any(isinstance(part, str) and part in _MIXING for part in _parts(kind))


def names_of(kind: Augmentation) -> tuple[str, ...]:
    """Return the name of each part of an augmentation. The name of a layer is its class name."""
    if kind is False:
        return ()
    return tuple(
        part if isinstance(part, str) else getattr(part, "__name__", type(part).__name__)
        for part in ("standard" if part is True else part for part in _parts(kind))
    )


def augmenter(
    kind: Augmentation, seed: int
) -> Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]] | None:
    """Return a function that augments batches.

    Args:
        kind: A name, a Keras layer, a callable, or a list of these parts, which are applied in the
            order of the list. `False` means no augmentation. A layer or callable takes and returns
            pixels, float32 (batch, height, width, 3) in [0, 255]. The names are:

            * `"standard"` or `True`: random horizontal flip, translation and zoom by up to 10%.
            * `"no-flip"`: translation and zoom without a flip (for digits, text, traffic signs).
            * `"randaugment"`: two operations of Keras's RandAugment (Cubuk et al., 2020,
              arXiv:1909.13719) at strength 0.2. Strength 1 rotates by up to 360 degrees.
            * `"mixup"`: blends each image with another image, and their labels as well (Zhang
              et al., 2018, arXiv:1710.09412, alpha 0.2).
            * `"cutmix"`: replaces a part of each image by a part of another image, and mixes
              their labels (Yun et al., 2019, arXiv:1905.04899).
        seed: Random seed of the layers that this function creates.

    Returns:
        A function that takes and returns (pixels, targets), both float32 batches. The result is
        `None` if `kind` is `False`.

    Raises:
        ConfigError: `kind` is not valid.
    """
    check_augmentation(kind)
    if kind is False:
        return None
    steps = [step for n, part in enumerate(_parts(kind)) for step in _steps(part, seed + 10 * n)]

    def augment(pixels: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        for step in steps:
            pixels, targets = step(pixels, targets)
        return pixels, targets

    return augment


def _parts(kind: Augmentation) -> Sequence[Any]:
    return kind if isinstance(kind, (list, tuple)) else [kind]


def _steps(part: str | bool | Callable[..., Any], seed: int) -> list[Callable[..., Any]]:
    if isinstance(part, str) and part in _MIXING:
        layer = keras.layers.MixUp if part == "mixup" else keras.layers.CutMix
        return [_on_both(layer(seed=seed))]
    if callable(part):
        return [_on_pixels(part)]
    if part == "randaugment":
        layer = keras.layers.RandAugment(value_range=(0, 255), factor=0.2, seed=seed)
        return [_on_pixels(layer, training=True)]
    layers = [
        keras.layers.RandomTranslation(0.1, 0.1, fill_mode="nearest", seed=seed),
        keras.layers.RandomZoom(0.1, fill_mode="nearest", seed=seed + 1),
    ]
    if part != "no-flip":
        layers.insert(0, keras.layers.RandomFlip("horizontal", seed=seed + 2))
    return [_on_pixels(layer, training=True) for layer in layers]


def _on_pixels(layer: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    return lambda pixels, targets: (layer(pixels, **options), targets)


def _on_both(layer: keras.layers.Layer) -> Callable[..., Any]:
    def mix(pixels: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        mixed = layer({"images": pixels, "labels": targets}, training=True)
        return mixed["images"], mixed["labels"]

    return mix

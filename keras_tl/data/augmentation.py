"""Augmentation as Keras layers; used in training only, and never in a cache."""

from collections.abc import Callable

import keras

from keras_tl.errors import ConfigError, unknown

AUGMENTATIONS = ("standard", "no-flip")


def check_augmentation(kind: str | bool | Callable) -> None:
    """Raises `ConfigError` unless `kind` is something that `augment=` takes."""
    if not (isinstance(kind, bool) or callable(kind) or kind in AUGMENTATIONS):
        raise ConfigError(
            f"{unknown('augmentation', kind, AUGMENTATIONS)} True, False and a Keras layer are "
            "accepted too."
        )


def augmenter(kind: str | bool | Callable, seed: int) -> Callable | None:
    """The augmentation asked for, as a callable on batches of images.

    Args:
        kind: `False` for none; `"standard"` or `True`: mirrored or not, moved and scaled by up
            to 10%; `"no-flip"`: the same, never mirrored (digits, text,
            traffic signs); or a Keras layer (or any callable) of your own, which takes and
            gives float32 (batch, height, width, 3) in [0, 255].
        seed: seed of the layers made here.

    Raises:
        ConfigError: `kind` is none of these.
    """
    if kind is False:
        return None
    if callable(kind):
        return kind
    check_augmentation(kind)
    layers = [
        keras.layers.RandomTranslation(0.1, 0.1, fill_mode="nearest", seed=seed),
        keras.layers.RandomZoom(0.1, fill_mode="nearest", seed=seed + 1),
    ]
    if kind in ("standard", True):
        layers.insert(0, keras.layers.RandomFlip("horizontal", seed=seed + 2))

    def augment(images):
        for layer in layers:
            images = layer(images, training=True)
        return images

    return augment

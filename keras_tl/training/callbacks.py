"""Check the user's Keras callbacks, and find the epoch that produced a model's final weights."""

from collections.abc import Sequence

import keras

from keras_tl.errors import ConfigError, quoted
from keras_tl.features.fingerprints import crc32

_PER_STEP = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")


def check_callbacks(
    callbacks: Sequence[keras.callbacks.Callback] | None,
) -> tuple[keras.callbacks.Callback, ...]:
    """Check callbacks, and return them as a tuple. As in Keras, `None` means no callbacks.

    Raises:
        ConfigError: `callbacks` is not a list of Keras callbacks, or contains `SwapEMAWeights`.
    """
    if callbacks is None:
        return ()
    if isinstance(callbacks, keras.callbacks.Callback):
        raise ConfigError(
            f"callbacks must be a list. Received: {type(callbacks).__name__}. Pass "
            "callbacks=[callback]."
        )
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            raise ConfigError(
                "callbacks must be a list of instances of keras.callbacks.Callback. Received: "
                f"{quoted(callback)}."
            )
        if isinstance(callback, keras.callbacks.SwapEMAWeights):
            raise ConfigError(
                "SwapEMAWeights needs an optimizer with use_ema=True. The optimizers of the phases "
                "keep no moving average of the weights. Leave SwapEMAWeights out. fit() can keep "
                "an average of the weights before and after fine-tuning."
            )
    return tuple(callbacks)


def hook_into_steps(callbacks: Sequence[keras.callbacks.Callback]) -> bool:
    """Return whether a callback overrides a method for the beginning or the end of a step."""
    return any(
        getattr(method, "__func__", method) is not getattr(keras.callbacks.Callback, name)
        for callback in callbacks
        for name in _PER_STEP
        for method in [getattr(callback, name)]
    )


class EpochWeights(keras.callbacks.Callback):
    """Find the epoch that produced a model's current weights, after a callback restored weights.

    The callback stores a CRC-32 checksum of all weights before training and after each epoch.
    `EpochWeights` must be the first callback in the list, because other callbacks may change the
    weights.
    """

    def on_train_begin(self, logs=None):
        """Store the checksum of the weights before training."""
        self._checksums = [crc32(self.model.get_weights())]

    def on_epoch_end(self, epoch, logs=None):
        """Store the checksum of the weights after an epoch."""
        self._checksums.append(crc32(self.model.get_weights()))

    def epoch_now(self) -> int | None:
        """Return the last epoch, counted from 1, after which the model had its current weights.

        Returns 0 for the weights before training, and `None` if no epoch produced the weights.
        """
        now = crc32(self.model.get_weights())
        found = [epoch for epoch, known in enumerate(self._checksums) if known == now]
        return found[-1] if found else None

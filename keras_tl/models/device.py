"""Choose the distribution strategy, the precision, and XLA compilation of a model."""

import contextlib
import functools
import os
from collections.abc import Iterator
from typing import get_args

import keras
import tensorflow as tf

from keras_tl.base.choices import Precision, StrategyName
from keras_tl.base.config import check_choice
from keras_tl.errors import ConfigError

PRECISIONS: tuple[Precision, ...] = get_args(Precision)
STRATEGIES: tuple[StrategyName, ...] = get_args(StrategyName)


def choose_strategy(strategy: StrategyName | tf.distribute.Strategy) -> tf.distribute.Strategy:
    """Return the requested distribution strategy.

    Args:
        strategy: Devices to use: a name, or a `tf.distribute.Strategy` for devices of this process.
            `"auto"`: a TPU if available, else all GPUs if there are several, else one device.
            `"single"`: one device. `"mirrored"`: all GPUs, or all logical CPUs if the machine has
            no GPU. `"tpu"`: a TPU.

    Raises:
        ConfigError: The strategy is unknown or spans several workers, or no TPU can be reached.
    """
    if isinstance(strategy, tf.distribute.Strategy):
        if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            raise ConfigError(
                "MultiWorkerMirroredStrategy does not work with Keras 3's fit "
                "(keras-team/keras#20585). Use MirroredStrategy on one machine."
            )
        return strategy
    check_choice("strategy", strategy, STRATEGIES)
    if strategy == "tpu" or (strategy == "auto" and _has_tpu()):
        return _tpu_strategy()
    gpus = tf.config.list_logical_devices("GPU")
    if strategy == "mirrored" or (strategy == "auto" and len(gpus) > 1):
        devices = gpus or tf.config.list_logical_devices("CPU")
        return _mirrored(tuple(device.name for device in devices))
    return tf.distribute.get_strategy()


@functools.cache
def _mirrored(devices: tuple[str, ...]) -> tf.distribute.Strategy:
    # All models share one strategy object. With two strategy objects, TensorFlow would give the
    # same numbers to different reductions, confuse them, and fail (tensorflow/tensorflow#62790).
    return tf.distribute.MirroredStrategy(devices)


def _has_tpu() -> bool:
    # Read the environment: without a TPU, `TPUClusterResolver` would wait for a metadata server.
    return bool({"TPU_NAME", "COLAB_TPU_ADDR", "TPU_WORKER_ID"} & os.environ.keys())


def _tpu_strategy() -> tf.distribute.Strategy:
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect()
    except (ValueError, tf.errors.OpError) as error:
        raise ConfigError(
            f"No TPU could be reached ({error}). Use strategy='auto' or 'single'."
        ) from error
    return tf.distribute.TPUStrategy(resolver)


def choose_precision(precision: str) -> str:
    """Return the requested Keras dtype policy.

    `"auto"` is `mixed_bfloat16` on TPUs and on GPUs of compute capability 8.0 or more. On GPUs of
    compute capability 7.0 to 7.9, `"auto"` is `mixed_float16`. On GPUs of a lower capability and on
    CPUs, `"auto"` is `float32`. On CPUs, bfloat16 would make some backbones faster and others
    slower.

    Raises:
        ConfigError: The precision is unknown.
    """
    check_choice("precision", precision, PRECISIONS)
    if precision != "auto":
        return precision
    if tf.config.list_logical_devices("TPU"):
        return "mixed_bfloat16"
    capabilities = [
        tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))
        for gpu in tf.config.list_physical_devices("GPU")
    ]
    if capabilities and min(capabilities) >= (7, 0):
        return "mixed_bfloat16" if min(capabilities) >= (8, 0) else "mixed_float16"
    return "float32"


@contextlib.contextmanager
def precision_policy(policy: str) -> Iterator[None]:
    """Use a Keras dtype policy for new layers in a `with` block, then restore the old policy."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def jit_compile() -> bool | str:
    """Return the argument `jit_compile` of Keras's `compile`: `False` on a CPU, else `"auto"`."""
    # On a CPU, depthwise convolutions take 10 times as long with XLA.
    accelerated = any(tf.config.list_logical_devices(kind) for kind in ("GPU", "TPU"))
    return "auto" if accelerated else False

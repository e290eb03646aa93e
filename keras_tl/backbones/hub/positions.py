"""Find the largest number of tokens that a TF-Hub encoder can read, by running the encoder."""

from pathlib import Path

import tensorflow as tf

from keras_tl.backbones.hub.module import HubModule
from keras_tl.backbones.hub.saved_model import open_saved_model
from keras_tl.base.config import SHORTEST_SEQUENCE
from keras_tl.errors import BackboneError

_CPU = "CPU:0"


def longest_up_to(module: HubModule, wanted: int) -> int:
    """Return the largest number of tokens, at most `wanted`, that an encoder reads.

    TF-Hub encoders do not state their largest number of tokens. `longest_up_to` first runs the
    encoder on `wanted` tokens. If the encoder fails on `wanted` tokens, `longest_up_to` tries
    shorter texts.

    Args:
        module: Encoder for texts of any length, with its variables on the CPU, see `on_cpu`.
        wanted: Number of tokens to try first, and upper limit of the result.

    Raises:
        BackboneError: The encoder fails even on the shortest texts.
    """
    if _problem(module, wanted) is None:
        return wanted
    works, fails = SHORTEST_SEQUENCE, wanted
    if (problem := _problem(module, works)) is not None:
        raise BackboneError(
            f"The encoder {module.name} fails on {works} tokens: {problem}. Expected an "
            "encoder that reads texts of any length."
        )
    while fails - works > 1:
        middle = (works + fails) // 2
        works, fails = (middle, fails) if _problem(module, middle) is None else (works, middle)
    return works


def on_cpu(module: HubModule, path: Path) -> HubModule:
    """Return the module if its variables are on the CPU, else a copy on the CPU.

    `longest_up_to` needs a CPU: if an encoder reads beyond its last position, a CPU raises an
    error, but a GPU returns zeros. `tf.device` alone does not move the encoder to the CPU, because
    operations run on the device of their variables. `path` is the folder of the TF-Hub module.
    """
    if all(variable.device.endswith(_CPU) for variable in module.variables):
        return module
    with tf.device(_CPU):
        return HubModule(open_saved_model(path), module.name)


def _problem(module: HubModule, length: int) -> str | None:
    """Return in one line why an encoder fails on `length` tokens, or `None` if it does not fail."""
    made = {name: tf.zeros((1, length), tf.int32) for name in module.inputs}
    try:
        with tf.device(_CPU):
            module(made | {"input_mask": tf.ones((1, length), tf.int32)}, training=False)
    except (tf.errors.OpError, ValueError) as error:
        return str(error).strip().splitlines()[0][:200]
    return None

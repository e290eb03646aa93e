"""What is trainable, and the compile that must follow every change of it: one function."""

import keras

from keras_tl.backbones.layer import Backbone
from keras_tl.config import Phase
from keras_tl.errors import ConfigError, unknown
from keras_tl.tasks import Task, needs_shares
from keras_tl.training.device import jit_compile
from keras_tl.training.optimizers import make_optimizer


def prepare(
    model: keras.Model,
    backbone: Backbone,
    phase: Phase,
    steps: int,
    task: Task,
    mixed: bool = False,
    steps_per_execution: int = 1,
) -> None:
    """Freezes and unfreezes as a phase says, then compiles.

    Args:
        model: the model that `fit` will be called on: all of it, or only the head.
        backbone: the backbone layer (outside of `model` when that is only the head).
        phase: the phase.
        steps: number of updates in the phase.
        task: decides loss and metrics.
        mixed: whether an augmentation mixes labels.
        steps_per_execution: as in Keras's `compile`.

    Raises:
        ConfigError: the phase names a block that the backbone has not.
    """
    unfreeze(backbone, phase.unfreeze, phase.batch_norm)
    shares = needs_shares(phase, mixed)
    with model.distribute_strategy.scope():
        optimizer = make_optimizer(phase, steps, model.trainable_variables)
        if "mixed_float16" in {layer.dtype_policy.name for layer in model._flatten_layers()}:
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        model.compile(
            optimizer=optimizer,
            loss=task.loss(phase.label_smoothing, shares),
            loss_weights=task.loss_weight,
            metrics=task.metrics(shares),
            jit_compile=jit_compile(),
            steps_per_execution=steps_per_execution,
        )


def unfreeze(backbone: Backbone, which: str | int | None, batch_norm: str = "affine") -> None:
    """Makes the blocks from the one named up to the head trainable and freezes the others.

    Args:
        backbone: the backbone layer.
        which: `None` (freeze all), `"all"`, the number of blocks counted from the head down, or
            the lowest block's name.
        batch_norm: `"affine"`, `"frozen"` or `"live"`, see `Phase`.

    Raises:
        ConfigError: there is no such block, or there are not so many.
    """
    backbone.unfreeze(blocks_to_unfreeze(backbone.blocks, which), batch_norm)


def blocks_to_unfreeze(blocks: tuple[str, ...], which: str | int | None) -> tuple[str, ...]:
    """The names of the blocks that `which` means; see `unfreeze`."""
    if which is None:
        return ()
    if which == "all":
        return blocks
    if isinstance(which, str):
        if which not in blocks:
            raise ConfigError(unknown("block", which, ["all", *blocks]))
        return blocks[blocks.index(which) :]
    if isinstance(which, bool) or not isinstance(which, int) or not 1 <= which <= len(blocks):
        raise ConfigError(
            f"unfreeze must be 'all', a block's name, or a number of blocks from 1 to "
            f"{len(blocks)}. Received: {which!r}. The blocks are: {', '.join(blocks)}."
        )
    return blocks[-which:]

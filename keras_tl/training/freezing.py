"""Freeze and unfreeze the blocks of a backbone, and compile the model after each change."""

from collections.abc import Callable

import keras

from keras_tl.backbones.layer import Backbone
from keras_tl.base.config import Phase
from keras_tl.base.keras_compat import layers_of
from keras_tl.errors import ConfigError, quoted, unknown
from keras_tl.models.device import jit_compile
from keras_tl.tasks import Task, needs_class_probabilities
from keras_tl.training.contrastive import Contrastive
from keras_tl.training.layer_learning_rates import learning_rate_factors
from keras_tl.training.optimizers import make_optimizer


def prepare(
    model: keras.Model,
    backbone: Backbone,
    phase: Phase,
    steps: int,
    task: Task | Contrastive,
    mixed: bool = False,
    steps_per_execution: int = 1,
) -> Callable[[tuple[str, ...]], None]:
    """Freeze or unfreeze blocks for the first epoch of a phase, then compile the model.

    Args:
        model: Model that `fit` will train: the whole model or only the head.
        backbone: Backbone layer to freeze or unfreeze. If `model` is only the head, it does not
            contain the backbone layer.
        steps: Number of optimizer updates in the whole phase, for the learning-rate schedule.
        mixed: Whether an augmentation, such as mixup, mixes labels.
        steps_per_execution: Argument of Keras's `compile`.

    Returns:
        A function that takes names of blocks, makes only these blocks trainable and compiles the
        model again. The optimizer keeps its moments and its number of steps.

    Raises:
        ConfigError: The phase names a block that the backbone does not have.
    """
    blocks = blocks_to_unfreeze(backbone.blocks, phase.unfreeze)
    backbone.unfreeze(blocks, phase.batch_norm)
    optimizer = _optimizer_of(model, backbone, phase, steps)
    shares = needs_class_probabilities(phase, mixed)

    def train(blocks: tuple[str, ...]) -> None:
        backbone.unfreeze(blocks, phase.batch_norm)
        with model.distribute_strategy.scope():
            model.compile(
                optimizer=optimizer,
                loss=task.loss(phase.label_smoothing, shares),
                loss_weights=task.loss_weight,
                metrics=task.metrics(shares),
                jit_compile=jit_compile(),
                steps_per_execution=steps_per_execution,
            )

    train(blocks_in_epoch(blocks, phase.unfreeze_every, 0, phase.epochs))
    return train


def _optimizer_of(
    model: keras.Model, backbone: Backbone, phase: Phase, steps: int
) -> keras.optimizers.Optimizer:
    variables, factors = model.trainable_variables, None
    if phase.discriminative_factor > 1 or phase.unfreeze_every is not None:
        blocks = [backbone.block_layers(block) for block in backbone.blocks]
        factors = learning_rate_factors(blocks, variables, phase.discriminative_factor)
    with model.distribute_strategy.scope():
        optimizer = make_optimizer(phase, steps, variables, factors)
        if "mixed_float16" in {layer.dtype_policy.name for layer in layers_of(model)}:
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        if phase.unfreeze_every is not None:
            # Build the optimizer with all variables now: an optimizer cannot update variables that
            # are added later.
            optimizer.build(variables)
    return optimizer


def blocks_to_unfreeze(blocks: tuple[str, ...], which: str | int | None) -> tuple[str, ...]:
    """Return the names of the blocks that `which` selects, from input to output.

    Args:
        which: Blocks to unfreeze: `None` (no blocks), `"all"`, a number n (the n blocks nearest to
            the head), or the name of the lowest block to unfreeze.

    Raises:
        ConfigError: `which` is not a block's name, and not a number from 1 to the number of blocks.
    """
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
            f"{len(blocks)}. Received: {quoted(which)}. The blocks are: {', '.join(blocks)}."
        )
    return blocks[-which:]


def blocks_in_epoch(
    blocks: tuple[str, ...], every: int | str | None, epoch: int, epochs: int
) -> tuple[str, ...]:
    """Return the names of the blocks that are trainable in an epoch, counted from 0.

    Args:
        blocks: Names of all blocks that the phase unfreezes, from input to output.
        every: Number of epochs before the phase unfreezes the next block, see
            `Phase.unfreeze_every`.
    """
    if every is None or not blocks:
        return blocks
    if every == "auto":
        count = max(epoch + 1, -(-len(blocks) * (epoch + 1) // epochs))
    else:
        count = 1 + epoch // every
    return blocks[-min(count, len(blocks)) :]

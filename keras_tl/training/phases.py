"""Training of a single phase: freeze blocks, compile, fit, and restore the best weights."""

import contextlib
import dataclasses
import functools
import math
import time
from collections.abc import Callable, Sequence

import keras

from keras_tl.backbones.layer import Backbone
from keras_tl.base.config import Phase
from keras_tl.base.reporting import KERAS_TRAINER, Reporter, no_retracing_warnings
from keras_tl.errors import ConfigError
from keras_tl.runs.history import PhaseRecord
from keras_tl.tasks import Task, monitored
from keras_tl.training.callbacks import EpochWeights, hook_into_steps
from keras_tl.training.contrastive import Contrastive
from keras_tl.training.freezing import blocks_in_epoch, blocks_to_unfreeze, prepare
from keras_tl.training.phase_inputs import PhaseInputs
from keras_tl.training.progress import EpochProgress

# Between two training steps, Keras pauses for longer than a step of the head takes. Several steps
# per execution save pauses, but TensorFlow needs about as long as 200 pauses to trace the loop over
# the steps.
CACHED_STEPS_PER_EXECUTION, WORTH_A_LOOP = 8, 200


class BestWeights(keras.callbacks.EarlyStopping):
    """Early stopping that can also restore the weights from before the phase.

    If no epoch improves the monitored metric, the phase ends with its initial weights.

    Args:
        patience: Number of epochs without improvement before training stops.
        before: Value of the monitored metric before the phase. `None`: the head is untrained, so
            the initial weights are never restored.
        name: Name of the monitored metric, without the prefix `val_`.
    """

    def __init__(
        self, patience: int, before: float | None, name: str = "loss", more_is_better: bool = False
    ):
        super().__init__(
            monitor=f"val_{name}",
            mode="max" if more_is_better else "min",
            patience=patience,
            restore_best_weights=True,
        )
        self._before = before
        self._worst = -math.inf if more_is_better else math.inf

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.best_epoch = -1
        if self._before is not None:
            self.best = self._comparable(self._before)
            self.best_weights = self.model.get_weights()

    def on_epoch_end(self, epoch, logs=None):
        known = {name: self._comparable(x) for name, x in logs.items() if name == self.monitor}
        super().on_epoch_end(epoch, logs | known)

    def _comparable(self, value: float) -> float:
        # No value is better than NaN in a comparison, so that NaN would stay the best value.
        return self._worst if math.isnan(value) else value

    def epoch_of(self, ran: Sequence[int]) -> int:
        """Return the best epoch's position in `ran`, counted from 1. 0: the initial weights."""
        return 0 if self.best_epoch < 0 else list(ran).index(self.best_epoch) + 1


class GradualUnfreezing(keras.callbacks.Callback):
    """Unfreeze the blocks of a phase one after the other, from the last block down.

    The callback compiles the model again between two epochs of the same call of `fit`. The callback
    does not replace the optimizer. At the end of training, all blocks of the phase are trainable,
    so that the trainable variables equal the variables of the optimizer.

    Args:
        phase: Phase whose `unfreeze_every` is not `None`.
        train: Function that makes only the given blocks trainable, see `prepare`.
    """

    def __init__(
        self,
        phase: Phase,
        blocks: tuple[str, ...],
        train: Callable[[tuple[str, ...]], None],
        reporter: Reporter,
    ):
        super().__init__()
        self._phase = phase
        self._blocks = blocks
        self._train = train
        self._reporter = reporter
        self._trained = self._blocks_in(0)

    def on_train_begin(self, logs=None):
        last = self._blocks_in(self._phase.epochs - 1)
        rest = ", ".join(block for block in self._blocks if block not in last)
        if rest:
            self._reporter.say(
                f"{self._phase.name}: {self._phase.epochs} epochs are too few to unfreeze {rest}."
            )

    def on_epoch_begin(self, epoch, logs=None):
        blocks = self._blocks_in(epoch)
        if blocks != self._trained:
            added = ", ".join(block for block in blocks if block not in self._trained)
            self._reporter.say(f"{self._phase.name}: epoch {epoch + 1} unfreezes {added}.")
            self._set(blocks)
            # Build the training function again: Keras's `fit` builds it only before the first
            # epoch.
            self.model.make_train_function()

    def on_train_end(self, logs=None):
        if self._trained != self._blocks:
            self._set(self._blocks)

    def _blocks_in(self, epoch: int) -> tuple[str, ...]:
        phase = self._phase
        return blocks_in_epoch(self._blocks, phase.unfreeze_every, epoch, phase.epochs)

    def _set(self, blocks: tuple[str, ...]) -> None:
        self._train(blocks)
        self._trained = blocks


def run_phase(
    phase: Phase,
    inputs: PhaseInputs,
    backbone: Backbone,
    task: Task | Contrastive,
    reporter: Reporter,
    before: float | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    item: str = "item",
    following: int = 0,
    stop_after: int | None = None,
    own: Sequence[keras.callbacks.Callback] = (),
) -> PhaseRecord:
    """Train a model for one phase, and return the record of the phase.

    Args:
        inputs: Model and batches. If there are validation batches and `phase.patience` is set,
            training can stop early, and restores the best weights.
        before: Value of the monitored metric on the validation split before the phase. `None`: the
            head is untrained.
        callbacks: The user's callbacks. If a callback restores the weights of an epoch, the phase's
            record names the restored epoch.
        item: Word for one item in messages, such as "image".
        following: Total number of epochs of all phases after this phase, to estimate the remaining
            time.
        stop_after: Number of epochs after which training stops. With `stop_after`, early stopping
            is off. `None`: training stops early or after the last epoch.
        own: Internal callbacks, which run before the user's callbacks.

    Raises:
        ConfigError: A callback left no epoch to train, so the model keeps its initial weights.
    """
    began = time.perf_counter()
    model, validation = inputs.model, inputs.validation
    steps = int(inputs.train.cardinality())
    # With several replicas, Keras's loop over several steps fails in TensorFlow's `while_loop`.
    alone = model.distribute_strategy.num_replicas_in_sync == 1
    together = inputs.cached and alone and not hook_into_steps(callbacks)
    together = together and steps * phase.epochs >= WORTH_A_LOOP
    at_a_time = CACHED_STEPS_PER_EXECUTION if together else 1
    train_blocks = prepare(
        model, backbone, phase, steps * phase.epochs, task, inputs.mixed, at_a_time
    )
    watches = validation is not None and phase.patience is not None
    is_best_kept = watches and stop_after is None
    monitor = monitored(task, phase)
    progress = EpochProgress(
        reporter,
        phase.name,
        steps,
        phase.epochs,
        phase.batch_size,
        item,
        monitor if is_best_kept else None,
        following,
    )
    own = [progress, *own]
    if phase.unfreeze_every is not None:
        blocks = blocks_to_unfreeze(backbone.blocks, phase.unfreeze)
        own.insert(0, GradualUnfreezing(phase, blocks, train_blocks, reporter))
    if stop_after is not None:
        own.append(_stopping(model, stop_after))
    if is_best_kept:
        own.append(BestWeights(phase.patience, before, *monitor))
    options = {"validation_data": validation, "epochs": phase.epochs}
    fit = functools.partial(model.fit, inputs.train, **options)
    record = fit_and_record(phase, model, fit, own, callbacks, reporter)
    return dataclasses.replace(record, seconds=time.perf_counter() - began, cached=inputs.cached)


def _stopping(model: keras.Model, epochs: int) -> keras.callbacks.Callback:
    """Return a callback that stops training after `epochs` epochs, but keeps the full schedule."""

    def stop(epoch: int, logs: dict) -> None:
        if epoch + 1 >= epochs:
            model.stop_training = True

    return keras.callbacks.LambdaCallback(on_epoch_end=stop)


def fit_and_record(
    phase: Phase,
    model: keras.Model,
    fit: Callable[..., keras.callbacks.History],
    own: Sequence[keras.callbacks.Callback],
    callbacks: Sequence[keras.callbacks.Callback],
    reporter: Reporter,
) -> PhaseRecord:
    """Fit a compiled model, and record which epoch the final weights are from.

    Args:
        fit: Keras's `fit` of the model, with all arguments already set except the callbacks.
        own: Internal callbacks. With a `BestWeights` callback, the model ends with the best
            weights. Without a `BestWeights` callback, the model ends with the last weights.
        callbacks: The user's callbacks, which may set the model's weights.

    Returns:
        Record of the phase, with 0 as `seconds` and false as `cached`. The caller sets `seconds`
        and `cached`.

    Raises:
        ConfigError: A callback left no epoch to train, so the model keeps its initial weights.
    """
    best = next((callback for callback in own if isinstance(callback, BestWeights)), None)
    first = [EpochWeights()] if callbacks else []
    given = model.get_weights() if callbacks else []
    try:
        with no_retracing_warnings(KERAS_TRAINER):
            # Pass `shuffle=False`, because the data set already shuffles its items.
            history = fit(callbacks=[*first, *own, *callbacks], shuffle=False, verbose=0)
    finally:
        for callback in own:
            if isinstance(callback, EpochProgress):
                callback.close()
    if not history.epoch:
        model.set_weights(given)
        raise ConfigError(
            f"{phase.name}: no epoch is left to train. A callback, such as BackupAndRestore, "
            "restored a finished training. Leave the callback out, or delete its folder."
        )
    epochs = _rows(history)
    chosen = len(epochs) if best is None else best.epoch_of(history.epoch)
    found = first[0].epoch_now() if first else chosen
    if found is None:
        reporter.say(
            f"{phase.name}: a callback set weights that differ from the weights of every epoch, "
            "such as an average. The history has no metrics for these weights."
        )
    elif found != chosen:
        of = f"of epoch {found}" if found else "from before the phase"
        reporter.say(f"{phase.name}: a callback restored the weights {of}.")
    return PhaseRecord(
        phase=phase,
        epochs=epochs,
        seconds=0.0,
        best_epoch=len(epochs) if found is None else found,
        cached=False,
        by_callback=found != chosen,
        of_no_epoch=found is None,
    )


def _rows(history: keras.callbacks.History) -> tuple[dict[str, float], ...]:
    """Return one dict per epoch, with the logged values that are numbers in every epoch."""
    columns = {}
    for name, values in history.history.items():
        with contextlib.suppress(TypeError, ValueError):
            columns[name] = [float(value) for value in values]
    count = len(history.epoch)
    whole = {name: values for name, values in columns.items() if len(values) == count}
    return tuple({name: values[row] for name, values in whole.items()} for row in range(count))

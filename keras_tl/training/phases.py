"""Runs one phase: prepare (freeze, compile), fit, keep the best weights."""

import contextlib
import dataclasses
import functools
import time
from collections.abc import Callable, Sequence

import keras

from keras_tl.backbones.layer import Backbone
from keras_tl.base.config import Phase
from keras_tl.base.reporting import KERAS_TRAINER, Reporter, no_retracing_warnings
from keras_tl.errors import ConfigError
from keras_tl.runs.history import PhaseRecord
from keras_tl.tasks import Task, monitored
from keras_tl.training.callbacks import EpochWeights, hear_every_step
from keras_tl.training.contrastive import Contrastive
from keras_tl.training.freezing import blocks_in_epoch, blocks_to_unfreeze, prepare
from keras_tl.training.inputs import PhaseInputs
from keras_tl.training.progress import EpochProgress

# A step of the head alone takes less time than Keras takes between two of them. To trace a loop of
# several takes as long as about 200 of these pauses.
CACHED_STEPS_PER_EXECUTION, WORTH_A_LOOP = 8, 200


class BestWeights(keras.callbacks.EarlyStopping):
    """Early stopping that also knows the weights from before the phase.

    A phase that makes what it watches worse in every epoch ends with the weights it began with.

    Args:
        patience: epochs without a better value before training stops.
        before: what is watched, before the phase; `None` if the head is untrained.
        name: of what is watched on the validation split.
        more_is_better: whether more of it is.
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

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.best_epoch = -1
        if self._before is not None:
            self.best = self._before
            self.best_weights = self.model.get_weights()

    def epoch_of(self, ran: Sequence[int]) -> int:
        """Return which of the epochs that ran, from 1, has the weights; 0: those from before."""
        return 0 if self.best_epoch < 0 else list(ran).index(self.best_epoch) + 1


class StopAfter(keras.callbacks.Callback):
    """Stops training after a number of epochs; the learning rate falls as if it went on.

    Args:
        epochs: how many, at least 1.
    """

    def __init__(self, epochs: int):
        super().__init__()
        self._epochs = epochs

    def on_epoch_end(self, epoch, logs=None):
        """Stop."""
        if epoch + 1 >= self._epochs:
            self.model.stop_training = True


class GradualUnfreezing(keras.callbacks.Callback):
    """Unfreezes the blocks of a phase one after the other, from the last one down.

    Compiling anew between two epochs of one `fit` keeps the optimizer, and callbacks hear of one
    training. After it everything that the phase could train is trainable, as after any other
    phase, so that what the optimizer holds fits what is trainable.

    Args:
        phase: with `unfreeze_every`.
        blocks: those that the phase unfreezes.
        train: trains these blocks from then on, see `prepare`.
        reporter: tells people.
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
                f"{self._phase.name}: {self._phase.epochs} epochs end before the turn of {rest}."
            )

    def on_epoch_begin(self, epoch, logs=None):
        blocks = self._blocks_in(epoch)
        if blocks != self._trained:
            added = ", ".join(block for block in blocks if block not in self._trained)
            self._reporter.say(f"{self._phase.name}: epoch {epoch + 1} unfreezes {added}.")
            self._set(blocks)
            # `fit` makes it once, before the first epoch.
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
    """Trains a model for one phase.

    Args:
        phase: what to do.
        inputs: what is trained, and its batches. With batches for validation, unless
            `phase.patience` is `None`, training stops early and the best weights are kept.
        backbone: the backbone layer.
        task: decides loss and metrics.
        reporter: tells people.
        before: what the phase watches on the validation split, of the weights it begins with, if
            they are trained.
        callbacks: the user's own; their `model` is that of `inputs`. The record tells which epoch's
            weights they leave in it.
        item: what people call one of the items.
        following: how many epochs later phases of the same kind have, to tell the time left.
        stop_after: the epoch, from 1, after which training stops and keeps the weights, whatever
            the validation split says; `None`: early stopping decides.
        own: callbacks of ours, which run before the user's.

    Returns:
        The record of the phase.

    Raises:
        ConfigError: a callback left no epoch to train; the model has its weights from before.
    """
    began = time.perf_counter()
    model, validation = inputs.model, inputs.validation
    steps = int(inputs.train.cardinality())
    # On several replicas Keras's loop over steps fails in TensorFlow's while loop.
    alone = model.distribute_strategy.num_replicas_in_sync == 1
    together = inputs.cached and alone and not hear_every_step(callbacks)
    together = together and steps * phase.epochs >= WORTH_A_LOOP
    at_a_time = CACHED_STEPS_PER_EXECUTION if together else 1
    train_blocks = prepare(
        model, backbone, phase, steps * phase.epochs, task, inputs.mixed, at_a_time
    )
    watches = validation is not None and phase.patience is not None
    is_best_kept = watches and stop_after is None
    watched = monitored(task, phase)
    progress = EpochProgress(
        reporter,
        phase.name,
        steps,
        phase.epochs,
        phase.batch_size,
        item,
        watched if is_best_kept else None,
        following,
    )
    own = [progress, *own]
    if phase.unfreeze_every is not None:
        blocks = blocks_to_unfreeze(backbone.blocks, phase.unfreeze)
        own.insert(0, GradualUnfreezing(phase, blocks, train_blocks, reporter))
    if stop_after is not None:
        own.append(StopAfter(stop_after))
    if is_best_kept:
        own.append(BestWeights(phase.patience, before, *watched))
    fit = functools.partial(
        model.fit, inputs.train, validation_data=validation, epochs=phase.epochs
    )
    record = fit_and_record(phase, model, fit, own, callbacks, reporter)
    return dataclasses.replace(record, seconds=time.perf_counter() - began, cached=inputs.cached)


def fit_and_record(
    phase: Phase,
    model: keras.Model,
    fit: Callable[..., keras.callbacks.History],
    own: Sequence[keras.callbacks.Callback],
    callbacks: Sequence[keras.callbacks.Callback],
    reporter: Reporter,
) -> PhaseRecord:
    """Fits a compiled model, and records the weights that it has in the end.

    Args:
        phase: its name counts.
        model: the model.
        fit: its `fit`, with the data.
        own: callbacks of ours; with a `BestWeights` among them the best weights are kept, else the
            last ones.
        callbacks: the user's, which may give the model other weights.
        reporter: tells people.

    Returns:
        The record, without the seconds.

    Raises:
        ConfigError: a callback left no epoch to train; the model has its weights from before.
    """
    best = next((callback for callback in own if isinstance(callback, BestWeights)), None)
    weights = EpochWeights() if callbacks else None
    given = model.get_weights() if callbacks else []
    first = [] if weights is None else [weights]
    try:
        with no_retracing_warnings(KERAS_TRAINER):
            # The dataset shuffles itself.
            history = fit(callbacks=[*first, *own, *callbacks], shuffle=False, verbose=0)
    finally:
        for callback in own:
            if isinstance(callback, EpochProgress):
                callback.close()
    if not history.epoch:
        model.set_weights(given)
        raise ConfigError(
            f"{phase.name}: no epoch was left to train. A callback, such as BackupAndRestore, has "
            "restored a training that had ended. Leave the callback out, or remove its folder."
        )
    epochs = _rows(history)
    chosen = len(epochs) if best is None else best.epoch_of(history.epoch)
    found = chosen if weights is None else weights.epoch_now()
    if found is None:
        reporter.say(
            f"{phase.name}: a callback set weights that no epoch ended with, such as an average. "
            "The history has no metrics for them."
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
    """A row an epoch; a value that a callback logged counts if it is a number in every epoch."""
    columns = {}
    for name, values in history.history.items():
        with contextlib.suppress(TypeError, ValueError):
            columns[name] = [float(value) for value in values]
    count = len(history.epoch)
    whole = {name: values for name, values in columns.items() if len(values) == count}
    return tuple({name: values[row] for name, values in whole.items()} for row in range(count))

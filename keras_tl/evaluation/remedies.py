"""What to try against overfitting and underfitting, as calls and commands."""

import dataclasses
from collections.abc import Iterator

from keras_tl.config import ModelConfig
from keras_tl.tasks import Task
from keras_tl.training.history import PhaseRecord

# Augmentations after which training labels are shares.
MIXING = frozenset({"mixup", "cutmix"})
_COUNT = 2
_DROPOUT, _SMOOTHING, _DECAY = 0.5, 0.1, 0.1
_LOWER, _HIGHER = 1 / 3, 3


@dataclasses.dataclass(frozen=True)
class Remedy:
    """Something to try.

    Attributes:
        what: in words.
        python: the call.
        command: what `keras-tl train` takes for it; `None`: nothing.
    """

    what: str
    python: str
    command: str | None = None


@dataclasses.dataclass(frozen=True)
class Situation:
    """What remedies depend on.

    Attributes:
        record: the phase to be remedied.
        config: of the model.
        blocks: the names of the backbone's blocks.
        task: of the model.
        still_falls: whether the validation loss was falling at the end.
    """

    record: PhaseRecord
    config: ModelConfig
    blocks: tuple[str, ...]
    task: Task
    still_falls: bool

    @property
    def is_head(self) -> bool:
        """Whether the backbone was frozen."""
        return self.record.phase.unfreeze is None

    def call(self, arguments: str) -> str:
        """The phase again, with other arguments."""
        if self.is_head:
            return f"learner.fit_head({arguments})"
        policy = 'policy="scratch", ' if self.record.phase.batch_norm == "live" else ""
        return f"learner.fine_tune({policy}{arguments})"

    def rate(self, factor: float, what: str) -> Remedy:
        """Another learning rate."""
        rate = f"{self.record.phase.learning_rate * factor:.0e}"
        flag = "--head-learning-rate" if self.is_head else "--learning-rate"
        return Remedy(what, self.call(f"learning_rate={rate}"), _command(f"{flag} {rate}"))


def remedies_for(state: str, situation: Situation) -> tuple[Remedy, ...]:
    """The two most promising remedies for a state of `keras_tl.evaluation.overfitting`.

    Those come first that act on what was done: a rate at which the first epoch was the best, then
    what is not in use yet. `"unknown"` has one, and `"fits"` none.
    """
    found = _BY_STATE[state](situation)
    return tuple(remedy for _, remedy in zip(range(_COUNT), found, strict=False))


def _against_overfitting(situation: Situation) -> Iterator[Remedy]:
    phase, head = situation.record.phase, situation.config.head
    if len(situation.record.epochs) > 1 and situation.record.best_epoch <= 1:
        yield situation.rate(_LOWER, "a lower rate, as no epoch after the first was better")
    if situation.is_head and head.hidden:
        yield _head("no hidden layers in the head", "hidden=()")
    if not situation.config.is_text:
        yield from _more_augmentation(situation)
    if not situation.is_head and phase.unfreeze == "all" and len(situation.blocks) > 1:
        count = len(situation.blocks) // 2
        what = f"fewer unfrozen blocks: {count} of {len(situation.blocks)}"
        yield Remedy(what, situation.call(f"unfreeze={count}"), _command(f"--unfreeze {count}"))
    if head.dropout < _DROPOUT:
        yield _head("more dropout in the head", f"dropout={_DROPOUT}")
    if situation.task.exact and not phase.label_smoothing:
        python = situation.call(f"label_smoothing={_SMOOTHING}")
        yield Remedy("label smoothing", python, _command(f"--label-smoothing {_SMOOTHING}"))
    if phase.optimizer == "adamw" and phase.weight_decay < _DECAY:
        changed = f"dataclasses.replace(learner.history[-1].phase, weight_decay={_DECAY})"
        yield Remedy("more weight decay", f"learner.fine_tune(policy={changed})")
    yield Remedy("more labelled items", "ktl.Learner(backbone, more_data)", _command("--data MORE"))
    yield situation.rate(_LOWER, "a lower rate")


def _more_augmentation(situation: Situation) -> Iterator[Remedy]:
    used = situation.record.augment
    if used == ():
        # On the command line it is only fine-tuning that can augment, and does by default.
        command = None if situation.is_head else "keras-tl train ... (without --no-augment)"
        yield Remedy("augmentation", situation.call("augment=True"), command)
    elif used == ("standard",):
        command = None if situation.is_head else _command("--augment randaugment")
        python = situation.call('augment="randaugment"')
        yield Remedy("stronger augmentation", python, command)


def _against_underfitting(situation: Situation) -> Iterator[Remedy]:
    record, phase = situation.record, situation.record.phase
    flag = "--head-epochs" if situation.is_head else "--fine-tune-epochs"
    epochs = 2 * phase.epochs
    longer = Remedy("more epochs", situation.call(f"epochs={epochs}"), _command(f"{flag} {epochs}"))
    if situation.still_falls:
        yield longer
    if situation.is_head:
        yield Remedy("fine-tuning", "learner.fine_tune()", _command("--fine-tune-epochs 3"))
    elif phase.unfreeze != "all":
        yield Remedy(
            "all blocks unfrozen", situation.call('unfreeze="all"'), _command("--unfreeze all")
        )
    if not situation.still_falls and MIXING & set(record.augment or ()):
        python = situation.call("augment=True")
        yield Remedy("augmentation that mixes no labels", python, _command("--augment standard"))
    yield situation.rate(_HIGHER, "a higher rate")
    if not situation.still_falls:
        yield longer


def _against_divergence(situation: Situation) -> Iterator[Remedy]:
    yield situation.rate(0.1, "a lower rate")
    phase = "head" if situation.is_head else "fine-tune"
    yield Remedy("a search for the rate", f'learner.lr_find("{phase}").suggestion')


def _for_an_answer(situation: Situation) -> Iterator[Remedy]:
    kind = "TextData" if situation.config.is_text else "ImageData"
    yield Remedy(
        "a validation split",
        f"ktl.{kind}.from_folder(path, validation_split=0.15)",
        _command("--validation-split 0.15"),
    )


def _head(what: str, change: str) -> Remedy:
    head = f"dataclasses.replace(learner.config.head, {change})"
    return Remedy(what, f"ktl.Learner(backbone, data, head={head})")


def _command(options: str) -> str:
    return f"keras-tl train ... {options}"


_BY_STATE = {
    "overfits": _against_overfitting,
    "spared": _against_overfitting,
    "underfits": _against_underfitting,
    "diverged": _against_divergence,
    "unknown": _for_an_answer,
    "fits": lambda situation: iter(()),
}

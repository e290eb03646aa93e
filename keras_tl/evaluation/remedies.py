"""What to try against overfitting and underfitting, as calls and commands."""

import dataclasses
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from keras_tl.config import ModelConfig
from keras_tl.data.augmentation import AUGMENTATIONS
from keras_tl.evaluation.phase_call import PhaseCall, call_of, code_of, written
from keras_tl.tasks import Task
from keras_tl.training.history import PhaseRecord
from keras_tl.training.policies import HEAD_CONFIGS, POLICIES

# Augmentations after which training labels are shares.
MIXING = frozenset({"mixup", "cutmix"})
_COUNT = 2
_DROPOUT, _SMOOTHING, _DECAY = 0.5, 0.1, 0.1
_LOWER, _HIGHER = 1 / 3, 3
# What `Learner.lr_find` takes of a policy's arguments.
_SWEPT = ("policy", "unfreeze", "batch_size")


@dataclasses.dataclass(frozen=True)
class Remedy:
    """Something to try.

    Attributes:
        what: in words.
        python: the call, or two of them. `learner` is the learner, or against overfitting a new
            one; `backbone` and `data` are what it was made with.
        command: what `keras-tl train` takes for it, `...` being the other options as they were;
            `None`: nothing.
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
        place: of the phase in the history, counted from its end: -1 for the last.
    """

    record: PhaseRecord
    config: ModelConfig
    blocks: tuple[str, ...]
    task: Task
    still_falls: bool
    place: int = -1

    @property
    def is_head(self) -> bool:
        """Whether the backbone was frozen."""
        return self.record.phase.unfreeze is None

    @property
    def call(self) -> PhaseCall:
        """What ran the phase."""
        return call_of(self.record.phase, self.config.family)

    def again(self, code: Mapping[str, str] = MappingProxyType({}), **changes: Any) -> str:
        """The call that runs the phase again: all is as it was, but for what is changed.

        Args:
            code: arguments as they are to be written.
            changes: fields of `Phase`.
        """
        phase = dataclasses.replace(self.record.phase, **changes)
        call = call_of(phase, self.config.family)
        # A change is written even where the policy's own value is back.
        arguments = call.arguments if call.is_own else call.arguments | changes
        arguments = {name: code_of(value) for name, value in arguments.items()}
        return written(f"learner.{call.function}", arguments | self._augment(call) | code)

    def _augment(self, call: PhaseCall) -> dict[str, str]:
        """How items were augmented, if it is known, can be written, and is not the default."""
        names = self.record.augment
        by_default = ("standard",) if call.function == "fine_tune" else ()
        if self.config.is_text or names in (None, by_default) or not {*names} <= {*AUGMENTATIONS}:
            return {}
        value = False if not names else names[0] if len(names) == 1 else list(names)
        return {"augment": code_of(value)}

    def anew(self, data: str = "data", **changes: Any) -> str:
        """The same with a new learner: its head is as it was, but for these fields."""
        head = dataclasses.replace(self.config.head, **changes)
        is_default = head == HEAD_CONFIGS[self.config.family]
        own = "" if is_default else f", head={code_of(head)}"
        return f"learner = ktl.Learner(backbone, {data}{own}); {self.again()}"

    def command(self, options: str) -> str | None:
        """The phase again on the command line, by its policy; `None`: that has no name."""
        if self.call.is_own:
            return None
        policy = self.call.arguments.get("policy")
        return _command(options if policy is None else f"--policy {policy} {options}")

    def rate(self, factor: float, what: str) -> Remedy:
        """Another learning rate."""
        rate = float(f"{self.record.phase.learning_rate * factor:.0e}")
        flag = "--head-learning-rate" if self.is_head else "--learning-rate"
        return Remedy(what, self.again(learning_rate=rate), self.command(f"{flag} {rate}"))


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
        yield Remedy("no hidden layers in the head", situation.anew(hidden=()))
    if not situation.config.is_text:
        yield from _more_augmentation(situation)
    if not situation.is_head and phase.unfreeze == "all" and len(situation.blocks) > 1:
        count = len(situation.blocks) // 2
        what = f"fewer unfrozen blocks: {count} of {len(situation.blocks)}"
        command = situation.command(f"--unfreeze {count}")
        yield Remedy(what, situation.again(unfreeze=count), command)
    if head.dropout_rate < _DROPOUT:
        yield Remedy("more dropout in the head", situation.anew(dropout=_DROPOUT))
    if situation.task.exact and not phase.label_smoothing:
        python = situation.again(label_smoothing=_SMOOTHING)
        command = situation.command(f"--label-smoothing {_SMOOTHING}")
        yield Remedy("label smoothing", python, command)
    if phase.optimizer == "adamw" and phase.weight_decay < _DECAY:
        yield Remedy("more weight decay", situation.again(weight_decay=_DECAY))
    yield Remedy("more labelled items", situation.anew("more_data"), _command("--data MORE"))
    yield situation.rate(_LOWER, "a lower rate")


def _more_augmentation(situation: Situation) -> Iterator[Remedy]:
    used = situation.record.augment
    # On the command line it is only fine-tuning that can augment.
    if used == ():
        command = None if situation.is_head else situation.command("--augment standard")
        yield Remedy("augmentation", situation.again({"augment": "True"}), command)
    elif used == ("standard",):
        command = None if situation.is_head else situation.command("--augment randaugment")
        python = situation.again({"augment": '"randaugment"'})
        yield Remedy("stronger augmentation", python, command)


def _against_underfitting(situation: Situation) -> Iterator[Remedy]:
    record, phase = situation.record, situation.record.phase
    flag = "--head-epochs" if situation.is_head else "--fine-tune-epochs"
    epochs = 2 * phase.epochs
    command = situation.command(f"{flag} {epochs}")
    longer = Remedy("more epochs", situation.again(epochs=epochs), command)
    if situation.still_falls:
        yield longer
    if situation.is_head:
        (standard,) = POLICIES["standard"][situation.config.family]
        command = _command(f"--fine-tune-epochs {standard.epochs}")
        yield Remedy("fine-tuning", "learner.fine_tune()", command)
    elif phase.unfreeze != "all":
        python, command = situation.again(unfreeze="all"), situation.command("--unfreeze all")
        yield Remedy("all blocks unfrozen", python, command)
    if not situation.still_falls and MIXING & set(record.augment or ()):
        python = situation.again({"augment": "True"})
        # On the command line it is only fine-tuning that can augment.
        command = None if situation.is_head else situation.command("--augment standard")
        yield Remedy("augmentation that mixes no labels", python, command)
    yield situation.rate(_HIGHER, "a higher rate")
    if not situation.still_falls:
        yield longer


def _against_divergence(situation: Situation) -> Iterator[Remedy]:
    yield situation.rate(0.1, "a lower rate")
    yield Remedy("a search for the rate", _searched(situation))


def _searched(situation: Situation) -> str:
    """The phase again, at the rate that the finder suggests for it."""
    phase, call = situation.record.phase, situation.call
    # The head is to be trained before a phase that unfreezes is tried, as it would be before it.
    first = "" if situation.is_head or phase.batch_norm == "live" else "learner.fit_head(); "
    if call.is_own:
        first += f"phase = {code_of(phase)}; "
        found = {"policy": "phase", "learning_rate": "learner.lr_find(phase).suggestion"}
    else:
        kind = {"phase": "head" if situation.is_head else "fine-tune"}
        swept = kind | {name: x for name, x in call.arguments.items() if name in _SWEPT}
        finder = written("learner.lr_find", {name: code_of(x) for name, x in swept.items()})
        found = {"learning_rate": f"{finder}.suggestion"}
    return first + situation.again(found)


def _for_an_answer(situation: Situation) -> Iterator[Remedy]:
    kind = "TextData" if situation.config.is_text else "ImageData"
    yield Remedy(
        "a validation split",
        f"ktl.{kind}.from_folder(path, validation_split=0.15)",
        _command("--validation-split 0.15"),
    )


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

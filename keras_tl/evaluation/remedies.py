"""Remedies for overfitting and underfitting, as Python calls and as commands."""

import itertools
from collections.abc import Iterator

from keras_tl.data.images.augmentation import mixes_labels
from keras_tl.evaluation.phase_call import code_of, written
from keras_tl.evaluation.remedy import Remedy, Situation, command_of
from keras_tl.training.policies import POLICIES

_COUNT = 2
_DROPOUT, _SMOOTHING, _DECAY = 0.5, 0.1, 0.1
_LOWER, _HIGHER = 1 / 3, 3
# Arguments of `Learner.fine_tune` that `Learner.lr_find` also takes.
_SWEPT = ("policy", "unfreeze", "batch_size")


def remedies_for(state: str, situation: Situation) -> tuple[Remedy, ...]:
    """Return at most two remedies, the most promising first, for a state of a training phase.

    `state` is a state from `keras_tl.evaluation.fit_state`, such as `"overfits"`. Against
    overfitting, the first remedy is a lower learning rate if no later epoch was better than the
    first. Further remedies against overfitting are methods that the training does not use yet,
    such as augmentation. The state `"unknown"` has one remedy, the state `"fits"` has none. If the
    weights of the head were optimal before training, more epochs or another learning rate would
    change nothing, so the function never proposes them.
    """
    return tuple(itertools.islice(_BY_STATE[state](situation), _COUNT))


def _against_overfitting(situation: Situation) -> Iterator[Remedy]:
    phase, head = situation.record.phase, situation.config.head
    if situation.record.solved:
        yield from (_fine_tuning(situation), _more_items(situation))
        return
    if len(situation.record.epochs) > 1 and situation.record.best_epoch <= 1:
        yield situation.rate(
            _LOWER, "a lower learning rate, because no epoch after the first was better"
        )
    if situation.is_head and head.hidden:
        yield Remedy("no hidden layers in the head", situation.anew(hidden=()))
    if situation.modality.can_augment:
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
    yield _more_items(situation)
    yield situation.rate(_LOWER, "a lower learning rate")


def _more_augmentation(situation: Situation) -> Iterator[Remedy]:
    if situation.record.augment == ():
        yield _augmentation(situation, "augmentation")
    elif situation.record.augment == ("standard",):
        yield _augmentation(situation, "stronger augmentation", "randaugment", '"randaugment"')


def _augmentation(
    situation: Situation, what: str, option: str = "standard", code: str = "True"
) -> Remedy:
    # On the command line, only fine-tuning has an option for augmentation.
    command = None if situation.is_head else situation.command(f"--augment {option}")
    return Remedy(what, situation.again({"augment": code}), command)


def _against_underfitting(situation: Situation) -> Iterator[Remedy]:
    record, phase = situation.record, situation.record.phase
    if situation.is_head:
        yield _fine_tuning(situation)
    elif phase.unfreeze != "all":
        python, command = situation.again(unfreeze="all"), situation.command("--unfreeze all")
        yield Remedy("all blocks unfrozen", python, command)
    if record.solved:
        yield from _another_backbone(situation)
        yield _more_items(situation)
        return
    if mixes_labels(record.augment or False):
        yield _augmentation(situation, "augmentation that mixes no labels")
    yield situation.rate(_HIGHER, "a higher learning rate")
    yield _more_epochs(situation)


def _until_convergence(situation: Situation) -> Iterator[Remedy]:
    yield _more_epochs(situation)
    yield situation.rate(_HIGHER, "a higher learning rate")


def _more_epochs(situation: Situation) -> Remedy:
    epochs = 2 * situation.record.phase.epochs
    flag = "--head-epochs" if situation.is_head else "--fine-tune-epochs"
    command = situation.command(f"{flag} {epochs}")
    return Remedy("more epochs", situation.again(epochs=epochs), command)


def _fine_tuning(situation: Situation) -> Remedy:
    (standard,) = POLICIES["standard"][situation.config.family]
    command = command_of(f"--fine-tune-epochs {standard.epochs}")
    return Remedy("fine-tuning", "learner.fine_tune()", command)


def _more_items(situation: Situation) -> Remedy:
    return Remedy("more labelled items", situation.anew("more_data"), command_of("--data MORE"))


def _another_backbone(situation: Situation) -> Iterator[Remedy]:
    others = situation.modality.backbones_to_compare
    names = [name for name in others if name != situation.config.backbone]
    if names:
        yield Remedy("another backbone", f"ktl.rank_backbones(data, {code_of(names)})")


def _against_divergence(situation: Situation) -> Iterator[Remedy]:
    if situation.record.solved:
        yield Remedy("the checks before training", "learner.check()")
        return
    yield situation.rate(0.1, "a lower learning rate")
    yield Remedy("a search for the learning rate", _searched(situation))


def _searched(situation: Situation) -> str:
    """Return the Python code that runs the phase with the learning rate that `lr_find` suggests."""
    phase, call = situation.record.phase, situation.call
    # Fine-tuning starts from a trained head, except for phases with `batch_norm="live"`.
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
    if situation.reason == "one-epoch":
        yield _more_epochs(situation)
    elif situation.reason == "nothing-better":
        yield situation.rate(_LOWER, "a lower learning rate")
    elif situation.reason in ("mixed-labels", "averaged"):
        yield Remedy(
            "a measurement without augmentation", "keras_tl.overfitting(learner, measure=True)"
        )
    else:
        few = situation.reason == "few-items"
        kind = situation.modality.data_type.__name__
        share, what = (0.3, "a larger validation split") if few else (0.15, "a validation split")
        yield Remedy(
            what,
            f"ktl.{kind}.from_folder(path, validation_split={share})",
            command_of(f"--validation-split {share}"),
        )


_BY_STATE = {
    "overfits": _against_overfitting,
    "spared": _against_overfitting,
    "underfits": _against_underfitting,
    "diverged": _against_divergence,
    "unconverged": _until_convergence,
    "unknown": _for_an_answer,
    "fits": lambda situation: iter(()),
}

"""Run the preflight, the learning-rate finder, and the diagnosis of overfitting for a learner."""

from collections.abc import Sequence

from keras_tl.base.config import Phase
from keras_tl.data.images.augmentation import Augmentation
from keras_tl.errors import ConfigError
from keras_tl.evaluation.overfitting import Overfitting, find_overfitting
from keras_tl.learner.state import State
from keras_tl.preflight.checks import run_checks
from keras_tl.preflight.context import CheckContext, CheckedModel
from keras_tl.preflight.findings import Findings
from keras_tl.preflight.findings_cache import cached_findings
from keras_tl.training.lr_finder import LearningRates, learning_rates_between, phase_to_sweep


def lr_find(
    state: State,
    phase: str | Phase,
    policy: str | Phase | Sequence[Phase],
    unfreeze: str | int | None,
    batch_size: int | None,
    lowest: float,
    highest: float,
    steps: int,
) -> LearningRates:
    """See `Learner.lr_find`."""
    data, family = state.need_data(), state.config.family
    chosen = phase_to_sweep(phase, policy, family, unfreeze=unfreeze, batch_size=batch_size)
    found = state.trainer.find_rates(chosen, data, learning_rates_between(lowest, highest, steps))
    rate = "none found" if found.suggestion is None else f"{found.suggestion:.1e}"
    state.reporter.say(f"{chosen.name}: suggested learning rate: {rate}.")
    return found


def check(state: State) -> Findings:
    """See `Learner.check`."""
    features = "all" if state.trainer.features.is_original else "sample"
    state.findings = run_checks(context(state, features))
    state.reporter.say(state.findings.brief())
    return state.findings


def context(state: State, features: str, weighted: bool = False) -> CheckContext:
    """Return data and model in the form that the preflight checks take, see `CheckedModel`."""
    if features == "all" and not state.trainer.features.are_kept:
        features = "sample"
    parts = state.parts
    inside = CheckedModel(
        state.config,
        parts,
        parts.modality,
        state.trainer,
        features,
        weighted,
        is_random=parts.backbone.weights_source is None,
    )
    return CheckContext(state.need_data(), inside)


def check_first(state: State, phase: Phase, augment: Augmentation) -> None:
    """Run the preflight before the first training, on features that the training also uses."""
    state.trainer.check(phase, augment)
    if state.findings is None:
        live = "sample" if phase.unfreeze is None else "none"
        features = "all" if live == "sample" and augment is False else live
        state.findings = cached_findings(context(state, features, phase.class_weight is not None))
        state.reporter.say(state.findings.brief())
    state.findings.raise_errors()


def overfitting(state: State, measure: bool = False) -> Overfitting:
    """See `keras_tl.overfitting`."""
    if not state.trainer.is_as_trained:
        raise ConfigError(
            "The learning curves do not describe the current weights: your own code or an "
            "interrupted training changed the weights. Compare learner.evaluate('train') with "
            "learner.evaluate('validation')."
        )
    splits = {} if state.data is None else state.data.splits
    items = len(splits.get("validation", ())) or None
    measured = None
    if measure:
        chosen = {name: state.need_data().split(name) for name in ("train", "validation")}
        measured = {
            name: state.task.undecided.measure(split.labels, state.finite_logits(name))
            for name, split in chosen.items()
        }
    blocks = state.parts.backbone.blocks
    return find_overfitting(
        state.trainer.history, state.task, state.config, blocks, items, measured
    )

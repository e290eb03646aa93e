"""Diagnosis of overfitting and underfitting from the training curves."""

import dataclasses
import html
from collections.abc import Mapping, Sequence
from typing import Any

from keras_tl.base.config import ModelConfig
from keras_tl.evaluation import fit_state as states
from keras_tl.evaluation.fit_evidence import chance
from keras_tl.evaluation.phase_fit import PhaseFit, read_phase
from keras_tl.evaluation.remedies import remedies_for
from keras_tl.evaluation.remedy import Remedy, Situation
from keras_tl.evaluation.wording import title_of
from keras_tl.runs.history import PhaseRecord, check_trained
from keras_tl.tasks import Task


@dataclasses.dataclass(frozen=True)
class Overfitting:
    """Diagnosis of overfitting or underfitting, with remedies.

    Attributes:
        state: State of the last phase, see `PhaseFit.state`. If the model's weights are from an
            earlier phase, `state` is the state of the earlier phase in two cases: the earlier phase
            overfits, or the state of the last phase is `"fits"`.
        statement: The diagnosis in one or two sentences.
        phases: Diagnosis of each training phase.
        remedies: At most two remedies to try, the most promising first.

    Example:
        >>> diagnosis = ktl.overfitting(learner)
        >>> diagnosis.phases[0].name, len(diagnosis.remedies) <= 2
        ('head', True)
    """

    state: str
    statement: str
    phases: tuple[PhaseFit, ...]
    remedies: tuple[Remedy, ...]

    def describe(self) -> str:
        """Return the diagnosis as plain text.

        Example:
            >>> ktl.overfitting(learner).describe().startswith("head: ")
            True
        """
        lines = [self.statement, *(f"  {_phase_line(phase)}" for phase in self.phases)]
        if self.remedies:
            lines.append(self._before_remedies)
        for remedy in self.remedies:
            lines += [f"  {remedy.what}", f"    {remedy.python}"]
            lines += [f"    {remedy.command}"] if remedy.command else []
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Return the diagnosis as JSON types.

        Example:
            >>> sorted(ktl.overfitting(learner).to_json())
            ['phases', 'remedies', 'state', 'statement']
        """
        return dataclasses.asdict(self) | {
            "phases": [dataclasses.asdict(phase) | {"saved": phase.saved} for phase in self.phases],
            "remedies": [dataclasses.asdict(remedy) for remedy in self.remedies],
        }

    @property
    def _before_remedies(self) -> str:
        judged = next(phase for phase in reversed(self.phases) if phase.state == self.state)
        has_harm = self.state in (states.OVERFITS, states.SPARED, states.DIVERGED)
        return "Try, on a new Learner:" if has_harm and not judged.solved else "Try:"

    def __repr__(self) -> str:
        return self.describe()

    def _repr_html_(self) -> str:
        phases = "".join(f"<li>{html.escape(_phase_line(phase))}</li>" for phase in self.phases)
        shown = f"<p>{html.escape(self.statement)}</p><ul>{phases}</ul>"
        if not self.remedies:
            return shown
        rows = "".join(
            f"<tr><td>{html.escape(remedy.what)}</td><td>{_code(remedy.python)}</td>"
            f"<td>{_code(remedy.command)}</td></tr>"
            for remedy in self.remedies
        )
        return f"{shown}<p>{self._before_remedies}</p><table>{rows}</table>"


def find_overfitting(
    history: Sequence[PhaseRecord],
    task: Task,
    config: ModelConfig,
    blocks: tuple[str, ...],
    validation_items: int | None = None,
    measured: Mapping[str, Mapping[str, Any]] | None = None,
) -> Overfitting:
    """Diagnose overfitting and underfitting from the curves of all phases.

    Args:
        history: Records of the training phases that ran, at least one.
        blocks: Names of the backbone's blocks.
        validation_items: Number of validation items. `None`: unknown. A gap between training and
            validation counts as chance if it is at most twice the standard error of a proportion of
            0.5 on the validation items.
        measured: Metrics of the current weights on the splits `"train"` and `"validation"`, from
            `keras_tl.tasks.Task.measure`. `None`: the diagnosis uses only the curves.

    Raises:
        ConfigError: The model is untrained.
    """
    check_trained(history)
    phases = [read_phase(record, task, validation_items) for record in history]
    # A phase with `kept_epoch` 0 kept the weights from before the phase. So the current weights
    # come from the last phase with another `kept_epoch`. If no such phase exists, use the last
    # phase.
    last = len(phases) - 1
    of_weights = next((n for n in range(last, -1, -1) if phases[n].kept_epoch), last)
    if measured is not None:
        values = [measured[split][task.monitor] for split in ("train", "validation")]
        phases[of_weights] = read_phase(history[of_weights], task, validation_items, values)
    says_nothing = phases[last].state == states.FITS and not phases[last].kept_epoch
    chosen = of_weights if says_nothing or phases[of_weights].state == states.OVERFITS else last
    found, record = phases[chosen], history[chosen]
    situation = Situation(record, config, blocks, task, found.reason)
    remedies = remedies_for(found.state, situation)
    return Overfitting(found.state, _statement(found), tuple(phases), remedies)


def _code(text: str | None) -> str:
    return "" if text is None else f"<code>{html.escape(text)}</code>"


def _statement(fit: PhaseFit) -> str:
    said = _SAID.get(fit.state) or _REASONS[fit.reason]
    return f"{fit.name}: {said.format(items=fit.items)}{_values_said(fit)}."


_SAID = {
    states.OVERFITS: "the model overfits",
    states.SPARED: "the model got worse on the validation split while the training loss fell, so "
    "the phase kept earlier weights",
    states.UNCONVERGED: "training has not converged (the training loss was still falling)",
    states.UNDERFITS: "the model underfits (the training and validation losses are high and do "
    "not fall)",
    states.FITS: "no sign that the model overfits or underfits",
}
_REASONS = {
    states.NO_VALIDATION: "without a validation split the curves do not show whether the model "
    "overfits",
    states.FEW_ITEMS: "{items} validation items are too few to tell whether the model overfits",
    states.ONE_EPOCH: "one epoch does not show whether training has converged",
    states.MIXED_LABELS: "the augmentation mixed the training labels, so the curves do not show "
    "whether the model overfits",
    states.NOTHING_BETTER: "no epoch was better than the earlier weights, so the phase kept the "
    "earlier weights; the curves do not show the cause",
    states.AVERAGED: "the curves describe the weights at the end of the phase, but fit() or a "
    "callback kept other weights",
    states.NOT_FINITE: "training diverged (the loss is not a finite number)",
    states.ROSE: "training made the model worse and the training loss rose, a sign of a too high "
    "learning rate",
    states.ABOVE_GUESSING: "the loss of the only epoch is higher than the loss of guessing, a sign "
    "of a too high learning rate",
}


def _values_said(fit: PhaseFit) -> str:
    if fit.gap is None:
        return ""
    values = f"{title_of(fit.metric)} {fit.train:.3f} in training, {fit.validation:.3f} on the"
    said = f": {values} validation split"
    if fit.gap <= 0:
        return said
    said += f" (difference: {'' if fit.is_measured else 'at least '}{fit.gap:.3f}"
    if fit.reason == states.FEW_ITEMS:
        said += f"; chance alone can cause {chance(fit.items):.3f}"
    return said + ")"


def _phase_line(fit: PhaseFit) -> str:
    kept = f"epoch {fit.kept_epoch}" if fit.kept_epoch else "the earlier weights"
    parts = [f"{fit.name}: {fit.ran} of {fit.planned} epochs, kept {kept}"]
    if fit.best_epoch is not None:
        parts.append(f"best validation {title_of(fit.monitor)} in epoch {fit.best_epoch}")
    if fit.trend is not None:
        parts.append(f"gap between training and validation {fit.trend:+.4f} per epoch")
    if fit.saved:
        parts.append(f"early stopping saved {fit.saved} epoch{'s' if fit.saved > 1 else ''}")
    if fit.avoided is not None and fit.avoided > 0:
        parts.append(f"last epoch worse by {fit.avoided:.4f} in {title_of(fit.monitor)}")
    return ", ".join(parts)

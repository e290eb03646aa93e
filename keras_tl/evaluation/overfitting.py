"""Does a model overfit or underfit? Read off the curves of its training."""

import dataclasses
import html
from collections.abc import Mapping, Sequence
from typing import Any

from keras_tl.config import ModelConfig
from keras_tl.evaluation.phase_fit import (
    DIVERGED,
    FITS,
    OVERFITS,
    SPARED,
    UNDERFITS,
    UNKNOWN,
    PhaseFit,
    read_phase,
    with_values,
)
from keras_tl.evaluation.remedies import Remedy, Situation, remedies_for
from keras_tl.evaluation.wording import title_of
from keras_tl.tasks import Task
from keras_tl.training.history import PhaseRecord, check_trained


@dataclasses.dataclass(frozen=True)
class Overfitting:
    """Whether a model overfits or underfits, and what to do.

    Attributes:
        state: see `PhaseFit`; that of the last phase, unless its weights are from before it and
            those overfit.
        statement: the same in a sentence or two.
        phases: what each phase's curves say.
        remedies: the most promising first, at most two.
    """

    state: str
    statement: str
    phases: tuple[PhaseFit, ...]
    remedies: tuple[Remedy, ...]

    def describe(self) -> str:
        """All of it as plain text."""
        lines = [self.statement, *(f"  {_phase_line(phase)}" for phase in self.phases)]
        if self.remedies:
            lines.append(self._before_remedies)
        for remedy in self.remedies:
            lines += [f"  {remedy.what}", f"    {remedy.python}"]
            lines += [f"    {remedy.command}"] if remedy.command else []
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """The same as JSON types."""
        return dataclasses.asdict(self) | {
            "phases": [dataclasses.asdict(phase) | {"saved": phase.saved} for phase in self.phases],
            "remedies": [dataclasses.asdict(remedy) for remedy in self.remedies],
        }

    @property
    def _before_remedies(self) -> str:
        again = self.state in (OVERFITS, SPARED, DIVERGED)
        return "Try, on a new Learner:" if again else "Try:"

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
    """Reads the curves of all phases.

    Args:
        history: the phases that ran, at least one.
        task: of the model.
        config: of the model.
        blocks: the names of the backbone's blocks.
        validation_items: of the validation split, as far as that is known: a gap that so few can
            show by chance (two standard errors of a share of 0.5) is none.
        measured: of the weights as they are, the results of `keras_tl.evaluation.metrics` for
            `"train"` and `"validation"`.

    Raises:
        ConfigError: nothing was trained.
    """
    check_trained(history)
    phases = [read_phase(record, task, validation_items) for record in history]
    # The phase that the weights are of; if none, the last.
    last = len(phases) - 1
    of_weights = next((n for n in range(last, -1, -1) if phases[n].kept_epoch), last)
    if measured is not None:
        values = [measured[split][task.watched] for split in ("train", "validation")]
        phases[of_weights] = with_values(
            phases[of_weights], history[of_weights], task, validation_items, values, True
        )
    chosen = of_weights if phases[of_weights].state == OVERFITS else last
    found, record = phases[chosen], history[chosen]
    situation = Situation(record, config, blocks, task, found.still_falls)
    remedies = remedies_for(found.state, situation)
    return Overfitting(found.state, _statement(found), tuple(phases), remedies)


def _code(text: str | None) -> str:
    return "" if text is None else f"<code>{html.escape(text)}</code>"


def _statement(fit: PhaseFit) -> str:
    said = _SAID[fit.state]
    if fit.state == DIVERGED and fit.ran == 1:
        said = _ONE_EPOCH
    return f"{fit.name}: {said}{_values_said(fit)}."


# Whether the loss fell, one epoch cannot show.
_ONE_EPOCH = "its only epoch made nothing better: the rate may be too high"
_SAID = {
    OVERFITS: "the model overfits",
    SPARED: "it began to overfit, and weights from before that were kept",
    DIVERGED: "training did harm and its own loss did not fall: the rate is too high",
    UNDERFITS: "the model underfits",
    FITS: "the model neither overfits nor underfits",
    UNKNOWN: "without a validation split nobody can tell whether the model overfits",
}


def _values_said(fit: PhaseFit) -> str:
    said = ""
    if fit.gap is not None:
        values = f"{title_of(fit.metric)} {fit.train:.3f} in training, {fit.validation:.3f} on the"
        said += f": {values} validation split"
        if fit.gap > 0:
            said += f" ({'' if fit.is_measured else 'at least '}{fit.gap:.3f} apart)"
    if fit.state == UNDERFITS:
        reason = "was still falling" if fit.still_falls else "stays high on both"
        said += f"; the loss {reason}"
    return said


def _phase_line(fit: PhaseFit) -> str:
    kept = f"epoch {fit.kept_epoch}" if fit.kept_epoch else "weights from before"
    parts = [f"{fit.name}: {fit.ran} of {fit.planned} epochs, kept {kept}"]
    if fit.best_epoch is not None:
        parts.append(f"best validation {title_of(fit.watched)} in epoch {fit.best_epoch}")
    if fit.trend is not None:
        parts.append(f"gap {fit.trend:+.4f} an epoch")
    if fit.saved:
        parts.append(f"early stopping saved {fit.saved} epoch{'s' if fit.saved > 1 else ''}")
    if fit.avoided is not None and fit.avoided > 0:
        parts.append(f"keeping it avoided {fit.avoided:.4f} of {title_of(fit.watched)}")
    return ", ".join(parts)

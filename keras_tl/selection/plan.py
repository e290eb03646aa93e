"""Plan of `Learner.fit`: number of trainings, steps per training, and how models are compared."""

import dataclasses
import math
from typing import Self

from keras_tl.base.reporting import time_text
from keras_tl.training.policies import ENOUGH_TO_VALIDATE
from keras_tl.training.timing import Costs

FOLDS = 3
VALIDATION, OUT_OF_FOLD, NO_EVIDENCE = "validation", "out-of-fold", "none"
# Minutes above which the plan suggests a time budget, if the user has not set a time budget.
_LONG = 10
# Skip the fine-tuning if the time budget allows less than 20% of the planned steps.
_SHORTEST = 0.2


@dataclasses.dataclass(frozen=True)
class Plan:
    """Plan of `Learner.fit`: how often and how long it fine-tunes, and how it compares models.

    Attributes:
        evidence: Predictions on which the comparison of the models is based: `"validation"` (for
            the validation split), `"out-of-fold"`, or `"none"` (no comparison).
        items: Number of items on which the models are compared.
        folds: Number of trainings for out-of-fold predictions. 0: no out-of-fold predictions.
        trainings: Number of trainings of the whole model, including the `folds` trainings for
            out-of-fold predictions. 0: only the head is trained.
        steps: Number of optimizer steps in each training of the whole model.
        seconds: Estimated time of all trainings and predictions, in seconds.
        measured: Whether the estimated time is based on measured training steps, see `Costs`.
        minutes: Time budget from the user, in minutes. `None`: no budget.
        seconds_left: Seconds of the time budget that were left when the plan was made. `None`: no
            budget.
        cuts: Sentences about trainings or steps that the plan leaves out, with the reason: the time
            budget is too short, or the head predicts every item right.

    Example:
        >>> fitted.plan.evidence, fitted.plan.trainings, fitted.plan.steps
        ('validation', 1, 200)
    """

    evidence: str
    items: int
    folds: int
    trainings: int
    steps: int
    seconds: float
    measured: bool
    minutes: float | None
    seconds_left: float | None
    cuts: tuple[str, ...] = ()

    @classmethod
    def without_fine_tuning(cls, items: int, minutes: float | None, reason: str) -> Self:
        """Return the plan that keeps the head.

        Args:
            items: Number of items in the splits that a comparison would use.
            minutes: Time budget from the user, in minutes. `None`: no budget.
            reason: Sentences with the reason why the plan has no fine-tuning.

        Example:
            >>> fitted.plan.without_fine_tuning(61, None, "Nothing to gain.").describe()
            'Plan: keep the head. Nothing to gain.'
        """
        return cls(NO_EVIDENCE, items, 0, 0, 0, 0.0, True, minutes, None, (reason,))

    def describe(self, item: str = "item") -> str:
        """Describe the plan of `Learner.fit` in sentences.

        Example:
            >>> fitted.plan.describe("image").startswith("Plan: fine-tune 1 time for 200 steps")
            True
        """
        if not self.trainings:
            said = "Plan: keep the head."
        else:
            about = "" if self.measured else "about "
            said = (
                f"Plan: fine-tune {self.trainings} time{'s' * (self.trainings > 1)} for "
                f"{self.steps:,} steps, {about}{time_text(self.seconds)}. {self._comparison(item)}"
            )
            if self.minutes is None and self.seconds > 60 * _LONG:
                said += f" For a shorter plan, pass a time budget, such as minutes={_LONG}."
        return " ".join([said, *self.cuts])

    def _comparison(self, item: str) -> str:
        if self.evidence == OUT_OF_FOLD:
            return (
                f"Each of {self.folds} trainings leaves out a part of the {self.items:,} {item}s. "
                "Predictions for this part compare the head with the fine-tuned model."
            )
        if self.evidence == VALIDATION:
            return (
                f"Predictions for the {self.items:,} validation {item}s compare the head with the "
                "fine-tuned model."
            )
        return "Without a comparison of head and fine-tuned model, the default model is kept."


@dataclasses.dataclass(frozen=True)
class TimeBudget:
    """Wall time that the user allows for `Learner.fit`.

    Attributes:
        minutes: Time budget for the whole call of `Learner.fit`, in minutes.
        seconds_left: Seconds of the time budget that are left when the plan is made.
        epoch_steps: Number of steps per epoch. A training always consists of whole epochs.
    """

    minutes: float
    seconds_left: float
    epoch_steps: int


def make_plan(
    costs: Costs,
    steps: int,
    items: int,
    validation_items: int,
    is_refit: bool,
    budget: TimeBudget | None = None,
) -> Plan:
    """Plan the trainings of `Learner.fit`, within the user's time budget if there is a budget.

    If the time budget is too small, the plan first drops the out-of-fold trainings, then reduces
    the steps per training, and last drops the fine-tuning.

    Args:
        steps: Number of optimizer steps of one fine-tuning.
        items: Number of items in all splits, but without the test split if `is_refit` is false.
        validation_items: Number of items in the validation split.
        is_refit: Whether the final model is trained on all items.
    """
    cuts = []

    def planned(evidence: str, folds: int, steps: int) -> Plan:
        validates = evidence == VALIDATION
        # After a model selection on the validation split, `fit` trains once more on all items.
        trainings = folds + 1 + (validates and is_refit)
        answered = {VALIDATION: 4 * validation_items, OUT_OF_FOLD: 4 * items}.get(evidence, 0)
        seconds = trainings * costs.training(steps) + answered * costs.item
        compared = validation_items if validates else items
        if not steps:
            folds = trainings = 0
            evidence, seconds = NO_EVIDENCE, 0.0
        return Plan(
            evidence,
            compared,
            folds,
            trainings,
            steps,
            seconds,
            costs.measured,
            budget and budget.minutes,
            budget and budget.seconds_left,
            tuple(cuts),
        )

    validates = validation_items >= ENOUGH_TO_VALIDATE
    if validates and not is_refit:
        plan = planned(VALIDATION, 0, steps)
    else:
        plan = planned(OUT_OF_FOLD, FOLDS, steps)
    if budget is None or plan.seconds <= budget.seconds_left:
        return plan
    said = f"The budget of {budget.minutes:.3g} min is too short for"
    if plan.folds:
        cuts.append(f"{said} {plan.trainings} trainings.")
        plan = planned(VALIDATION if validates else NO_EVIDENCE, 0, steps)
    if plan.seconds <= budget.seconds_left:
        return plan
    rest = budget.seconds_left - (plan.seconds - plan.trainings * steps * costs.step)
    fewer = max(0, math.floor(rest / (plan.trainings * costs.step)))
    fewer -= fewer % budget.epoch_steps
    if fewer and fewer >= _SHORTEST * steps:
        cuts.append(f"{said} {steps:,} steps.")
        return planned(plan.evidence, 0, fewer)
    cuts.append(f"{said} fine-tuning.")
    return planned(plan.evidence, 0, 0)

"""`Remedy`: change of the training for a better model. `Situation`: phase and model to improve."""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from keras_tl.base.config import ModelConfig
from keras_tl.data.images.augmentation import AUGMENTATIONS
from keras_tl.evaluation.phase_call import PhaseCall, augment_code, call_of, code_of, written
from keras_tl.models.modalities import MODALITIES
from keras_tl.models.modality import Modality
from keras_tl.runs.history import PhaseRecord
from keras_tl.tasks import Task
from keras_tl.training.policies import HEAD_CONFIGS


@dataclasses.dataclass(frozen=True)
class Remedy:
    """A change of the training that may improve the model.

    Attributes:
        what: The change in words, such as `"more epochs"`.
        python: Python calls that make the change. The name `learner` stands for the user's learner,
            or for a new learner if the model overfits. The names `backbone` and `data` stand for
            the arguments of `ktl.Learner`.
        command: The `keras-tl train` command that makes the change. In the command, `...` stands
            for the options of the previous command. `None`: no command makes the change.

    Example:
        >>> remedy = ktl.Remedy(what="Train longer.", python="learner.fit_head(epochs=20)")
        >>> remedy.command is None
        True
    """

    what: str
    python: str
    command: str | None = None


@dataclasses.dataclass(frozen=True)
class Situation:
    """Training phase and model for which remedies are chosen.

    Attributes:
        blocks: Names of the backbone's blocks.
        reason: Reason of the phase's state, see `keras_tl.evaluation.phase_fit.PhaseFit`.
    """

    record: PhaseRecord
    config: ModelConfig
    blocks: tuple[str, ...]
    task: Task
    reason: str = ""

    @property
    def is_head(self) -> bool:
        """Whether the phase trained only the head, on a frozen backbone."""
        return self.record.phase.unfreeze is None

    @property
    def modality(self) -> type[Modality]:
        """Modality of the model's inputs (images or texts), as a Python class."""
        return MODALITIES[self.config.item]

    @property
    def call(self) -> PhaseCall:
        """Call of a `Learner` method that runs the phase."""
        return call_of(self.record.phase, self.config.family)

    def again(self, code: Mapping[str, str] = MappingProxyType({}), **changes: Any) -> str:
        """Return the Python call that runs the phase again with the given changes.

        `code` maps names of arguments to Python code, and adds or replaces arguments of the call.
        `changes` are new values of fields of `Phase`.
        """
        call = call_of(dataclasses.replace(self.record.phase, **changes), self.config.family)
        # Show a changed argument even if its new value equals the default of the policy.
        arguments = call.arguments if call.is_own else call.arguments | changes
        shown = {name: code_of(value) for name, value in arguments.items()}
        return written(f"learner.{call.function}", {**shown, **self._augment(call), **code})

    def _augment(self, call: PhaseCall) -> dict[str, str]:
        """Return the argument `augment=`, but {} for default, unknown or user-made augmentation."""
        names = self.record.augment
        by_default = ("standard",) if call.function == "fine_tune" else ()
        known = self.modality.can_augment and {*(names or ())} <= {*AUGMENTATIONS}
        if names in (None, by_default) or not known:
            return {}
        return {"augment": augment_code(names)}

    def anew(self, data: str = "data", **changes: Any) -> str:
        """Return the Python code that runs the phase again on a new learner with a changed head."""
        head = dataclasses.replace(self.config.head, **changes)
        own = "" if head == HEAD_CONFIGS[self.config.family] else f", head={code_of(head)}"
        return f"learner = ktl.Learner(backbone, {data}{own}); {self.again()}"

    def command(self, options: str) -> str | None:
        """Return the command that runs the phase with `options`. `None`: the policy has no name."""
        if self.call.is_own:
            return None
        policy = self.call.arguments.get("policy")
        return command_of(options if policy is None else f"--policy {policy} {options}")

    def rate(self, factor: float, what: str) -> Remedy:
        """Return the remedy that multiplies the learning rate of the phase by `factor`."""
        rate = float(f"{float(self.record.phase.learning_rate) * factor:.0e}")
        flag = "--head-learning-rate" if self.is_head else "--learning-rate"
        return Remedy(what, self.again(learning_rate=rate), self.command(f"{flag} {rate}"))


def command_of(options: str) -> str:
    """Return `keras-tl train` with new options, where `...` stands for the previous options."""
    return f"keras-tl train ... {options}"

"""A remedy, and the situation of the phase that it is for."""

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
        reason: why its state is what it is, see `keras_tl.evaluation.phase_fit.PhaseFit`.
        place: of the phase in the history, counted from its end: -1 for the last.
    """

    record: PhaseRecord
    config: ModelConfig
    blocks: tuple[str, ...]
    task: Task
    reason: str = ""
    place: int = -1

    @property
    def is_head(self) -> bool:
        """Whether the backbone was frozen."""
        return self.record.phase.unfreeze is None

    @property
    def modality(self) -> type[Modality]:
        """The modality of the model."""
        return MODALITIES[self.config.item]

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
        known = self.modality.can_augment and {*(names or ())} <= {*AUGMENTATIONS}
        if names in (None, by_default) or not known:
            return {}
        return {"augment": augment_code(names)}

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
        return command_of(options if policy is None else f"--policy {policy} {options}")

    def rate(self, factor: float, what: str) -> Remedy:
        """Another learning rate."""
        rate = float(f"{self.record.phase.learning_rate * factor:.0e}")
        flag = "--head-learning-rate" if self.is_head else "--learning-rate"
        return Remedy(what, self.again(learning_rate=rate), self.command(f"{flag} {rate}"))


def command_of(options: str) -> str:
    """The command line with these options, `...` being the others as they were."""
    return f"keras-tl train ... {options}"

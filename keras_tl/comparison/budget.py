"""Common budget of all trained variants (arms): a number of epochs."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from keras_tl.base.choices import PolicyName
from keras_tl.base.config import Phase, check_range
from keras_tl.data.images.augmentation import Augmentation, check_augmentation
from keras_tl.errors import ConfigError, quoted
from keras_tl.training.policies import HEADS, phases_of

# A learning curve needs at least two evaluations.
_FEWEST_EPOCHS = 2


@dataclasses.dataclass(frozen=True)
class Budget:
    """Training phases of the variants (arms): `epochs` epochs in total for each arm.

    Attributes:
        epochs: Number of epochs of each arm.
        scratch: Phases that train the network from random weights.
        frozen: Phase that trains the head on the frozen backbone.
        head: Phase that trains the head before fine-tuning, or `None` for fine-tuning alone.
        fine_tuned: Phases that fine-tune the head and the backbone.
    """

    epochs: int
    scratch: tuple[Phase, ...]
    frozen: Phase
    head: Phase | None
    fine_tuned: tuple[Phase, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the budget as JSON types."""
        values = dataclasses.asdict(self)
        values["fine-tuned"] = values.pop("fine_tuned")
        return values


Policy = PolicyName | Phase | Sequence[Phase]


@dataclasses.dataclass(frozen=True)
class Protocol:
    """Settings for training the variants (arms) of a comparison.

    Attributes:
        epochs: Budget of each arm: the number of epochs, at least 2.
            `epochs=None` means the epochs of `policy`, plus `head_epochs` (or the default epochs of
            the head) if `policy` needs a trained head.
        head_epochs: Number of epochs that train only the head, before fine-tuning. With
            `head_epochs=None`, the head gets the epochs of the budget that `policy` does not use.
            The minimum is 1, or 0 if the first phase needs no trained head (`batch_norm="live"`).
            With a policy of one phase, the head gets at most its default epochs.
        head_learning_rate: Peak learning rate of the head on the frozen backbone, in the frozen and
            the fine-tuned arm, or `None` for the default learning rate of the head.
        policy: Policy of fine-tuning, as in `Learner.fine_tune`. With `policy="scratch"` and
            `head_epochs=0`, the fine-tuned arm differs from the arm `"scratch"` only in the initial
            weights.
        scratch_policy: Policy of training from scratch, as in `Learner.fine_tune`.
        batch_size: Number of items in a training step of all arms, or `None` for the policies'
            default, which is the same in all arms.
        augment: Augmentation of images in all arms. Without augmentation (`False`), the frozen arm
            can train on cached features.

    Raises:
        ConfigError: There is no augmentation with the name in `augment`.

    Example:
        >>> protocol = ktl.Protocol(epochs=10)
        >>> protocol.policy, protocol.augment
        ('standard', False)
    """

    epochs: int | None = None
    _: dataclasses.KW_ONLY
    head_epochs: int | None = None
    head_learning_rate: float | None = None
    policy: Policy = "standard"
    scratch_policy: Policy = "scratch"
    batch_size: int | None = None
    augment: Augmentation = False

    def __post_init__(self) -> None:
        check_augmentation(self.augment)

    def budget(self, family: str, head: Phase | None = None) -> Budget:
        """Divide the epochs of each variant (arm) into training phases.

        Args:
            family: Family of the backbone, see `keras_tl.base.config.family_of`.
            head: Phase that trains the head, see `keras_tl.training.policies.head_phase`, or `None`
                for the default phase of the family. The budget replaces the number of epochs of
                `head`.

        Raises:
            ConfigError: `epochs`, `head_epochs` and the phases of the policies do not fit together.

        Example:
            >>> budget = ktl.Protocol(epochs=10).budget("image")
            >>> budget.frozen.epochs, budget.head.epochs, budget.fine_tuned[0].epochs
            (10, 7, 3)
        """
        (head,) = phases_of(
            HEADS[family] if head is None else head,
            family,
            epochs=HEADS[family].epochs,
            batch_size=self.batch_size,
            learning_rate=self.head_learning_rate,
        )
        tuned = phases_of(self.policy, family, batch_size=self.batch_size)
        if any(phase.objective == "contrastive" for phase in tuned):
            raise ConfigError(
                "policy= has a contrastive phase. A comparison needs a test curve of every arm, "
                "and a contrastive phase has none. Pass policy='standard', or compare the results "
                "of evaluate() of two learners."
            )
        epochs, head_epochs = self._epochs(head, tuned)
        scratch = phases_of(self.scratch_policy, family, batch_size=self.batch_size)
        return Budget(
            epochs,
            _filling(self.scratch_policy, scratch, epochs),
            dataclasses.replace(head, epochs=epochs),
            dataclasses.replace(head, epochs=head_epochs) if head_epochs else None,
            _filling(self.policy, tuned, epochs - head_epochs),
        )

    def _epochs(self, head: Phase, tuned: tuple[Phase, ...]) -> tuple[int, int]:
        """Return the number of epochs of each variant (arm), and of the head before fine-tuning."""
        epochs, head_epochs = self.epochs, self.head_epochs
        own = sum(phase.epochs for phase in tuned)
        needs_no_head = tuned[0].batch_norm == "live"
        if epochs is None:
            first = head.epochs if head_epochs is None else head_epochs
            epochs = own if needs_no_head else first + own
        check_range("epochs", epochs, _FEWEST_EPOCHS, whole=True)
        if head_epochs is None and needs_no_head:
            # If the phases are too long, `_filling` raises an error about the phases.
            head_epochs = 0 if len(tuned) == 1 else max(epochs - own, 0)
        if head_epochs is None:
            left = max(epochs - own, 1)
            head_epochs = left if len(tuned) > 1 else min(left, head.epochs)
        check_range("head_epochs", head_epochs, 0, epochs - 1, whole=True)
        if not head_epochs and not needs_no_head:
            raise ConfigError(
                "head_epochs=0 needs a policy for random weights, such as 'scratch'. Other "
                "policies need a trained head: pass head_epochs=1 or more. Received: "
                f"policy={quoted(self.policy)}."
            )
        return epochs, head_epochs


def _filling(policy: Policy, phases: tuple[Phase, ...], epochs: int) -> tuple[Phase, ...]:
    if len(phases) == 1:
        return (dataclasses.replace(phases[0], epochs=epochs, min_steps=0),)
    own = sum(phase.epochs for phase in phases)
    if own != epochs:
        raise ConfigError(
            f"The phases of the policy train for {own} epochs, but the budget leaves them "
            f"{epochs}. Change epochs=, head_epochs= or the phases. Received: {quoted(policy)}."
        )
    return tuple(dataclasses.replace(phase, min_steps=0) for phase in phases)

"""Out-of-fold predictions: predict each fold by a head trained on all other folds."""

import dataclasses

import keras
import numpy as np

from keras_tl.backbones.loading import seeded
from keras_tl.base.config import ModelConfig, Phase
from keras_tl.base.reporting import KERAS_TRAINER, no_retracing_warnings
from keras_tl.features.store import Features
from keras_tl.models.heads import TransferModel
from keras_tl.tasks import Task, needs_class_probabilities
from keras_tl.training.freezing import prepare
from keras_tl.training.head_solver import Standardisation, solve
from keras_tl.training.head_start import head_problem
from keras_tl.training.phase_inputs import weighted
from keras_tl.training.snapshot import snapshot
from keras_tl.training.standardised_head import StandardisedHead, first_dense

# Maximum number of evaluations of each head in the search for the best epoch.
_EVALUATIONS = 10


@dataclasses.dataclass(frozen=True)
class HeadTraining:
    """Train new heads on features, one head per fold, for out-of-fold predictions.

    Attributes:
        parts: Model that has the head. If the head is not linear, each fold trains a new copy of
            this head. The original head does not change.
        phase: Phase that trains the head, see `keras_tl.training.policies.head_phase`.
        seed: Seed of folds, initial weights and shuffles.
    """

    parts: TransferModel
    config: ModelConfig
    task: Task
    phase: Phase
    seed: int

    def logits(
        self,
        labels: np.ndarray,
        features: np.ndarray,
        numbers: np.ndarray,
        groups: np.ndarray | None = None,
    ) -> np.ndarray:
        """Return out-of-fold logits, float32 (n, outputs), from one head per fold.

        The solver computes the weights of a linear head. If the phase's `l2` is not a number,
        cross-validation on the training folds chooses the L2 penalty. Keras's `fit` trains heads
        that are not linear.

        Args:
            labels: Labels of n items, see `keras_tl.data.labelled_data.Split`.
            features: Features of the n items, float32 (n, ...).
            numbers: Fold number of each item, int (n,).
            groups: Group of each item, (n,). The cross-validation that chooses the L2 penalty never
                splits a group. `None`: no groups.
        """
        found = np.empty((len(labels), self.task.outputs), np.float32)
        for number in np.unique(numbers):
            out = numbers == number
            known = labels[~out], features[~out]
            if self.config.head.is_linear:
                own = None if groups is None else groups[~out]
                found[out] = self._solved(*known, own, features[out])
            else:
                head, _ = self._fit(*known, self.phase.epochs)
                found[out] = np.asarray(head(features[out], training=False))
        return found

    def _solved(
        self,
        labels: np.ndarray,
        features: np.ndarray,
        groups: np.ndarray | None,
        held_out: np.ndarray,
    ) -> np.ndarray:
        problem = head_problem(self.task, labels, features, self.phase, groups)
        l2 = self.phase.l2 if isinstance(self.phase.l2, float) else None
        outputs = solve(problem, l2, self.seed).outputs(held_out.reshape(len(held_out), -1))
        return self.task.from_outputs(outputs)

    def best_epoch(self, labels: np.ndarray, features: np.ndarray, numbers: np.ndarray) -> int:
        """Return the epoch, counted from 1, after which the mean loss of held-out items is lowest.

        Keras's `fit` trains one head per fold and evaluates each head at most ten times. For the
        arguments see `logits`.
        """
        passes = -(-self.phase.epochs // _EVALUATIONS)
        losses = 0.0
        for number in np.unique(numbers):
            out = numbers == number
            held_out = features[out], labels[out]
            _, found = self._fit(labels[~out], features[~out], passes, held_out)
            losses += np.array(found) * out.sum()
        # A training can diverge: `argmin` would return the first loss that is not a number.
        known = np.where(np.isnan(losses), np.inf, losses)
        return min(passes * (int(np.argmin(known)) + 1), self.phase.epochs)

    def _fit(
        self,
        labels: np.ndarray,
        features: np.ndarray,
        passes: int,
        held_out: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> tuple[keras.Model, list[float]]:
        """Train a copy of the head. Return the trained head, and its mean losses on `held_out`.

        Args:
            passes: Number of epochs between two evaluations on `held_out`. Between the last two
                evaluations, there may be fewer epochs.
            held_out: Features and labels of held-out items, to compute losses. `None`: no losses.
        """
        phase = dataclasses.replace(self.phase, l2=None)
        with seeded(self.seed), snapshot(self.parts.model, self.parts.head):
            head = keras.models.clone_model(self.parts.head)
            if self.phase.l2 is not None and first_dense(head) is not None:
                fresh = dataclasses.replace(self.parts, head=head)
                standardisation = Standardisation.of(features.reshape(len(features), -1))
                head = StandardisedHead.of(fresh, standardisation, live=False).model
            soft = needs_class_probabilities(phase)
            targets = self.task.targets(labels, soft)
            rows = Features(features.shape, rows=features)
            batches = rows.dataset(targets, phase.batch_size, self.seed)
            batches = weighted(batches, self.task, labels, phase)
            steps = int(batches.cardinality()) * phase.epochs
            prepare(head, self.parts.backbone, phase, steps, self.task)
            validation = held_out and (held_out[0], self.task.targets(held_out[1], soft))
            options = {"validation_data": validation, "shuffle": False, "verbose": 0}
            # Between two epochs, Keras pauses for longer than many training steps of a head take.
            # To save time, one epoch of `fit` contains several passes over the items.
            rounds, rest = divmod(phase.epochs, passes)
            with no_retracing_warnings(KERAS_TRAINER):
                history = head.fit(batches.repeat(passes), epochs=rounds, **options).history
                losses = history.get("val_loss", [])
                if rest:
                    history = head.fit(batches.repeat(rest), **options).history
                    losses += history.get("val_loss", [])
        return head, losses

"""What heads answer for items that they were not trained on: one head for each fold."""

import dataclasses

import keras
import numpy as np

from keras_tl.backbones.loading import seeded
from keras_tl.base.config import ModelConfig, Phase
from keras_tl.base.reporting import KERAS_TRAINER, no_retracing_warnings
from keras_tl.features.rows import Features
from keras_tl.models.heads import TransferModel
from keras_tl.tasks import Task, needs_shares
from keras_tl.training.freezing import prepare
from keras_tl.training.head_solver import Standardisation, solve
from keras_tl.training.head_start import head_problem
from keras_tl.training.restoring import restored
from keras_tl.training.standardised_head import StandardisedHead, first_dense

_LOOKS = 10


@dataclasses.dataclass(frozen=True)
class HeadTraining:
    """How a head is trained on features: a fresh one for each set of items.

    Attributes:
        parts: the model whose head it is; nothing of it changes.
        config: of the model.
        task: of the model.
        phase: `keras_tl.training.policies.head_phase`, its length in epochs.
        seed: of folds, initial weights and shuffles.
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
        """float32 (n, outputs): the answer to each item by a head that has not seen its fold.

        A linear head is solved, its L2 penalty chosen anew by the items of the other folds; any
        other one is trained by `fit`.

        Args:
            labels: of n items, see `keras_tl.data.labelled_data.Split`.
            features: float32 (n, ...).
            numbers: int (n,), the fold of each item.
            groups: (n,), items of one group stay together also where the penalty is chosen.
        """
        answers = np.empty((len(labels), self.task.outputs), np.float32)
        answer = self._solved if self.config.head.is_linear else self._fitted
        for number in np.unique(numbers):
            out = numbers == number
            known = labels[~out], features[~out], None if groups is None else groups[~out]
            answers[out] = answer(*known, features[out])
        return answers

    def _solved(
        self,
        labels: np.ndarray,
        features: np.ndarray,
        groups: np.ndarray | None,
        asked: np.ndarray,
    ) -> np.ndarray:
        problem = head_problem(self.task, labels, features, self.phase, groups)
        l2 = self.phase.l2 if isinstance(self.phase.l2, float) else None
        outputs = solve(problem, l2, self.seed).outputs(asked.reshape(len(asked), -1))
        return self.task.from_outputs(outputs)

    def best_epoch(
        self,
        labels: np.ndarray,
        features: np.ndarray,
        numbers: np.ndarray,
    ) -> int:
        """Return the epoch, from 1, after which the mean loss of held-out items is lowest.

        A head is trained by `fit` for each fold, and measured ten times at most.

        Args:
            labels: of n items, see `keras_tl.data.labelled_data.Split`.
            features: float32 (n, ...).
            numbers: int (n,), the fold of each item.
        """
        passes = -(-self.phase.epochs // _LOOKS)
        losses = np.zeros(-(-self.phase.epochs // passes))
        for number in np.unique(numbers):
            out = numbers == number
            held_out = features[out], labels[out]
            history, _ = self._fit(labels[~out], features[~out], passes, held_out)
            losses += np.array(history["val_loss"]) * out.sum()
        return min(passes * (int(np.argmin(losses)) + 1), self.phase.epochs)

    def _fitted(
        self,
        labels: np.ndarray,
        features: np.ndarray,
        groups: np.ndarray | None,
        asked: np.ndarray,
    ) -> np.ndarray:
        return self._fit(labels, features, self.phase.epochs, asked=asked)[1]

    def _fit(
        self,
        labels: np.ndarray,
        features: np.ndarray,
        passes: int,
        held_out: tuple[np.ndarray, np.ndarray] | None = None,
        asked: np.ndarray | None = None,
    ) -> tuple[dict[str, list[float]], np.ndarray | None]:
        """Train a head; return Keras's history, and the logits for `asked`.

        Args:
            labels: of the training items.
            features: of the training items.
            passes: over the items from one measurement to the next.
            held_out: features and labels to measure on.
            asked: features of other items.
        """
        phase = dataclasses.replace(self.phase, l2=None)
        with seeded(self.seed), restored(self.parts.model, self.parts.head):
            head = keras.models.clone_model(self.parts.head)
            if self.phase.l2 is not None and first_dense(head) is not None:
                fresh = dataclasses.replace(self.parts, head=head)
                standardisation = Standardisation.of(features.reshape(len(features), -1))
                head = StandardisedHead.of(fresh, standardisation, live=False).model
            soft = needs_shares(phase)
            targets = self.task.targets(labels, soft)
            rows = Features(features.shape, rows=features)
            batches = rows.dataset(targets, phase.batch_size, self.seed)
            weights = self.task.class_weights(labels, phase.class_weight)
            if weights is not None:
                batches = batches.map(lambda x, y: (x, y, self.task.sample_weights(y, weights)))
            steps = int(batches.cardinality()) * phase.epochs
            prepare(head, self.parts.backbone, phase, steps, self.task)
            validation = held_out and (held_out[0], self.task.targets(held_out[1], soft))
            rounds = -(-phase.epochs // passes)
            options = {"epochs": rounds, "shuffle": False, "verbose": 0}
            # Keras takes longer between two epochs than for many steps of a head.
            batches = batches.repeat(passes)
            with no_retracing_warnings(KERAS_TRAINER):
                history = head.fit(batches, validation_data=validation, **options).history
            return history, None if asked is None else np.asarray(head(asked, training=False))

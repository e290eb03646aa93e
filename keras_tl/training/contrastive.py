"""Contrastive training: make features similar within a class and dissimilar between classes.

Like SetFit (Tunstall et al., 2022, arXiv:2209.11055), contrastive training is meant for data with
few labelled texts. From n texts, SetFit makes n * n pairs with equal or different classes, and runs
the encoder twice per pair. Unlike SetFit, this module runs the encoder once per text. The
supervised contrastive loss of Khosla et al. (2020, arXiv:2004.11362) uses every pair in a batch.
The head is trained after the encoder.
"""

from typing import Any

import keras
from keras import ops

from keras_tl.base.config import Phase
from keras_tl.data.images.augmentation import Augmentation, mixes_labels
from keras_tl.errors import ConfigError
from keras_tl.tasks import Task

CONTRASTIVE = "contrastive"
# Temperature of the loss in Khosla et al. (sec. 4).
TEMPERATURE = 0.1
# Minimum number of items in a replica's part of a batch: two classes with two items each.
_SMALLEST_BATCH = 4


@keras.saving.register_keras_serializable("keras_tl")
class SupervisedContrastive(keras.losses.Loss):
    """Supervised contrastive loss, `L_out` of Khosla et al. (2020, arXiv:2004.11362), eq. 2.

    P(i) are the items in the batch that have the same class as item i, without i. The loss of item
    i is:

        -mean over p in P(i) of log(exp(z_i . z_p / t) / sum over a != i of exp(z_i . z_a / t))

    z_i are the features of item i, scaled to length 1, and t is the temperature. The loss of an
    item without another item of its class in the batch is 0. With K items per class, the lowest
    possible loss is not 0 but close to log(K - 1). The loss approaches its lowest value when the
    features become equal within each class, and dissimilar between classes.

    Args:
        temperature: Temperature t, above 0. A lower temperature gives more weight to the most
            similar items of other classes.
        **options: Other arguments of `keras.losses.Loss`, such as `reduction`.

    Call arguments:
        y_true: Class number of each item, int or float, (batch,) or (batch, 1).
        y_pred: Features of each item, float32 (batch, ...).

    Returns:
        Loss of each item in nats, float32 (batch,), before the reduction of `keras.losses.Loss`.
    """

    def __init__(
        self, temperature: float = TEMPERATURE, name: str = "supervised_contrastive", **options: Any
    ):
        super().__init__(name=name, **options)
        self.temperature = temperature

    def call(self, y_true, y_pred):
        labels = ops.reshape(y_true, (-1, 1))
        count = ops.shape(labels)[0]
        features = ops.normalize(ops.reshape(y_pred, (count, -1)), axis=-1)
        similarities = ops.matmul(features, ops.transpose(features)) / self.temperature
        is_itself = ops.eye(count, dtype="bool")
        # Exclude the pair of an item with itself, which would always be the most similar pair.
        similarities = ops.where(is_itself, -1e9, similarities)
        shares = similarities - ops.logsumexp(similarities, axis=1, keepdims=True)
        is_pair = ops.logical_and(ops.equal(labels, ops.transpose(labels)), ~is_itself)
        pairs = ops.sum(ops.cast(is_pair, shares.dtype), axis=1)
        total = ops.sum(ops.where(is_pair, shares, 0.0), axis=1)
        return -total / ops.maximum(pairs, 1.0)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"temperature": self.temperature}


class Contrastive:
    """Replacement for a `Task` that defines the loss and the metrics of a contrastive phase."""

    loss_weight = 1.0
    monitor = "loss"
    more_is_better = False

    def loss(self, smoothing: float = 0.0, soft: bool = False) -> SupervisedContrastive:
        """Return the supervised contrastive loss, which label smoothing does not change."""
        return SupervisedContrastive()

    def metrics(self, soft: bool = False) -> list[keras.metrics.Metric]:
        """Return an empty list: a contrastive phase makes no predictions."""
        return []


def objective_of(phase: Phase, task: Task) -> Task | Contrastive:
    """Return the object that defines the loss and the metrics of a phase."""
    return Contrastive() if phase.objective == CONTRASTIVE else task


def check_contrastive(phase: Phase, task: Task, augment: Augmentation, replicas: int) -> None:
    """Check that task, augmentation and batch size suit a contrastive phase.

    Args:
        phase: Phase to check. If the phase is not contrastive, the function does nothing.
        replicas: Number of replicas that share a batch. The contrastive loss compares only items of
            the same replica.

    Raises:
        ConfigError: The task does not have exactly one class per item, the augmentation mixes
            labels, or the batch has fewer than 4 items per replica.
    """
    if phase.objective != CONTRASTIVE:
        return
    if not task.has_one_class:
        raise ConfigError(
            f"A contrastive phase needs exactly one class per item. The task is {task.kind}. Use "
            "policy='standard'."
        )
    if mixes_labels(augment):
        raise ConfigError(
            "A contrastive phase needs one class per item, but 'mixup' and 'cutmix' mix labels. "
            "Choose another augmentation, such as augment='standard'."
        )
    if phase.batch_size < _SMALLEST_BATCH * replicas:
        raise ConfigError(
            f"A contrastive phase needs batches of at least {_SMALLEST_BATCH * replicas} items, "
            f"{_SMALLEST_BATCH} per replica: two classes with two items each. Received: "
            f"batch_size={phase.batch_size}."
        )

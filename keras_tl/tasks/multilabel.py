"""Multi-label task: predict any number of labels per item."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from scipy import stats
from scipy.special import expit, log_expit
from sklearn.metrics import (
    average_precision_score,
    f1_score,
    precision_recall_fscore_support,
    roc_auc_score,
)

from keras_tl.base.results import NO_LABEL, MultilabelPredictions
from keras_tl.errors import DataError, quoted
from keras_tl.tasks.base import THRESHOLD, Question
from keras_tl.tasks.labels.label_encoder import LabelEncoder, distinct_names, listing
from keras_tl.tasks.resampling import area_of, average_precision_of, f1_of, mean_of, mean_of_known
from keras_tl.tasks.scores import if_both, mean_of_defined, per_class
from keras_tl.tasks.sigmoid import Sigmoid


class Multilabel(Sigmoid):
    """Task with any number of labels per item. Each label has one logit and a sigmoid."""

    kind = "multilabel"
    primary_metric = "mean_average_precision"
    monitor = "auc"
    has_several_labels = True
    has_known_guessing = False
    names_are = "labels"
    answer_is = "labels"
    probabilities_of = "every label of every item"
    item_metric = "share of right labels"
    skill_name = "label ranking average precision"
    primary_metric_text = "the mean average precision is {}"
    primary_metric_format = ".3f"
    interval_format = ".3g"
    answers_with = "probabilities of its labels"

    @classmethod
    def encoder(cls, y, class_names=None):
        return _MaskEncoder(y, class_names)

    @property
    def expected_labels(self) -> str:
        return f"rows of {len(self.class_names)} values of 0 and 1"

    def strange_rows(self, labels):
        return np.flatnonzero(~np.isin(labels, (0, 1)).all(axis=1))

    def class_counts(self, labels):
        return labels.sum(axis=0).astype(np.int64)

    @classmethod
    def target_columns(cls, labels):
        return labels.astype(np.float64)

    def name_of(self, label):
        return ", ".join(self.class_names[i] for i in np.flatnonzero(label)) or NO_LABEL

    def metrics(self, soft=False):
        return [
            keras.metrics.AUC(
                name="auc", from_logits=True, multi_label=True, num_labels=self.outputs
            )
        ]

    def targets(self, labels, soft=False):
        return labels.astype(np.float32)

    def answers(self, logits):
        probabilities = tf.nn.sigmoid(self.calibrated(logits), name="probabilities")
        mask = tf.greater(probabilities, self.thresholds or THRESHOLD, name="labels_mask")
        return {"probabilities": probabilities, "labels_mask": mask}

    def predictions(self, answers, sources):
        return MultilabelPredictions(
            answers["probabilities"],
            answers["labels_mask"],
            self.class_names,
            sources,
            thresholds=self.thresholds,
        )

    def decisions(self, logits):
        return self.over_thresholds(logits)

    def item_losses(self, labels, logits):
        return -log_expit((2 * labels - 1) * logits.astype(np.float64)).mean(axis=1)

    def measure(self, labels, logits):
        """Return the metrics of a split as JSON types.

        `"mean_average_precision"` and `"auc"`: means over the labels, in [0, 1]. The means leave
        out labels that every item has and labels that no item has. If no label remains, the means
        are `None`. `"f1_micro"` and `"f1_macro"`: F1 with the decision thresholds. `"accuracy"`:
        fraction of items with all labels right. `"loss"`: mean binary cross-entropy in nats.
        `"items"`: number of items. `"per_class"`: for each label precision, recall, f1, items,
        average_precision and auc.
        """
        labels, predicted = labels.astype(int), self.decisions(logits)
        scores = precision_recall_fscore_support(labels, predicted, average=None, zero_division=0)
        columns = range(len(self.class_names))
        precisions, areas = (
            [if_both(labels[:, c], measure, logits[:, c]) for c in columns]
            for measure in (average_precision_score, roc_auc_score)
        )
        rows = per_class(self.class_names, scores)
        for name, precision, area in zip(self.class_names, precisions, areas, strict=True):
            rows[name] |= {"average_precision": precision, "auc": area}
        return {
            "mean_average_precision": mean_of_defined(precisions),
            "auc": mean_of_defined(areas),
            "f1_micro": float(f1_score(labels, predicted, average="micro", zero_division=0)),
            "f1_macro": float(f1_score(labels, predicted, average="macro", zero_division=0)),
            "accuracy": float((labels == predicted).all(axis=1).mean()),
            "loss": float(self.item_losses(labels, logits).mean()),
            "items": len(labels),
            "per_class": rows,
        }

    def statistics(self, labels, logits):
        answers, columns = self.decisions(logits), range(labels.shape[1])
        micro, macro = f1_of(labels.astype(int), answers)
        return {
            "accuracy": mean_of(self.hits(labels, answers)),
            "mean_average_precision": mean_of_known(
                [average_precision_of(labels[:, c], logits[:, c]) for c in columns]
            ),
            "auc": mean_of_known([area_of(labels[:, c], logits[:, c]) for c in columns]),
            "f1_micro": micro,
            "f1_macro": macro,
        }

    def hits(self, labels, answers):
        return (answers == labels).all(axis=1)

    def class_masks(self, labels, answers):
        return labels.astype(bool), answers.astype(bool)

    def in_words(self, label, logits):
        signs = 2 * np.asarray(label, int) - 1
        return self.name_of(label), float(expit(signs * logits.astype(np.float64)).prod())

    def item_scores(self, labels, answers):
        return (answers == labels).astype(np.float64).mean(axis=1)

    def skills(self, labels, logits, *, reference):
        true = labels > 0
        rank = stats.rankdata(-logits, method="max", axis=1)
        # `among`: the ranks of the true labels alone. Labels that are not true rank last.
        among = stats.rankdata(np.where(true, -logits, np.inf), method="max", axis=1)
        counts = true.sum(axis=1)
        values = np.sum(np.where(true, among / rank, 0), axis=1) / np.maximum(counts, 1)
        undecided = (counts == 0) | (counts == labels.shape[1])
        return np.where(undecided, 1, values).astype(np.float32)

    def baseline_text(self, labels):
        counts = self.class_counts(labels)
        if not counts.any():
            return ""
        share = counts[counts > 0].mean() / len(labels)
        return f"ranking at random would give about {share:.3f}"

    @property
    def choices(self) -> int:
        return 2

    def question(self, labels, logits):
        outputs = ((1 - 2 * labels) * logits).argmax(axis=1)
        names = tuple(self.class_names[number] for number in outputs)
        return Question(outputs, np.ones(len(logits), np.float32), names)


class _MaskEncoder(LabelEncoder):
    """Encoder of several labels per item, given as rows of 0 and 1 or as lists of names."""

    task = "multilabel"

    def __init__(self, y: Sequence, class_names: Sequence[str] | None):
        if class_names is not None:
            self.class_names = distinct_names(class_names)
        elif isinstance(y, np.ndarray):
            self.class_names = tuple(map(str, range(y.shape[1])))
        else:
            self.class_names = tuple(sorted({str(label) for labels in y for label in labels}))
        if not self.class_names:
            raise DataError("Expected at least one item with a label. No item has a label.")

    def code(self, y: Sequence, items: int, name: str, item: str = "image") -> np.ndarray:
        if len(y) != items:
            raise DataError(
                f"Expected a row of labels for each {name} {item}. Received: {items} {item}s and "
                f"{len(y)} rows."
            )
        mask = y if isinstance(y, np.ndarray) else self._from_names(y, name)
        if mask.shape[1] != len(self.class_names):
            raise DataError(
                f"Expected {len(self.class_names)} columns of {name} labels "
                f"({listing(self.class_names)}). Received: {mask.shape[1]} columns."
            )
        return mask

    def _from_names(self, y: Sequence, name: str) -> np.ndarray:
        numbers = {label: number for number, label in enumerate(self.class_names)}
        mask = np.zeros((len(y), len(numbers)), np.float32)
        for row, labels in enumerate(y):
            for label in map(str, labels):
                if label not in numbers:
                    raise DataError(
                        f"Unknown {name} label {quoted(label)}. Expected one of {len(numbers)} "
                        f"labels: {listing(numbers)}."
                    )
                mask[row, numbers[label]] = 1
        return mask

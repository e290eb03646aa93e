"""Results that are valid only for certain weights of a model."""

import dataclasses

from keras_tl.evaluation.evaluation import Evaluation
from keras_tl.report.artifacts import Artifacts
from keras_tl.selection.result import FitResult


@dataclasses.dataclass
class Measured:
    """Results that are valid only for certain weights of a model.

    Attributes:
        weights: Fingerprint (hash) of these weights.
        evaluations: Dict from the name of a split to its evaluation.
        artifacts: Report artifacts: single items, feature maps and a comparison.
        fitted: Result of `fit`. `None`: the user trained phase by phase.
    """

    weights: str
    evaluations: dict[str, Evaluation] = dataclasses.field(default_factory=dict)
    artifacts: Artifacts = dataclasses.field(default_factory=Artifacts)
    fitted: FitResult | None = None

    def of(self, weights: str) -> "Measured":
        """Return the results that are valid for weights with this fingerprint."""
        if weights == self.weights:
            return self
        return Measured(weights, artifacts=self.artifacts.before_training())

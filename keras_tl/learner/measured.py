"""Results that belong to one state of a model's weights."""

import dataclasses

from keras_tl.evaluation.evaluation import Evaluation
from keras_tl.report.artifacts import Artifacts
from keras_tl.selection.result import FitResult


@dataclasses.dataclass
class Measured:
    """Results that belong to one state of a model's weights.

    Attributes:
        weights: Fingerprint of the weights.
        evaluations: Evaluations by split.
        artifacts: Report artifacts: single items, feature maps and a comparison.
        fitted: Result of `fit`. `None`: the user trained phase by phase.
    """

    weights: str
    evaluations: dict[str, Evaluation] = dataclasses.field(default_factory=dict)
    artifacts: Artifacts = dataclasses.field(default_factory=Artifacts)
    fitted: FitResult | None = None

    def of(self, weights: str) -> "Measured":
        """Return the results that hold for a fingerprint: all of them if it is unchanged."""
        if weights == self.weights:
            return self
        return Measured(weights, artifacts=self.artifacts.before_training())

"""Everything that was measured of one state of a model's weights."""

import dataclasses

from keras_tl.evaluation.evaluation import Evaluation
from keras_tl.report.exhibits import Exhibits
from keras_tl.selection.result import FitResult


@dataclasses.dataclass
class Measured:
    """Everything that was measured of one state of a model's weights.

    Attributes:
        weights: fingerprint of the weights.
        evaluations: by split.
        exhibits: single items, feature maps and a comparison, for the report.
        fitted: the choice of `fit`; `None`: the phases were trained as asked.
    """

    weights: str
    evaluations: dict[str, Evaluation] = dataclasses.field(default_factory=dict)
    exhibits: Exhibits = dataclasses.field(default_factory=Exhibits)
    fitted: FitResult | None = None

    def of(self, weights: str) -> "Measured":
        """Return what holds for the weights of a fingerprint: all of it if they are these."""
        if weights == self.weights:
            return self
        return Measured(weights, exhibits=self.exhibits.before_training())

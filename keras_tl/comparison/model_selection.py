"""The choice of the arm to ship."""

import dataclasses
from typing import Any

from keras_tl.comparison.curve_measures import measured, weights_of
from keras_tl.comparison.verdict import FINE_TUNED, FROZEN, SCRATCH, PredictionRecord

# From the lowest to the highest training cost. A frozen backbone runs once for each item.
# Training from scratch takes the whole budget. All arms have the same cost in serving.
_BY_COST = (FROZEN, FINE_TUNED, SCRATCH)


@dataclasses.dataclass(frozen=True)
class Choice:
    """The arm to ship, for one size of the training split.

    Attributes:
        arm: Name of the arm. `None`: one seed is not enough for a choice.
        best: Arm with the highest mean skill.
        is_settled: Whether every other arm is known to be worse, or as good up to
            `min_difference`. An unsettled cheaper arm may be much worse and is never chosen.
    """

    arm: str | None
    best: str
    is_settled: bool

    def to_json(self) -> dict[str, Any]:
        """Return the choice as JSON types."""
        return dataclasses.asdict(self)


def choose(arms: PredictionRecord, min_difference: float) -> Choice:
    """Return the cheapest arm that is as good as the best arm.

    It is as good if the 95% interval of the difference of final skills contains 0 and does not
    reach below `-min_difference`. If the interval contains 0 and reaches below, nothing is known.

    Args:
        arms: Skills of each arm, float array (seeds, epochs, items).
        min_difference: Smallest difference in skill that matters.
    """
    finals = {name: values[:, -1].mean() for name, values in arms.items()}
    in_turn = [name for name in _BY_COST if name in arms]
    best = max(in_turn, key=finals.__getitem__)
    if len(arms[best]) < 2:
        return Choice(None, best, is_settled=False)
    equal, unknown = [best], []
    for name in in_turn:
        if name != best:
            behind = measured(arms[name] - arms[best], weights_of("final", arms[best].shape[1]))
            interval = behind.interval()
            if not interval.excludes_zero:
                (equal if interval.low >= -min_difference else unknown).append(name)
    return Choice(min(equal, key=in_turn.index), best, is_settled=not unknown)

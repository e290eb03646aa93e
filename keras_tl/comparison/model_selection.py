"""Choose the trained variant (arm) to ship."""

import dataclasses

from keras_tl.base.choices import Arm
from keras_tl.base.config import JsonConfig
from keras_tl.comparison.curve_measures import measured, weights_of
from keras_tl.comparison.verdict import FINE_TUNED, FROZEN, SCRATCH, SkillsByArm

# Arms from the lowest to the highest training cost. A frozen backbone computes each item only once.
# Training from scratch trains all layers in every epoch. All arms have the same cost in serving.
_BY_COST = (FROZEN, FINE_TUNED, SCRATCH)


@dataclasses.dataclass(frozen=True)
class Choice(JsonConfig):
    """Choice of the trained variant (arm) to ship, for one training set size.

    Attributes:
        arm: Name of the arm to ship, or `None` if there is only one seed, which is too few for a
            choice.
        best: Name of the arm with the highest mean skill.
        is_settled: Whether the data show that each arm is either worse than the arm `best` or as
            good as `best` (up to `min_difference`). `choose` leaves out an arm if the data
            show neither that the arm is worse than `best` nor that the arm is as good as `best`.
    """

    arm: Arm | None
    best: Arm
    is_settled: bool


def choose(arms: SkillsByArm, min_difference: float) -> Choice:
    """Return the cheapest arm that is as good as the best arm.

    The function computes the 95% interval of the difference in final skill, arm minus best arm. An
    arm is as good as the best arm if this interval contains 0 and does not reach below
    `-min_difference`. The data do not show whether an arm is as good as the best arm if this
    interval contains 0 and reaches below `-min_difference`.
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

"""Which arm to ship."""

import dataclasses
from typing import Any

from keras_tl.comparison.measures import measured, weights_of
from keras_tl.comparison.verdict import FINE_TUNED, FROZEN, SCRATCH, Outcomes

# From the cheapest to the dearest to train, and to train again: frozen, the backbone runs once an
# item; from scratch it is trained for the whole budget. Served, they cost the same.
_BY_COST = (FROZEN, FINE_TUNED, SCRATCH)


@dataclasses.dataclass(frozen=True)
class Choice:
    """The arm to ship, for one size of the training split.

    Attributes:
        arm: its name; `None`: there is one seed, which is too little to choose by.
        best: the arm of the highest mean skill.
        is_settled: whether every arm is known to be worse than the best, or within what matters of
            it. If not, the best is the choice, as the cheaper one may be much worse.
    """

    arm: str | None
    best: str
    is_settled: bool

    def to_json(self) -> dict[str, Any]:
        """The choice as JSON types."""
        return dataclasses.asdict(self)


def choose(arms: Outcomes, min_difference: float) -> Choice:
    """The cheapest of the arms that cannot be told from the best one.

    An arm cannot be told from it if the 95% interval of the difference of their final skills holds
    0, and does not reach below `min_difference` under it: else nothing is known.

    Args:
        arms: for each a float array (seeds, epochs, items).
        min_difference: the smallest difference in skill that matters.
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

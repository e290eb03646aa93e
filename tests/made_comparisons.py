"""The folder of a finished comparison, made up: what its arms answer is drawn at random."""

import numpy as np

from keras_tl.comparison.store import Store
from keras_tl.comparison.verdict import ARMS

WHAT = {
    "model": {
        "backbone": "tfhub:/home/somebody/module",
        "task": "multiclass",
        "class_names": ["red", "green", "blue"],
    },
    "skill": {"task": "multiclass"},
    "budget": {"epochs": 3, "head": {"epochs": 1}},
}
LOGME = {"pretrained": 0.2, "random": -0.1}


def write_comparison(folder, sizes=(None,), shares=(0.3, 0.9, 0.35), items=60, what=WHAT):
    """Writes the runs of three seeds.

    Args:
        folder: where to.
        sizes: numbers of training items, or `None`.
        shares: of right answers, one an arm.
        items: of the test split.
        what: the model, the metric and the budget.
    """
    store, seeds = Store(folder), (0, 1, 2)
    store.begin(what, {"seeds": seeds, "sizes": sizes, "min_difference": 0.05, "logme": LOGME})
    rng = np.random.default_rng(0)
    for size in sizes:
        for arm, share in zip(ARMS, shares, strict=True):
            for seed in seeds:
                right = rng.random((3, items)) < share
                store.write(arm, size, seed, right.astype(np.uint8), {"seconds": 1.0})
    return folder

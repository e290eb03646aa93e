"""Compare numbers of prior items for the variances with which the head standardises features.

    python benchmarks/head_standardisation.py
    python benchmarks/head_standardisation.py --sets solar-cells --sizes 5 30 --draws 3

The benchmark computes the optimum of the head for a few items of each class, on
`data_sets.CHOOSING_SETS`. The head divides each feature by a standard deviation. Its square is a
weighted mean of two variances: of this feature, and the mean variance of all features. The number
of prior items is the weight of the mean variance. With 0 prior items, the standard deviations are
those of the training items alone. The benchmark prints the mean accuracy and mean cross-entropy on
the test split.
"""

import argparse
import statistics
from unittest import mock

import common
import numpy as np
from data_sets import CHOOSING_SETS
from small_data_contenders import Course

PRIOR_ITEMS = (0, 3, 10, 30)


def measure(name: str, sizes: list[int], draws: int) -> dict[tuple[int, int], list[tuple]]:
    """Return (accuracy, cross-entropy) of each draw, for each size and number of prior items."""
    from keras_tl.tasks import task_of
    from keras_tl.training import head_solver
    from keras_tl.training.head_start import head_problem
    from keras_tl.training.policies import SOLVED_HEAD

    course = Course(CHOOSING_SETS[name])
    division = course.division
    largest = {seed: division.draw(max(sizes), seed) for seed in range(draws)}
    rows = np.unique(np.concatenate([*largest.values()]))
    learner = course.learner(rows, 0)
    features = dict(
        zip(rows.tolist(), learner.features(learner.data.split("train"), cache="off"), strict=True)
    )
    task = task_of(learner.config)
    targets = task.dense_targets(course.test_numbers)
    found = {}
    for size in sizes:
        for seed in range(draws):
            drawn = division.draw(size, seed)
            given = np.stack([features[row] for row in drawn.tolist()])
            problem = head_problem(task, division.numbers(drawn), given, SOLVED_HEAD)
            for prior in PRIOR_ITEMS:
                with mock.patch.object(head_solver, "PRIOR_ITEMS", prior):
                    outputs = head_solver.solve(problem, seed=seed).outputs(course.test_features)
                losses, _ = task.convex_loss(outputs, targets)
                right = _decided(outputs) == course.test_numbers
                found.setdefault((size, prior), []).append((right.mean(), losses.mean()))
    return found


def _decided(outputs: np.ndarray) -> np.ndarray:
    """Return the predicted class of each item. For two classes the head has one logit."""
    return outputs.argmax(axis=1) if outputs.shape[1] > 1 else (outputs[:, 0] > 0).astype(int)


def lines(name: str, found: dict[tuple[int, int], list[tuple]]) -> list[list[str]]:
    """Return a row of the table for each size."""
    rows = []
    for size in sorted({size for size, _ in found}):
        cells = []
        for prior in PRIOR_ITEMS:
            accuracy, loss = (statistics.fmean(x) for x in zip(*found[size, prior], strict=True))
            cells.append(f"{accuracy:.3f}, {loss:.3f}")
        rows.append([name, str(size), *cells])
    return rows


def main() -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=[*CHOOSING_SETS], choices=[*CHOOSING_SETS])
    parser.add_argument("--sizes", nargs="+", type=int, default=[5, 10, 30, 100])
    parser.add_argument("--draws", type=int, default=5)
    options = parser.parse_args()
    rows = []
    for name in options.sets:
        if reason := CHOOSING_SETS[name].missing():
            common.say(f"Skipped {reason}")
            continue
        common.say(name)
        rows += lines(name, measure(name, options.sizes, options.draws))
    header = ["data set", "items a class", *(f"{n} prior items" for n in PRIOR_ITEMS)]
    result = {"machine": common.machine(), "rows": rows}
    common.show(result, common.table(header, rows), as_json=False)


if __name__ == "__main__":
    main()

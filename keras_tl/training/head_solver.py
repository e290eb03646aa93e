"""Solver for a linear head on cached features, with an L2 penalty from cross-validation."""

import dataclasses
import math
from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from keras_tl.data.splits import draw, folds

# Type of a loss function. From outputs and targets, the function computes the loss of each item and
# the gradient of each loss with respect to the outputs. See `keras_tl.tasks.Task.convex_loss`.
ConvexLoss = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

FOLDS = 5
# Maximum number of items with which `choose_l2` chooses the L2 penalty. If the problem has more
# items, `choose_l2` draws a random sample, because more items change the choice little.
MOST_TO_CHOOSE_ON = 500
# `Standardisation` averages the variance of each feature with the mean variance of all features. In
# the average, the mean variance counts as much as `PRIOR_ITEMS` items (docs/explanation/head.md).
PRIOR_ITEMS = 10
# Exponents x for the search of the best L2 penalty, which is (number of features) * 10^x. The
# search goes down from `_FIRST` until the loss has risen twice or the search reaches `_WEAKEST`. If
# `_FIRST` is best, the search goes up, at most to `_STRONGEST`.
_FIRST, _STEP, _STRONGEST, _WEAKEST = -1.5, 0.5, 3.0, -8.0
# Maximum number of values in a feature matrix with which the solver computes in float64. For larger
# matrices, float32 is precise enough and takes half the time.
_MOST_IN_DOUBLE = 4_000_000
# Maximum number of items with which the solver uses a single thread. For small matrix products,
# several threads cost more time than they save.
_MOST_FOR_ONE_THREAD = 5000


@dataclasses.dataclass(frozen=True)
class Standardisation:
    """Mean and scale of each feature, to standardise features.

    With few items, a feature can be nearly constant by chance. Division by a feature's tiny
    standard deviation would make the feature huge in items outside of the training data.
    `Standardisation` therefore averages the variance of each feature with the mean variance of all
    features, as if ten more items had the mean variance. Smyth, 2004 (doi:10.2202/1544-6115.1027)
    calls the averaged variance "posterior variance". Smyth estimates the number of additional items
    (prior degrees of freedom) from the data, but keras_tl always adds ten items.

    Attributes:
        mean: Mean of each feature, float64 (d,).
        scale: Scale of each feature, float64 (d,), above 0: square root of the weighted average of
            the feature's variance and the mean variance of all features.
    """

    mean: np.ndarray
    scale: np.ndarray

    def apply(self, features: np.ndarray) -> np.ndarray:
        """Return standardised features, float64 (n, d)."""
        return (features - self.mean) / self.scale

    @classmethod
    def of(cls, features: np.ndarray) -> "Standardisation":
        """Compute the mean and the scale of features (n, d), some rows at a time to save memory."""
        scaler = StandardScaler()
        for part in np.array_split(features, max(1, len(features) // 4096)):
            scaler.partial_fit(part)
        count, variance = len(features), scaler.var_
        moderated = (count * variance + PRIOR_ITEMS * variance.mean()) / (count + PRIOR_ITEMS)
        return cls(scaler.mean_, np.sqrt(np.where(moderated > 0, moderated, 1.0)))


@dataclasses.dataclass(frozen=True)
class Solution:
    """Weights of a linear head at the optimum of its training.

    Attributes:
        kernel: Kernel of the head, for features that are not standardised, float64 (d, outputs).
        bias: Bias of each output, float64 (outputs,).
        l2: Strength of the L2 penalty. Training minimises the mean loss of the items plus
            `l2 / 2 * |kernel|^2`, where `kernel` is the kernel for standardised features.
        standardisation: Mean and scale of the training features.
    """

    kernel: np.ndarray
    bias: np.ndarray
    l2: float
    standardisation: Standardisation

    def outputs(self, features: np.ndarray) -> np.ndarray:
        """Return the head's outputs, float64 (n, outputs), for features (n, d)."""
        return features @ self.kernel + self.bias


@dataclasses.dataclass(frozen=True)
class Problem:
    """Training data and loss of a linear head.

    Attributes:
        features: Features of n training items, float32 (n, d).
        targets: Targets of the items, float64 (n, outputs), see `Task.dense_targets`.
        loss: Function that computes each item's loss and the loss's gradient, see
            `Task.convex_loss`.
        curvature: Largest eigenvalue of the loss's Hessian where all outputs are 0, see
            `Task.curvature`.
        enough: Mean loss below which the search for the L2 penalty stops, see `Task.enough`.
        classes: Class of each item for stratified folds, int (n,). `None`: the folds are random.
        weights: Weight of each item's loss, float (n,). `None`: all weights are 1.
        groups: Group of each item, (n,). A group is never split between folds. `None`: each item
            forms its own group.
    """

    features: np.ndarray
    targets: np.ndarray
    loss: ConvexLoss
    curvature: float
    enough: float = 0.0
    classes: np.ndarray | None = None
    weights: np.ndarray | None = None
    groups: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> "Problem":
        """Return the problem with only the items in `rows`."""
        arrays = {
            name: value[rows]
            for name in ("features", "targets", "classes", "weights", "groups")
            if (value := getattr(self, name)) is not None
        }
        return dataclasses.replace(self, **arrays)


def solve(problem: Problem, l2: float | None = None, seed: int = 0) -> Solution:
    """Find the optimum of a linear head with an L2 penalty on standardised features.

    The head is a multinomial or binary logistic regression, or a ridge regression (Hastie,
    Tibshirani and Friedman, "The Elements of Statistical Learning", 2009, sec. 3.4 and 4.4). The
    solver is L-BFGS (Liu and Nocedal, 1989, Math. Programming 45).

    Args:
        l2: Strength of the L2 penalty, see `Solution`. `None`: the function chooses the strength
            with the smallest mean loss in 5-fold cross-validation.
        seed: Seed of the cross-validation that chooses `l2`.
    """
    threads = 1 if len(problem.features) <= _MOST_FOR_ONE_THREAD else None
    with threadpool_limits(threads, user_api="blas"):
        if l2 is None:
            l2 = choose_l2(problem, seed)
        plane = _Plane.of(problem.features)
        kernel, bias = _minimise(plane, problem, l2, precise=True)
    standardisation = plane.standardisation
    kernel = (plane.axes @ kernel) / standardisation.scale[:, None]
    return Solution(kernel, bias - standardisation.mean @ kernel, l2, standardisation)


def choose_l2(problem: Problem, seed: int = 0) -> float:
    """Return the L2 strength with the smallest mean loss on held-out items.

    The best L2 strength depends on the number of training items. The function assumes that the best
    L2 strength is proportional to 1 / sqrt(number of training items).

    Args:
        seed: Seed of the folds, and of the random sample if there are more than 500 items.
    """
    count = len(problem.features)
    if count > MOST_TO_CHOOSE_ON:
        labels = np.zeros(count) if problem.classes is None else problem.classes
        problem = problem.take(draw(labels, MOST_TO_CHOOSE_ON, seed))
    chosen = len(problem.features)
    numbers = folds(problem.classes, problem.groups, chosen, FOLDS, seed)
    parts = [_Fold(problem, numbers == number) for number in np.unique(numbers)]
    return _best_l2(problem, parts) * math.sqrt(chosen / count)


class _Fold:
    """Training and held-out items of a fold, standardised with statistics of the training items.

    For each L2 strength, the solver starts from the solution for the previous L2 strength.
    """

    def __init__(self, problem: Problem, is_out: np.ndarray):
        self._all = len(is_out)
        self._train, self._out = (problem.take(np.flatnonzero(x)) for x in (~is_out, is_out))
        self._plane = _Plane.of(self._train.features)
        self._rows = self._plane.project(self._out.features)
        self.found: tuple[np.ndarray, np.ndarray] | None = None

    def loss(self, l2: float) -> float:
        """Return the total loss of the held-out items.

        `l2` is the L2 strength for training on all items. A fold trains on fewer items, so the
        function raises the L2 strength.
        """
        own = l2 * math.sqrt(self._all / len(self._train.features))
        self.found = kernel, bias = _minimise(self._plane, self._train, own, self.found)
        losses, _ = self._out.loss(self._rows @ kernel + bias, self._out.targets)
        return float((losses if self._out.weights is None else losses * self._out.weights).sum())


def _best_l2(problem: Problem, parts: list[_Fold]) -> float:
    """Search the L2 strength with the lowest held-out loss, and refine it with a parabola."""
    count, features = problem.features.shape
    powers, losses = [], []

    def evaluate(power: float) -> None:
        powers.append(power)
        losses.append(sum(part.loss(features * 10.0**power) for part in parts) / count)

    def goes_on() -> bool:
        has_risen = len(losses) > 2 and losses[-3] < losses[-2] < losses[-1]
        return powers[-1] > _WEAKEST and losses[-1] > problem.enough and not has_risen

    evaluate(_FIRST)
    while goes_on():
        evaluate(powers[-1] - _STEP)
    # Discard the solutions as starting points: the next L2 strength is far from the previous one.
    for part in parts:
        part.found = None
    while min(losses) == losses[0] and powers[0] < _STRONGEST:
        evaluate(powers[0] + _STEP)
        powers.insert(0, powers.pop())
        losses.insert(0, losses.pop())
    best = int(np.argmin(losses))
    power = powers[best]
    if 0 < best < len(losses) - 1:
        before, here, after = losses[best - 1 : best + 2]
        power -= _STEP * (before - after) / (2 * (before - 2 * here + after))
    return features * 10.0**power


@dataclasses.dataclass(frozen=True)
class _Plane:
    """Standardised features, as coordinates along their principal axes.

    Rotating the features to the principal axes does not change the L2 penalty. If there are fewer
    items than features, n items need only n axes. `powers` determines the curvature of the loss
    along each axis.

    Attributes:
        rows: Coordinates of each item along the principal axes, float (n, axes).
        axes: Orthonormal principal axes, float (d, axes).
        powers: Mean squared coordinate of all items along each principal axis, float64 (axes,).
        standardisation: Mean and scale of the features.
    """

    rows: np.ndarray
    axes: np.ndarray
    powers: np.ndarray
    standardisation: Standardisation

    @classmethod
    def of(cls, features: np.ndarray) -> "_Plane":
        """Compute the principal axes of features (n, d)."""
        kind = np.float64 if features.size <= _MOST_IN_DOUBLE else np.float32
        standardisation = Standardisation.of(features)
        rows = standardisation.apply(features).astype(kind)
        count, width = rows.shape
        is_wide = count < width
        powers, vectors = np.linalg.eigh(
            (rows @ rows.T if is_wide else rows.T @ rows).astype(np.float64)
        )
        kept = powers > max(powers[-1], 0) * max(count, width) * np.finfo(kind).eps
        powers, vectors = powers[kept], vectors[:, kept]
        axes = ((rows.T @ vectors) / np.sqrt(powers) if is_wide else vectors).astype(kind)
        return cls(rows @ axes, axes, powers / count, standardisation)

    def project(self, features: np.ndarray) -> np.ndarray:
        """Return the coordinates of items along the principal axes, from features (m, d)."""
        return self.standardisation.apply(features).astype(self.axes.dtype) @ self.axes


def _minimise(
    plane: _Plane,
    problem: Problem,
    l2: float,
    start: tuple[np.ndarray, np.ndarray] | None = None,
    precise: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Return kernel (axes, outputs) and bias (outputs,) with the smallest penalised mean loss.

    The function scales each principal axis so that the loss has a similar curvature along all axes.
    """
    rows, powers = plane.rows, plane.powers
    count, outputs = problem.targets.shape
    units = (1 / np.sqrt(problem.curvature * powers + l2))[:, None]
    weights = None if problem.weights is None else problem.weights[:, None]

    def value_and_gradient(point: np.ndarray) -> tuple[float, np.ndarray]:
        scaled, bias = point[:-outputs].reshape(len(powers), outputs), point[-outputs:]
        kernel = scaled * units
        losses, gradient = problem.loss(rows @ kernel.astype(rows.dtype) + bias, problem.targets)
        if weights is not None:
            losses, gradient = losses * weights[:, 0], gradient * weights
        by_kernel = rows.T @ gradient.astype(rows.dtype) / count + l2 * kernel
        value = losses.mean() + l2 / 2 * (kernel**2).sum()
        return value, np.concatenate([(by_kernel * units).ravel(), gradient.mean(axis=0)])

    first = np.zeros(units.size * outputs + outputs)
    if start is not None:
        first = np.concatenate([(start[0] / units).ravel(), start[1]])
    limits = {"ftol": 1e-6, "gtol": 1e-4}
    if precise:
        limits = {"maxiter": 1000, "ftol": 1e-10, "gtol": 1e-6}
    found = minimize(value_and_gradient, first, jac=True, method="L-BFGS-B", options=limits).x
    return found[:-outputs].reshape(len(powers), outputs) * units, found[-outputs:]

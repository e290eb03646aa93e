"""LogME: a score of how well frozen features explain the labels, without training."""

import numpy as np
from scipy.optimize import minimize_scalar

from keras_tl.errors import BackboneError, DataError
from keras_tl.tasks import Task

# Limits of the search for the ratio alpha / beta of LogME, in units of the features' mean squared
# singular value. The search starts with a grid, because the evidence may have several maxima.
_LOWEST, _HIGHEST, _GRID = 1e-12, 1e12, 145


def logme(features: np.ndarray, labels: np.ndarray, task: type[Task]) -> float:
    """Return the logarithm of maximum evidence (LogME) of a linear model of the labels, per item.

    Source: You, Liu, Wang and Long, 2021, "LogME: Practical Assessment of Pre-trained Models for
    Transfer Learning", ICML, arXiv:2102.11005, sec. 4. In the model, each target column is a linear
    function of the features with Gaussian weights and Gaussian noise. The result is the mean of
    `log_evidence` over the columns. Each class has a target column of 0 and 1, as in the paper of
    LogME. In a multi-label task, each label has a column of 0 and 1. A regression has one column
    of standardised targets, so that the unit of the targets does not matter. Constant target
    columns are left out.

    Args:
        features: Features of n items, float array (n, d).
        labels: Labels of the items: class numbers, int (n,), or 0 and 1, (n, labels), or targets,
            float (n,).
        task: Class of the task that defines the labels.

    Returns:
        LogME in nats per item. Higher is better. Compare only scores that use the same items.

    Raises:
        DataError: Every target column is constant.
        BackboneError: A feature is not finite.
    """
    return float(log_evidence(features, target_columns(labels, task)).mean())


def target_columns(labels: np.ndarray, task: type[Task]) -> np.ndarray:
    """Return the target columns for `logme` without constant columns, float64 (n, columns).

    Raises:
        DataError: All columns are constant.
    """
    columns = task.target_columns(labels)
    columns = columns[:, np.ptp(columns, axis=0) > 0]
    if not columns.shape[1]:
        raise DataError(
            "All items of the training split have the same label. Expected at least two different "
            "classes or values. Add items with another label."
        )
    return columns


def log_evidence(features: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the maximum log evidence per item, over alpha and beta, of a linear model per target.

    The model is y = F w + noise, with w ~ N(0, I / alpha) and noise ~ N(0, I / beta). The evidence
    is eq. 2 of LogME (see `logme`). For a ratio t = alpha / beta, let Q(t) be the minimum of |y - F
    w|^2 + t |w|^2 over w. For each t, the best beta is n / Q(t), so the search is over t alone. The
    LogME paper finds the maximum of the evidence with a fixed-point iteration (alg. 1).

    Args:
        features: Features F of n items, float array (n, d).
        targets: One target y per column, float array (n, columns).

    Returns:
        Log evidence of each target in nats per item, float64 (columns,).

    Raises:
        BackboneError: A feature is not finite.
    """
    features, targets = features.astype(np.float64), targets.astype(np.float64)
    if not np.isfinite(features).all():
        raise BackboneError(
            "Some features are NaN or infinite. Check the weights, the preprocessing and the "
            "precision of the backbone."
        )
    n = len(features)
    # Eigenvalues of the smaller Gram matrix take a third of the time of a singular value
    # decomposition. Their additional error is smaller than the rounding of float32 features.
    is_long = n >= features.shape[1]
    powers, vectors = np.linalg.eigh(features.T @ features if is_long else features @ features.T)
    kept = powers > powers[-1] * max(features.shape) * np.finfo(np.float64).eps
    powers, vectors = powers[kept], vectors[:, kept]
    if is_long:
        explained = (vectors.T @ (features.T @ targets)) ** 2 / powers[:, None]
    else:
        explained = (vectors.T @ targets) ** 2
    rest = np.maximum((targets**2).sum(axis=0) - explained.sum(axis=0), 0)
    if not len(powers):
        return _profile(np.ones(1), powers, explained, rest, n)[0]
    grid = np.log(np.geomspace(_LOWEST, _HIGHEST, _GRID) * powers.mean())
    best = _profile(np.exp(grid), powers, explained, rest, n).argmax(axis=0)
    found = []
    for column, place in enumerate(best):
        one = explained[:, [column]], rest[[column]]

        def loss(log_ratio: float, one: tuple = one) -> float:
            return -_profile(np.exp([log_ratio]), powers, *one, n)[0, 0]

        around = grid[max(place - 1, 0)], grid[min(place + 1, _GRID - 1)]
        found.append(-minimize_scalar(loss, bounds=around, method="bounded").fun)
    return np.array(found)


def _profile(
    ratios: np.ndarray, powers: np.ndarray, explained: np.ndarray, rest: np.ndarray, n: int
) -> np.ndarray:
    """Return the log evidence per item at each ratio, for the best beta, (ratios, columns).

    Args:
        ratios: Values of the ratio alpha / beta.
        powers: Squared singular values of the features, (rank,).
        explained: Squared projection of each target on each left singular vector, (rank, columns).
        rest: Squared distance of each target from the span of the singular vectors, (columns,).
        n: Number of items.
    """
    shrinkage = ratios[:, None] / (ratios[:, None] + powers)
    # If the features fit a target exactly, the residual is 0 and the evidence infinite: limit both.
    least = np.maximum(shrinkage @ explained + rest, np.finfo(np.float64).tiny)
    volume = np.log(shrinkage).sum(axis=1, keepdims=True)
    return (np.log(n / least) + volume / n - 1 - np.log(2 * np.pi)) / 2

"""Check the scale of the features: whether the head needs standardised features.

docs/explanation/check-limits.md describes how the limits were measured.
"""

import numpy as np

from keras_tl.preflight.context import CheckContext
from keras_tl.preflight.finding_text import listing, name_of, several
from keras_tl.preflight.findings import Finding, NotChecked

# Usual range of the root mean square of the features' standard deviations.
SMALLEST, LARGEST = 0.003, 4.0
# A feature is dominant if it has more than half of the total variance of all features, and more
# than 30 times the median standard deviation.
DOMINANT_SHARE, DOMINANT_RATIO = 0.5, 30
# An item is far away if its distance from the mean exceeds 10 times the median distance.
FAR = 10
# Largest relative rounding error of a floating-point number, by Keras precision.
ROUNDING = {"float32": 2.0**-24, "mixed_float16": 2.0**-11, "mixed_bfloat16": 2.0**-8}
# A feature is lost if its standard deviation is below 4 times the rounding error of its mean. The
# check reports lost features if they are more than 1% of all features.
LOST, LOST_SHARE = 4, 0.01
# Because of rounding, equal float64 numbers can have a relative standard deviation up to 1e-12.
_EQUAL = 1e-12

_TOO = (
    "fit_head() standardises the features. Standardise the features for a head of your own too: "
    "usual learning rates are too {} for these features."
)
_TOO_HIGH, _TOO_LOW = _TOO.format("high"), _TOO.format("low")


def feature_scale(context: CheckContext) -> Finding | None:
    """Find features of an unusual scale: only a note, because `fit_head` standardises features.

    Adam moves each weight by about the learning rate in each step. A step of Adam thus changes the
    logits in proportion to the features. If features have a standard deviation of 100, usual
    learning rates are too high. If features have a standard deviation of 1e-6, training makes no
    progress.
    """
    features = context.sample[0].reshape(len(context.sample_rows), -1).astype(np.float64)
    means, spreads = features.mean(axis=0), features.std(axis=0)
    live = spreads > _EQUAL * np.abs(means)
    if not live.any():
        raise NotChecked("the features are constant")
    parts = (
        _size(features, spreads),
        _dominant(spreads),
        _lost(means[live], spreads[live], context.model.config.precision),
        _far(context, features - means),
    )
    if not (found := [part for part in parts if part is not None]):
        return None
    return Finding(
        "feature-scale",
        "note",
        f"The features of {several(len(features), 'training item')} have an unusual scale: "
        f"{'; '.join(what for what, _ in found)}.",
        " ".join(dict.fromkeys(action for _, action in found)),
    )


def _size(features: np.ndarray, spreads: np.ndarray) -> tuple[str, str] | None:
    spread = float(np.sqrt(np.mean(spreads**2)))
    if SMALLEST <= spread <= LARGEST:
        return None
    what = (
        f"a standard deviation of {spread:.2g} (usual: {SMALLEST:g} to {LARGEST:g}) and a largest "
        f"value of {np.abs(features).max():.3g}"
    )
    return what, _TOO_LOW if spread < SMALLEST else _TOO_HIGH


def _dominant(spreads: np.ndarray) -> tuple[str, str] | None:
    """Find a feature whose variance is so large that the other features hardly matter."""
    largest, share = spreads.max(), spreads.max() ** 2 / (spreads**2).sum()
    if share <= DOMINANT_SHARE or largest <= DOMINANT_RATIO * np.median(spreads):
        return None
    return f"one of {len(spreads):,} features has {share:.0%} of all variance", _TOO_HIGH


def _lost(means: np.ndarray, spreads: np.ndarray, precision: str) -> tuple[str, str] | None:
    """Find features whose differences between items are hardly larger than rounding errors."""
    count = int((spreads < LOST * ROUNDING[precision] * np.abs(means)).sum())
    if count <= LOST_SHARE * len(means):
        return None
    what = (
        f"{count:,} of {len(means):,} features differ between items by no more than the rounding "
        f"errors of {precision}"
    )
    if precision == "float32":
        return what, "Check the backbone's weights and preprocess=."
    return what, 'Use precision="float32".'


def _far(context: CheckContext, centred: np.ndarray) -> tuple[str, str] | None:
    """Find items whose features are much farther from the mean than those of most other items."""
    distances = np.linalg.norm(centred, axis=1)
    far = np.flatnonzero(distances > FAR * np.median(distances))
    if not len(far):
        return None
    far = far[np.argsort(-distances[far], kind="stable")]
    names = [name_of(context.data, "train", int(row)) for row in context.sample_rows[far]]
    what = f"{several(len(far), 'item')} more than {FAR} times as far from the mean as the median"
    return f"{what} ({listing(names)})", "Look at these items: they may be damaged."

"""PCA projection: items of a split by the first two principal components of their features."""

import dataclasses
import json
from typing import Self

import numpy as np
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

# Maximum number of items in a projection. In a plot, more points would hide each other, and the
# features of more items would take longer to compute.
MOST_ITEMS = 500
_DIGITS = 4


@dataclasses.dataclass(frozen=True, eq=False)
class PcaProjection:
    """Coordinates of items along the first two principal components of their features.

    Attributes:
        split: Name of the split.
        labels: Labels of the items, see `keras_tl.data.labelled_data.Split`.
        points: Coordinates of the items, float (n, 2), in the unit of the features.
        explained: Fraction of the features' variance that each component explains, in [0, 1].
        neighbours: Fraction of the items whose nearest other item has the same label. The nearest
            item has the smallest Euclidean distance over all features (Cover and Hart, "Nearest
            neighbor pattern classification", 1967). `None`: the task is a regression.
    """

    split: str
    labels: np.ndarray
    points: np.ndarray
    explained: tuple[float, float]
    neighbours: float | None

    @classmethod
    def of(cls, split: str, labels: np.ndarray, features: np.ndarray) -> Self | None:
        """Compute the PCA projection of n items from their features (n, ...) and labels.

        The result is `None` if there are fewer than three items, or if a feature is not finite.
        """
        if len(features) < 3 or not np.isfinite(features).all():
            return None
        rows = features.reshape(len(features), -1).astype(np.float64)
        points, explained = np.zeros((len(rows), 2)), np.zeros(2)
        if np.ptp(rows, axis=0).any():  # Equal items have no principal components.
            count = min(2, rows.shape[1])
            pca = PCA(count, random_state=0)
            points[:, :count] = pca.fit_transform(rows)
            explained[:count] = pca.explained_variance_ratio_
        same = None
        if np.issubdtype(labels.dtype, np.integer) or labels.ndim == 2:
            nearest = NearestNeighbors(n_neighbors=1).fit(rows).kneighbors(return_distance=False)
            equal = (labels[nearest[:, 0]] == labels).reshape(len(labels), -1)
            same = float(equal.all(axis=1).mean())
        return cls(split, labels, points, tuple(map(float, explained)), same)

    def to_bytes(self) -> bytes:
        """Return the content of a JSON file, with points rounded to four significant digits."""
        values = dataclasses.asdict(self) | {
            "labels": self.labels.tolist(),
            "points": [[float(f"{x:.{_DIGITS}g}") for x in point] for point in self.points],
        }
        return json.dumps(values).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Build a PCA projection from the result of `to_bytes`."""
        values = json.loads(content)
        arrays = {name: np.array(values[name]) for name in ("labels", "points")}
        return cls(**values | arrays | {"explained": tuple(values["explained"])})

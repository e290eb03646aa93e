"""Find nearest neighbours by features, in blocks that need little memory."""

import numpy as np

from keras_tl.features.store import Features

# Number of items in a block. With 1,280 features, a block takes 20 MB, and its cosines 64 MB.
_BLOCK = 4096


def nearest(
    queries: Features,
    among: Features,
    count: int,
    which: np.ndarray | None = None,
    block: int = _BLOCK,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest neighbours of each item by cosine of centred features, nearest first.

    Centring subtracts the mean, which all items have in common. Without centring, all features of a
    ReLU network point in about the same direction. Feature maps are first averaged over positions.

    Args:
        queries: Features of the items whose neighbours are wanted.
        among: Features of the candidates for neighbours. Centring subtracts the candidates' mean.
        count: Number of neighbours for each item, at most the number of candidates.
        which: Rows of `queries` to use, int (n,). `None`: use all rows.
        block: Number of rows in memory at the same time.

    Returns:
        Rows of the neighbours in `among`, int64 (n, count), and their cosines in [-1, 1], float32
        (n, count).
    """
    count = min(count, len(among))
    blocks = [np.arange(s, min(s + block, len(among))) for s in range(0, len(among), block)]
    mean = sum(vectors(among, rows).sum(axis=0, dtype=np.float64) for rows in blocks) / len(among)
    mean = mean.astype(np.float32)
    found = [(np.zeros((0, count), np.int64), np.zeros((0, count), np.float32))]
    which = np.arange(len(queries)) if which is None else which
    for start in range(0, len(which), block):
        mine = which[start : start + block]
        directions = _directions(vectors(queries, mine) - mean)
        best = np.zeros((len(mine), 0), np.int64)
        cosines = np.zeros((len(mine), 0), np.float32)
        for rows in blocks:
            products = directions @ _directions(vectors(among, rows) - mean).T
            # For a small `count`, repeated argmax is much faster than a partition.
            for _ in range(min(count, len(rows))):
                place = products.argmax(axis=1)[:, None]
                best = np.hstack([best, rows[place]])
                cosines = np.hstack([cosines, np.take_along_axis(products, place, axis=1)])
                np.put_along_axis(products, place, -np.inf, axis=1)
            order = np.argsort(-cosines, axis=1, kind="stable")[:, :count]
            best, cosines = (np.take_along_axis(x, order, axis=1) for x in (best, cosines))
        found.append((best, cosines))
    return np.concatenate([x for x, _ in found]), np.concatenate([x for _, x in found])


def vectors(features: Features, rows: np.ndarray) -> np.ndarray:
    """Return features of the given rows, float32 (rows, d). Average feature maps over positions."""
    read = features.read(rows)
    return read if read.ndim == 2 else read.mean(axis=tuple(range(1, read.ndim - 1)))


def _directions(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1)

"""Fingerprints of weights, which link stored features to a backbone."""

import hashlib
import zlib
from collections.abc import Iterable

import keras
import numpy as np


def weights_fingerprint(layer: keras.layers.Layer) -> str:
    """Return the SHA-256 of all weights of a layer, in order."""
    digest = hashlib.sha256()
    for weight in layer.weights:
        digest.update(f"{weight.shape} {weight.dtype}".encode())
        digest.update(np.ascontiguousarray(weight.numpy()).data)
    return digest.hexdigest()


def crc32(arrays: Iterable[np.ndarray]) -> int:
    """Return one CRC-32 of the values of all arrays, in the order of the arrays."""
    checksum = 0
    for array in arrays:
        checksum = zlib.crc32(np.ascontiguousarray(array).data, checksum)
    return checksum


class WeightsFingerprint:
    """Fingerprint of the current weights of a layer, computed again only after a change.

    A CRC-32 of all values detects changes of the weights, three times as fast as SHA-256. The
    CRC-32 misses one accidental change in four billion.
    """

    def __init__(self, layer: keras.layers.Layer):
        self._layer = layer
        self._checksum: int | None = None
        self._value = ""

    def __call__(self) -> str:
        """Return the fingerprint of the layer's weights, as 64 hexadecimal digits."""
        checksum = crc32(weight.numpy() for weight in self._layer.weights)
        if checksum != self._checksum:
            self._value = weights_fingerprint(self._layer)
            self._checksum = checksum
        return self._value

"""Recorded inputs and outputs of an export, as JSON: `assets.extra/keras_tl_examples.json`.

    {signature: {"inputs": {name: array}, "outputs": {name: array}}}

Each array is a dict with `dtype`, `shape` and `data`. `data` holds the bytes of a numeric array in
base64. For an array of strings, `data` is a list with each string in base64.
"""

import base64
from typing import Any

import numpy as np

EXAMPLES = "keras_tl_examples.json"


def encode_array(array: np.ndarray) -> dict[str, Any]:
    """Encode an array as JSON types without loss. Arrays of dtype object must hold byte strings."""
    if array.dtype == object:
        data = [base64.b64encode(item).decode() for item in array.ravel()]
    else:
        data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return {"dtype": str(array.dtype), "shape": list(array.shape), "data": data}


def decode_array(encoded: dict[str, Any]) -> np.ndarray:
    """Decode an array from the output of `encode_array`."""
    if encoded["dtype"] == "object":
        flat = np.array([base64.b64decode(item) for item in encoded["data"]], object)
    else:
        flat = np.frombuffer(base64.b64decode(encoded["data"]), encoded["dtype"])
    return flat.reshape(encoded["shape"])

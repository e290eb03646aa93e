"""Backbones whose ImageNet weights are on this machine and need no download."""

import os
import re
from pathlib import Path

from keras_tl.backbones.catalogue import CATALOGUE
from keras_tl.backbones.spec import BackboneSpec
from keras_tl.backbones.weights_packages import find_file

# In a weights file's name, these patterns match the parts before and after the network's name.
# `_plain` first removes all separators from the file's name.
_BEFORE = r"(weights)?"
_AFTER = r"(weightstfdimorderingtfkernels)?(10224tf|10224|22410float)?notop(v2)?"


def backbones_without_download() -> tuple[str, ...]:
    """Return the names of catalogue backbones whose ImageNet weights need no download.

    Weights need no download if they are part of keras_tl, are in an installed package, or were
    downloaded earlier by `keras.applications` (into `$KERAS_HOME/models`, else `~/.keras/models`).
    """
    downloads = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models"
    files = [_plain(path.stem) for path in downloads.glob("*.h5")]
    return tuple(spec.name for spec in CATALOGUE.values() if _has_weights(spec, files))


def _has_weights(spec: BackboneSpec, files: list[str]) -> bool:
    if spec.weights is None:
        return False
    if spec.weights.bundled is not None:
        return True
    if spec.weights.package is not None:
        return find_file(spec.weights.package) is not None
    return any(is_file_of(spec.name, name) for name in files)


def is_file_of(name: str, file: str) -> bool:
    """Return whether a file has Keras's name for weights of a backbone without its classifier.

    The name of the file may lack the suffix `.h5`.
    """
    pattern = _BEFORE + _plain(name) + _AFTER
    return re.fullmatch(pattern, _plain(file.removesuffix(".h5"))) is not None


def _plain(name: str) -> str:
    return re.sub(r"[\s_.-]", "", name).lower()

"""Find the folder of a TF-Hub module from its handle, which is a path or a URL."""

import os
import sys
from pathlib import Path
from types import ModuleType

from packaging import version

from keras_tl.base.files import local_path
from keras_tl.errors import BackboneError, quoted

_OFFLINE = (
    "Without internet access, download the module on another machine (on tfhub.dev or Kaggle: "
    "'TF2 SavedModel', a .tar.gz). Unpack the archive, and pass the folder that contains "
    "saved_model.pb."
)


def resolve(handle: str | os.PathLike[str]) -> Path:
    """Return the folder of a TF-Hub module. For a URL, the first call downloads the module.

    Args:
        handle: Folder of the module, or its URL on tfhub.dev or Kaggle. `$TFHUB_CACHE_DIR` sets the
            folder of downloads.

    Raises:
        BackboneError: The folder does not exist, or the module cannot be downloaded.
    """
    text = os.fspath(handle)
    if "://" not in text:
        path = local_path(text)
        if not path.is_dir():
            raise BackboneError(
                f"There is no folder {quoted(text)}. Expected the folder or the URL of a TF-Hub "
                f"module. {_OFFLINE}"
            )
        return path
    try:
        return Path(_tensorflow_hub().resolve(text))
    except Exception as error:  # tensorflow_hub's resolvers can raise any exception.
        raise BackboneError(
            f"Could not get the TF-Hub module {quoted(text)} ({type(error).__name__}: {error}). "
            f"{_OFFLINE}"
        ) from error


def _tensorflow_hub() -> ModuleType:
    """Import tensorflow_hub, which only a download needs: the import is slow and loads Keras 2."""
    # tensorflow-hub 0.16 needs `pkg_resources`, which setuptools 82 no longer has.
    is_missing = sys.modules.get("pkg_resources") is None
    if is_missing:
        stand_in = sys.modules["pkg_resources"] = ModuleType("pkg_resources")
        stand_in.parse_version = version.parse
    try:
        import tensorflow_hub
    finally:
        if is_missing:
            del sys.modules["pkg_resources"]
    return tensorflow_hub

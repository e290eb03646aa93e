"""From a handle to the folder of a TF-Hub module."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from packaging import version

from keras_tl.base.files import local_path
from keras_tl.errors import BackboneError, quoted

_OFFLINE = (
    "Without a network: download the module elsewhere (on tfhub.dev or Kaggle: 'TF2 SavedModel', "
    "a .tar.gz), unpack it, and pass the folder that holds saved_model.pb."
)


def resolve(handle: str | os.PathLike) -> Path:
    """The folder of a module; a download the first time, kept by tensorflow_hub.

    Args:
        handle: a folder, or the URL of a module on tfhub.dev or Kaggle. What tensorflow_hub
            downloads it keeps in `$TFHUB_CACHE_DIR`.

    Raises:
        BackboneError: there is no such folder, or the module cannot be downloaded.
    """
    text = os.fspath(handle)
    if "://" not in text:
        path = local_path(text)
        if not path.is_dir():
            raise BackboneError(
                f"There is no folder {quoted(text)}. Expected the folder of a TF-Hub module, or "
                f"its URL. {_OFFLINE}"
            )
        return path
    try:
        return Path(_tensorflow_hub().resolve(text))
    except Exception as error:  # Its resolvers raise whatever they meet.
        raise BackboneError(
            f"Could not get the TF-Hub module {quoted(text)} ({type(error).__name__}: {error}). "
            f"{_OFFLINE}"
        ) from error


def _tensorflow_hub() -> ModuleType:
    # It is slow to import and brings Keras 2 with it: only where something is to be downloaded.
    with _stand_in_for_pkg_resources():
        import tensorflow_hub
    return tensorflow_hub


@contextlib.contextmanager
def _stand_in_for_pkg_resources() -> Iterator[None]:
    """tensorflow-hub 0.16 imports it for one function; setuptools 82 no longer has it."""
    if sys.modules.get("pkg_resources") is not None:
        yield
        return
    stand_in = ModuleType("pkg_resources")
    stand_in.parse_version = version.parse
    sys.modules["pkg_resources"] = stand_in
    try:
        yield
    finally:
        del sys.modules["pkg_resources"]

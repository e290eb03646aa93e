"""Packages that are extras: imported where they are needed, or missed with a clear sentence."""

import importlib
from types import ModuleType

from keras_tl.errors import ConfigError


def import_tensorflow_text() -> ModuleType:
    """tensorflow_text; importing it registers its operations with TensorFlow.

    Raises:
        ConfigError: it is not installed, or is not for the installed TensorFlow.
    """
    return _import("tensorflow_text", "tensorflow-text of the same version as TensorFlow", "text")


def import_keras_hub() -> ModuleType:
    """keras_hub; importing it registers its classes with Keras.

    Raises:
        ConfigError: it is not installed, or does not run with the installed Keras.
    """
    return _import("keras_hub", "KerasHub", "kerashub")


def _import(module: str, what: str, extra: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except Exception as error:  # One for another version fails in whatever way it does.
        raise ConfigError(
            f'This needs {what}: pip install "keras_tl[{extra}]". ({type(error).__name__}: {error})'
        ) from error

"""Packages that are extras: imported where they are needed, or missed with a clear sentence."""

import importlib
from types import ModuleType

from keras_tl.errors import ConfigError


def import_extra(module: str, what: str, extra: str) -> ModuleType:
    """Imports a module of a package that only some users need.

    Args:
        module: its dotted name.
        what: what messages call the package.
        extra: the extra of keras_tl that installs it.

    Raises:
        ConfigError: it is not installed, or does not run with what is.
    """
    try:
        return importlib.import_module(module)
    except Exception as error:  # One for another version fails in whatever way it does.
        raise ConfigError(
            f'This needs {what}: pip install "keras_tl[{extra}]". ({type(error).__name__}: {error})'
        ) from error

"""Optional packages, imported at the first use, with a clear error if a package is missing."""

import importlib
from types import ModuleType

from keras_tl.errors import ConfigError


def import_extra(module: str, what: str, extra: str) -> ModuleType:
    """Import a module of an optional package.

    Args:
        module: Dotted name of the module to import.
        what: Name of the package in error messages.
        extra: Name of the pip extra of keras_tl that installs the package.

    Raises:
        ConfigError: The package is not installed, or not compatible with the installed packages.
    """
    try:
        return importlib.import_module(module)
    except Exception as error:  # Incompatible versions raise errors of any type.
        raise ConfigError(
            f'Cannot import {what}. Install with: pip install "keras_tl[{extra}]". '
            f"({type(error).__name__}: {error})"
        ) from error

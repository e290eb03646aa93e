"""Optional packages, imported at the first use, with a clear error if a package is missing."""

import importlib
import importlib.metadata
from types import ModuleType

from packaging.requirements import Requirement

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
            f"Cannot import {what}. Install with: {install_command(extra)}. "
            f"({type(error).__name__}: {error})"
        ) from error


def install_command(extra: str) -> str:
    """Return the command that installs the packages of an extra.

    The command names each package of the extra. `pip install "keras_tl[...]"` would fail, because
    no package index has keras_tl. If keras_tl runs from a clone without installation, the command
    installs `.[extra]` instead.
    """
    try:
        requirements = importlib.metadata.requires("keras_tl") or []
    except importlib.metadata.PackageNotFoundError:  # keras_tl runs from a clone.
        requirements = []
    packages = [
        f"{one.name}{one.specifier}"
        for one in map(Requirement, requirements)
        if one.marker is not None
        and one.marker.evaluate({"extra": extra})
        and not one.marker.evaluate({"extra": ""})
    ]
    return " ".join(["pip install", *(f'"{name}"' for name in packages or [f".[{extra}]"])])

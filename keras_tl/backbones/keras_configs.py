"""Rebuild objects from Keras configurations, without running or importing unknown code."""

import copy
from collections.abc import Iterator
from typing import Any

import keras

from keras_tl.backbones.extras import import_keras_hub
from keras_tl.errors import BackboneError

_FLOAT32 = "float32"


def rebuild(config: dict[str, Any]) -> Any:
    """Rebuild an object from its Keras configuration.

    If the global dtype policy is float32, mixed-precision policies in the configuration become
    float32.

    Raises:
        BackboneError: The configuration holds a lambda or an unknown class or function. An unknown
            class or function is not from Keras, not from KerasHub, and not registered. `rebuild`
            does not import the modules of unknown classes.
        ConfigError: A class is from KerasHub, which is not installed.
    """
    # Pass a copy to Keras, which modifies the configuration.
    config = copy.deepcopy(config)
    for part in _dicts(config):
        _check_class(part)
    for part in _dicts(config) if keras.config.dtype_policy().name == _FLOAT32 else ():
        is_policy = part.get("class_name") == "DTypePolicy"
        if is_policy and part["config"]["name"].startswith("mixed_"):
            part["config"]["name"] = _FLOAT32
    return keras.saving.deserialize_keras_object(config, safe_mode=True)


def _dicts(config: Any) -> Iterator[dict[str, Any]]:
    """Yield all dicts in a configuration, at any depth."""
    if isinstance(config, dict):
        yield config
        config = list(config.values())
    for part in config if isinstance(config, (list, tuple)) else ():
        yield from _dicts(part)


def _check_class(config: dict[str, Any]) -> None:
    if "class_name" in config:
        module, registered = config.get("module"), config.get("registered_name")
        package = module and module.split(".")[0]
        if package == "keras_hub":
            import_keras_hub()
        kind, name = "class", config["class_name"]
        known = package in ("keras", "builtins") or (module is None and registered is None)
        if name in ("function", "__lambda__"):
            kind, known = "function", False
            registered = config["config"] if name == "function" else None
            name, module = registered or "<lambda>", None
        if not known and keras.saving.get_registered_object(registered) is None:
            of = f" of {module!r}" if module else ""
            raise BackboneError(
                f"The network uses the {kind} {name!r}{of}, which is not registered in this "
                "process. First register it with @keras.saving.register_keras_serializable(), or "
                "import the module that registers it."
            )
    if list(config) == ["value"] and isinstance(config["value"], list):
        raise BackboneError(  # Keras stores a lambda's bytecode in this format.
            "The network uses a lambda, for example as an activation. A saved run cannot contain "
            "a lambda. Use a named function that is registered with "
            "@keras.saving.register_keras_serializable()."
        )

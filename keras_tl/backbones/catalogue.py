"""Backbones by name: the catalogue, and the backbones that users register.

To add a backbone to the catalogue, add one record in `keras_tl/backbones/records`, and change no
other code.
"""

import re
from types import MappingProxyType

from keras_tl.backbones.records import RECORDS
from keras_tl.backbones.spec import BackboneSpec
from keras_tl.errors import BackboneError, quoted, unknown

CATALOGUE = MappingProxyType({spec.name: spec for spec in RECORDS})

_registered: dict[str, BackboneSpec] = {}


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", str(name)).lower()


def get_spec(name: str) -> BackboneSpec:
    """Return the record of a backbone. Case, spaces, `_` and `-` in the name do not matter.

    Raises:
        BackboneError: No backbone has this name. The error message suggests similar names.

    Example:
        >>> spec = ktl.backbones.get_spec("EfficientNet-Lite0")
        >>> spec.name, spec.features
        ('efficientnet_lite0', 1280)
    """
    known = {**CATALOGUE, **_registered}
    for spec in known.values():
        if _plain(spec.name) == _plain(name):
            return spec
    if "/" in str(name) or "\\" in str(name):
        raise BackboneError(
            f"Unknown backbone {quoted(name)}. A URL or a folder needs a prefix: "
            f"{quoted(f'tfhub:{name}')} for a TF-Hub module, {quoted(f'kerashub:{name}')} for a "
            f"KerasHub preset, {quoted(f'run:{name}')} for a saved run."
        )
    raise BackboneError(
        f"{unknown('backbone', name, known)} To use your own backbone, first call "
        "keras_tl.backbones.register."
    )


def register(spec: BackboneSpec, *, overwrite: bool = False) -> None:
    """Register a user's backbone under its name, until the process ends.

    `Learner` and `load` then accept the name of the registered backbone like the names in the
    catalogue. A saved run stores only the name of the backbone: register the record again before
    `Learner.load`.

    Args:
        spec: Record that describes the backbone: name, builder, preprocessing, blocks and weights.
        overwrite: Whether to replace an earlier registration of the same name.

    Raises:
        BackboneError: `spec` is not a `BackboneSpec`, or the name is taken.

    Example:
        >>> import dataclasses
        >>> spec = dataclasses.replace(ktl.backbones.get_spec("resnet50"), name="my_resnet")
        >>> ktl.backbones.register(spec)
        >>> ktl.backbones.get_spec("my_resnet").features
        2048
    """
    if not isinstance(spec, BackboneSpec):
        raise BackboneError(f"register takes a BackboneSpec. Received: {type(spec).__name__}.")
    taken = {_plain(name): name for name in (*CATALOGUE, *_registered)}.get(_plain(spec.name))
    if taken in CATALOGUE:
        raise BackboneError(
            f"The catalogue already has a backbone {quoted(taken)}. Register {quoted(spec.name)} "
            "under another name."
        )
    if taken is not None and not overwrite:
        raise BackboneError(
            f"A backbone {quoted(taken)} is registered already. Choose another name, or pass "
            "overwrite=True."
        )
    if taken is not None:
        del _registered[taken]
    _registered[spec.name] = spec

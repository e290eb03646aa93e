"""Create the contents of the files that configure a server for an export."""

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_tl.errors import ConfigError, quoted
from keras_tl.export.client_items import CLIENT_ITEMS
from keras_tl.export.export_facts import Exported, Tensors

_TEMPLATES = Path(__file__).with_name("templates")
_SUFFIX = ".template"
_PLACE = re.compile(r"\{\{(\w+)\}\}")
# Characters that URLs, paths and configuration files accept without escapes.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SHOWN_LABELS = 20
_GIB = 2**30


def server_name(base: Path) -> str:
    """Return the name of the model folder, or raise `ConfigError` if servers do not accept it."""
    name = base.resolve().name
    if not _NAME.fullmatch(name):
        raise ConfigError(
            "The name of the model folder is the model's name on servers and in URLs. Expected "
            "letters from A to Z, digits, '.', '_' and '-', beginning with a letter or a digit. "
            f"Received: {quoted(name)}. Export to another folder, or leave serving= out."
        )
    return name


def server_files(export: Exported, cores: int) -> dict[str, bytes]:
    """Return the content of each server file, by file name. The file README.md explains the others.

    Raises:
        ConfigError: The name of the model folder is not a valid model name for a server.
    """
    item = CLIENT_ITEMS[export.item]()
    files = {"predict.json": _json({"instances": [item.request]}), **item.files}
    asked = {"signature_name": export.standard, "examples": [item.request]}
    files[f"{export.standard}.json"] = _json(asked)
    values = _values(export, server_name(export.base), cores) | item.places
    for template in _TEMPLATES.glob(f"*{_SUFFIX}"):
        text = _PLACE.sub(lambda place: str(values[place[1]]), template.read_text("utf-8"))
        files[template.name.removesuffix(_SUFFIX)] = text.encode()
    return files


def _values(export: Exported, name: str, cores: int) -> dict[str, Any]:
    """Return the values of the template placeholders, by name."""
    stable = max((other for other in export.others if other < export.version), default=None)
    outputs = export.signatures["serving_default"][1]
    return {
        "name": name,
        "deployment": _deployment_name(name),
        "version": export.version,
        # The README's examples of a rollback and a canary use these two versions.
        "stable": export.version if stable is None else stable,
        "canary": export.version + 1 if stable is None else export.version,
        "tensorflow": ".".join([*export.tensorflow.split(".")[:2], "0"]),
        "cores": cores,
        "queue": 4 * cores,
        # Memory in GiB: 1 for TensorFlow, 0.5 per core for the largest images (see
        # docs/reference/export.md), and twice the size of the export.
        "memory": math.ceil(1 + cores / 2 + 2 * export.size / _GIB),
        "standard": export.standard,
        "outputs": json.dumps(list(outputs)),
        "signatures": "\n".join(
            f"| `{signature}` | {_shown(inputs)} | {_shown(outputs)} |"
            for signature, (inputs, outputs) in export.signatures.items()
        ),
        "classes": _classes(export),
        "any_size": _of_any_size(export.signatures),
    }


def _deployment_name(name: str) -> str:
    """Return a name that Compose and Kubernetes accept (RFC 1035), short enough for suffixes."""
    cleaned = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not cleaned[0].isalpha():
        cleaned = f"model-{cleaned}"
    return cleaned[:40].strip("-")


def _shown(tensors: Tensors) -> str:
    return ", ".join(
        f"`{name}` {dtype} ({', '.join(['n', *('any' if d < 0 else str(d) for d in shape[1:])])})"
        for name, (dtype, shape) in tensors.items()
    )


def _classes(export: Exported) -> str:
    """Return the README section about the classes, or an empty text if there are no classes."""
    if not export.labels:
        return ""
    shown = json.dumps(export.labels[:_SHOWN_LABELS], ensure_ascii=False)
    more = len(export.labels) - _SHOWN_LABELS
    also = f" (the first {_SHOWN_LABELS}, and {more} more)" if more > 0 else ""
    file = f"`{export.version}/assets/labels.txt`"
    return f"\nThe classes in the order of the outputs, as in {file}{also}:\n\n    {shown}\n"


def _of_any_size(signatures: Mapping[str, tuple[Tensors, Tensors]]) -> str:
    """Return a warning if a signature accepts items of different sizes, else an empty text."""
    names = [
        name
        for name, (inputs, _) in signatures.items()
        if any(size < 0 for _, shape in inputs.values() for size in shape[1:])
    ]
    if not names:
        return ""
    return f"""#
# {" and ".join(names)}: arrays of any size. One batch cannot hold arrays of different sizes, so
# TensorFlow Serving refuses such requests if they arrive together. Send arrays of one size only, or
# start the server without --enable_batching. Do not set pad_variable_length_inputs: the padding
# changes the outputs.
"""


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()

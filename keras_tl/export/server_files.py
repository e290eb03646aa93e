"""The files of configuration for a server of an export, as contents by their names."""

import base64
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_tl.errors import ConfigError, quoted
from keras_tl.export.exported import Exported, Tensors

_TEMPLATES = Path(__file__).with_name("templates")
_SUFFIX = ".template"
_PLACE = re.compile(r"\{\{(\w+)\}\}")
# What can stand in a URL, a path and a configuration as it is.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SHOWN_LABELS = 20
_GIB = 2**30
_IMAGE, _EXAMPLE_IMAGE = "image_bytes", "example.png"
_TEXTS = {"text": "An example of a text.", "text_pair": "Another text."}
# What the clients do with what they are given, by the inputs of `serving_default`.
_READING = {
    (_IMAGE,): '[{"image_bytes": Path(file).read_bytes()} for file in given]',
    ("text",): '[{"text": text} for text in given]',
    ("text", "text_pair"): (
        "[\n"
        '        {"text": text, "text_pair": text_pair}\n'
        "        for text, text_pair in zip(given[::2], given[1::2], strict=True)\n"
        "    ]"
    ),
}
# What clients of images do more.
_ASK_OWN_IMAGE = r"""
# A file of yours; its bytes go as base64, without line breaks.
echo '# What serving_default answers to an image (sh curl.sh IMAGE):'
encoded=$(base64 < "${1:-$HERE/example.png}")
printf '{"instances": [{"image_bytes": {"b64": "%s"}}]}' "$(echo "$encoded" | tr -d '\n')" |
    ask --data-binary @- "$MODEL:predict"
"""
_SAY_OWN_IMAGE = """
`sh curl.sh photo.jpg` asks a file of yours too: JSON has no bytes, so they go as base64 in
`{"b64": "..."}`.
"""


def server_name(base: Path) -> str:
    """The model's name on a server: that of its folder.

    Raises:
        ConfigError: it cannot be one.
    """
    name = base.resolve().name
    if not _NAME.fullmatch(name):
        raise ConfigError(
            "The model's folder gives its name on servers and in URLs. Expected letters from A to "
            "Z, digits, '.', '_' and '-', beginning with a letter or a digit; received "
            f"{quoted(name)}. Export to another folder, or leave out the configuration for a "
            "server."
        )
    return name


def server_files(export: Exported, cores: int) -> dict[str, bytes]:
    """Contents by names; what they are is said in the README among them.

    Args:
        export: what is to be served.
        cores: how many the server has.

    Raises:
        ConfigError: the name of the model's folder cannot be a model's name on a server.
    """
    files = {"predict.json": _json({"instances": [_item(export)]})}
    asked = {"signature_name": export.standard, "examples": [_item(export)]}
    files[f"{export.standard}.json"] = _json(asked)
    if export.item == (_IMAGE,):
        files[_EXAMPLE_IMAGE] = _example_image()
    values = _values(export, server_name(export.base), cores)
    for template in _TEMPLATES.glob(f"*{_SUFFIX}"):
        text = _PLACE.sub(lambda place: str(values[place[1]]), template.read_text("utf-8"))
        files[template.name.removesuffix(_SUFFIX)] = text.encode()
    return files


def _values(export: Exported, name: str, cores: int) -> dict[str, Any]:
    """What stands in the places of the templates."""
    is_image = export.item == (_IMAGE,)
    examples = [_EXAMPLE_IMAGE] if is_image else [_TEXTS[part] for part in export.item]
    quoted = ", ".join(map(json.dumps, examples))
    stable = max((other for other in export.others if other < export.version), default=None)
    outputs = export.signatures["serving_default"][1]
    return {
        "name": name,
        "deployment": _deployment_name(name),
        "version": export.version,
        # For the examples of a rollback and a canary.
        "stable": export.version if stable is None else stable,
        "canary": export.version + 1 if stable is None else export.version,
        "tensorflow": ".".join([*export.tensorflow.split(".")[:2], "0"]),
        "cores": cores,
        "queue": 4 * cores,
        # In GiB: TensorFlow itself, the largest images (docs/serving.md), the weights twice.
        "memory": math.ceil(1 + cores / 2 + 2 * export.size / _GIB),
        "standard": export.standard,
        "arguments": " ".join(part.removesuffix("_bytes").upper() for part in export.item),
        "examples": f"str(Path(__file__).with_name({quoted}))" if is_image else quoted,
        "imports": "from pathlib import Path\n" if is_image else "",
        "ask_own_image": _ASK_OWN_IMAGE if is_image else "",
        "say_own_image": _SAY_OWN_IMAGE if is_image else "",
        "client_items": f"[({quoted})]" if len(examples) > 1 else f"[{quoted}]",
        "reading": _READING[export.item],
        "outputs": json.dumps(list(outputs)),
        "signatures": "\n".join(
            f"| `{signature}` | {_shown(inputs)} | {_shown(outputs)} |"
            for signature, (inputs, outputs) in export.signatures.items()
        ),
        "classes": _classes(export),
        "any_size": _of_any_size(export.signatures),
    }


def _item(export: Exported) -> dict[str, Any]:
    """An item as TF Serving's REST interface takes it, in a request for `predict` or by example."""
    if export.item == (_IMAGE,):
        return {_IMAGE: {"b64": base64.b64encode(_example_image()).decode()}}
    return {part: _TEXTS[part] for part in export.item}


def _example_image() -> bytes:
    """A PNG file of colours that run into each other, 32 x 32."""
    red, green = tf.meshgrid(tf.range(0, 256, 8), tf.range(0, 256, 8))
    pixels = tf.cast(tf.stack([red, green, 255 - red], axis=-1), tf.uint8)
    return tf.io.encode_png(pixels).numpy()


def _deployment_name(name: str) -> str:
    """A name that Compose and Kubernetes take: RFC 1035, and short, as more is added to it."""
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
    """A section of the README, if there are classes."""
    if not export.labels:
        return ""
    shown = json.dumps(export.labels[:_SHOWN_LABELS], ensure_ascii=False)
    more = len(export.labels) - _SHOWN_LABELS
    also = f" (the first {_SHOWN_LABELS}, and {more} more)" if more > 0 else ""
    file = f"`{export.version}/assets/labels.txt`"
    return f"\nThe classes in the order of the outputs, as in {file}{also}:\n\n    {shown}\n"


def _of_any_size(signatures: Mapping[str, tuple[Tensors, Tensors]]) -> str:
    """A warning about the signatures of which requests may not fit into one batch, if any."""
    names = [
        name
        for name, (inputs, _) in signatures.items()
        if any(size < 0 for _, shape in inputs.values() for size in shape[1:])
    ]
    if not names:
        return ""
    return f"""#
# {" and ".join(names)}: arrays of any size, of which those of different sizes cannot stand in one
# batch. TensorFlow Serving refuses them if they happen to arrive together: send one size only, or
# start it without --enable_batching. Do not let it pad (pad_variable_length_inputs): what it pads
# with changes the answers.
"""


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()

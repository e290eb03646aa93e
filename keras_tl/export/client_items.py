"""Table of the items of exports, as servers and their clients handle them."""

import base64
import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

_EXAMPLE_IMAGE = "example.png"
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
_READ_PAIRS = (
    "[\n"
    '        {"text": text, "text_pair": text_pair}\n'
    "        for text, text_pair in zip(given[::2], given[1::2], strict=True)\n"
    "    ]"
)


@dataclasses.dataclass(frozen=True)
class ClientItem:
    """An item of an export. All strings are code or text for the templates.

    Attributes:
        request: an example of an item, as TF Serving's REST interface takes it.
        reading: makes the items of the clients' arguments.
        examples: the example, as those arguments.
        files: the files that the example needs, by their names.
        imports: what `examples` needs.
        ask_own: how curl asks about a file of the user's.
        say_own: the same in words.
    """

    request: Mapping[str, Any]
    reading: str
    examples: tuple[str, ...]
    files: Mapping[str, bytes] = dataclasses.field(default_factory=dict)
    imports: str = ""
    ask_own: str = ""
    say_own: str = ""

    @property
    def places(self) -> dict[str, str]:
        """The contents of the places in the templates."""
        quoted = ", ".join(map(json.dumps, self.examples))
        return {
            "arguments": " ".join(part.removesuffix("_bytes").upper() for part in self.request),
            "examples": f"str(Path(__file__).with_name({quoted}))" if self.files else quoted,
            "imports": self.imports,
            "ask_own_image": self.ask_own,
            "say_own_image": self.say_own,
            "client_items": f"[({quoted})]" if len(self.examples) > 1 else f"[{quoted}]",
            "reading": self.reading,
        }


def _of_images() -> ClientItem:
    content = _example_image()
    return ClientItem(
        {"image_bytes": {"b64": base64.b64encode(content).decode()}},
        '[{"image_bytes": Path(file).read_bytes()} for file in given]',
        (_EXAMPLE_IMAGE,),
        {_EXAMPLE_IMAGE: content},
        "from pathlib import Path\n",
        _ASK_OWN_IMAGE,
        _SAY_OWN_IMAGE,
    )


def _of_texts(reading: str, **request: str) -> ClientItem:
    return ClientItem(request, reading, tuple(request.values()))


def _example_image() -> bytes:
    """A PNG file of colours that run into each other, 32 x 32."""
    red, green = tf.meshgrid(tf.range(0, 256, 8), tf.range(0, 256, 8))
    pixels = tf.cast(tf.stack([red, green, 255 - red], axis=-1), tf.uint8)
    return tf.io.encode_png(pixels).numpy()


_TEXT, _OTHER = "An example of a text.", "Another text."
# By the inputs of `serving_default`, in the order in which people give them.
CLIENT_ITEMS = {
    ("image_bytes",): _of_images,
    ("text",): lambda: _of_texts('[{"text": text} for text in given]', text=_TEXT),
    ("text", "text_pair"): lambda: _of_texts(_READ_PAIRS, text=_TEXT, text_pair=_OTHER),
}

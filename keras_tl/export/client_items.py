"""Examples of requests and client code for each kind of exported item (image, text, text pair)."""

import base64
import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

_EXAMPLE_IMAGE = "example.png"
_ASK_OWN_IMAGE = r"""
# Send your own file. JSON has no bytes, so the file is sent as base64, without line breaks.
echo '# Outputs of serving_default for an image (sh curl.sh IMAGE):'
encoded=$(base64 < "${1:-$HERE/example.png}")
printf '{"instances": [{"image_bytes": {"b64": "%s"}}]}' "$(echo "$encoded" | tr -d '\n')" |
    ask --data-binary @- "$MODEL:predict"
"""
_SAY_OWN_IMAGE = """
`sh curl.sh photo.jpg` also sends your own file. JSON has no bytes, so the file is sent as base64:
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
    """Example request for one kind of item, with the code and text that fill the server templates.

    Attributes:
        request: Example item in the JSON format of TF Serving's REST interface.
        reading: Python expression that converts the client's command-line arguments to items.
        examples: Command-line arguments that pass the example item to the client.
        files: Content of each file that the example needs, by file name.
        imports: Import statements of the client, for the code that uses `reading` and `examples`.
        ask_own: Shell code that sends a file of the user with curl.
        say_own: Text that explains `ask_own` in the README of the server files.
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
        """Dict from placeholder names of the server templates to the texts that replace them."""
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
    """Return a PNG file of a colour gradient, 32 x 32 pixels."""
    red, green = tf.meshgrid(tf.range(0, 256, 8), tf.range(0, 256, 8))
    pixels = tf.cast(tf.stack([red, green, 255 - red], axis=-1), tf.uint8)
    return tf.io.encode_png(pixels).numpy()


_TEXT, _OTHER = "An example of a text.", "Another text."
# The keys are the input names of `serving_default`, in the order of the client's arguments.
CLIENT_ITEMS = {
    ("image_bytes",): _of_images,
    ("text",): lambda: _of_texts('[{"text": text} for text in given]', text=_TEXT),
    ("text", "text_pair"): lambda: _of_texts(_READ_PAIRS, text=_TEXT, text_pair=_OTHER),
}

"""What a client is given, read as the kind of item that the model takes."""

from collections.abc import Mapping
from typing import Any

from keras_tl.data.images.image_inputs import read_inputs
from keras_tl.data.items import Items
from keras_tl.data.texts.text_inputs import read_texts
from keras_tl.errors import ServingError, listed


def read_items(items: Any, signatures: Mapping[str, Any], on_invalid: str = "raise") -> Items:
    """Reads items of the kind that a model takes.

    Args:
        items: as `learner.predict` takes them.
        signatures: of the model, by name, as `Client.metadata` gives them.
        on_invalid: `"raise"` an error if an item cannot be read.

    Raises:
        DataError: they are none of that kind.
        ServingError: the model takes neither images nor texts by the names of an export.
    """
    takes = {name for signature in signatures.values() for name in signature["inputs"]}
    if takes & {"image_bytes", "pixels"}:
        return read_inputs(items, on_invalid=on_invalid)
    if "text" in takes:
        return read_texts(items, are_pairs="text_pair" in takes, on_invalid=on_invalid)
    raise ServingError(
        "Expected a model that learner.export() wrote, which takes 'image_bytes' or 'text'. This "
        f"one takes {listed(sorted(takes))}. Use client.ask(signature, inputs)."
    )


def empty_example(signatures: Mapping[str, Any]) -> dict[str, bytes]:
    """An empty item of the kind that a model takes, as the features of a tf.Example."""
    takes = {name for signature in signatures.values() for name in signature["inputs"]}
    return {name: b"" for name in ("image_bytes", "text", "text_pair") if name in takes}

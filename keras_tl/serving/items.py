"""Read the items of a client as images or as texts, as the model on the server requires."""

from collections.abc import Mapping
from typing import Any

from keras_tl.data.images.image_inputs import read_inputs
from keras_tl.data.prediction_items import PredictionItems
from keras_tl.data.texts.text_inputs import read_texts
from keras_tl.errors import ServingError, listed


def read_items(
    items: Any, signatures: Mapping[str, Any], on_invalid: str = "raise"
) -> PredictionItems:
    """Read the items as images if the model takes images, or as texts if it takes texts.

    Args:
        items: Items as for `learner.predict`.
        signatures: Signatures of the model by name, see `Client.metadata`.
        on_invalid: `"raise"`: raise an error if an item cannot be read.

    Raises:
        DataError: The items are not images although the model takes images, or not texts although
            the model takes texts.
        ServingError: The model has no input `image_bytes`, `pixels` or `text`.
    """
    takes = {name for signature in signatures.values() for name in signature["inputs"]}
    if takes & {"image_bytes", "pixels"}:
        return read_inputs(items, on_invalid=on_invalid)
    if "text" in takes:
        return read_texts(items, are_pairs="text_pair" in takes, on_invalid=on_invalid)
    raise ServingError(
        "Expected a model that learner.export() wrote, with the input 'image_bytes' or 'text'. "
        f"The inputs of this model are {listed(sorted(takes))}. Use client.ask(signature, inputs)."
    )


def empty_example(signatures: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the features of a `tf.Example` with an empty image or text, whichever fits."""
    takes = {name for signature in signatures.values() for name in signature["inputs"]}
    return {name: b"" for name in ("image_bytes", "text", "text_pair") if name in takes}

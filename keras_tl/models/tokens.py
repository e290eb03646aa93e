"""Which tokens an encoder reads of the texts at hand, and how many."""

import dataclasses

import numpy as np

from keras_tl.backbones.hub import find_hub_layers, resolve
from keras_tl.backbones.hub.positions import longest_up_to, on_cpu
from keras_tl.backbones.loading import LoadedBackbone
from keras_tl.backbones.texts import (
    HubPreprocessor,
    TextPreprocessor,
    WordPiecePreprocessor,
    choose_preprocessor,
)
from keras_tl.base.files import local_path
from keras_tl.data.texts.text_split import TextSplit
from keras_tl.errors import ConfigError, quoted

TFHUB = "tfhub:"
# Positions of the published encoders of BERT's family: longer texts are cut unless asked otherwise.
LONGEST = 512
_SHORTEST = 16
_MULTIPLE_OF = 8
_COVERED = 0.99
_COUNTED = 4096


@dataclasses.dataclass(frozen=True)
class TextNeeds:
    """What is known of texts before there is an encoder.

    Attributes:
        train: the training texts.
        sequence_length: tokens a text, `None`: by the lengths of these.
        preprocessor: `"tfhub:HANDLE"`, the path of a WordPiece vocabulary (see
            `WordPiecePreprocessor`), a `TextPreprocessor`, or `None` for the encoder's own.
    """

    train: TextSplit
    sequence_length: int | None = None
    preprocessor: str | TextPreprocessor | None = None


def fit_to_texts(loaded: LoadedBackbone, handle: str, needs: TextNeeds) -> LoadedBackbone:
    """Gives an encoder the preprocessor that it needs, at a length that suits the texts.

    Args:
        loaded: the encoder; one that takes strings stays as it is.
        handle: what messages call it, and what tells which preprocessor is its own.
        needs: the texts.

    Raises:
        ConfigError: the length or the preprocessor cannot be had, or it takes no pairs.
        BackboneError: there is no telling which preprocessor belongs to the encoder.
    """
    inputs = loaded.network.input
    if not isinstance(inputs, dict):
        if needs.preprocessor is not None or needs.sequence_length is not None:
            raise ConfigError(
                f"The module {quoted(handle)} takes texts as they are: leave preprocessor= and "
                "sequence_length= out."
            )
        return loaded
    own = next(iter(inputs.values())).shape[1]
    if own is not None and needs.sequence_length not in (None, own):
        raise ConfigError(
            f"The encoder {quoted(handle)} takes {own} tokens. Received "
            f"sequence_length={needs.sequence_length}."
        )
    preprocessor = _find(loaded, handle, needs.preprocessor)
    fixed = preprocessor.fixed_length
    if None not in (own, fixed) and own != fixed:
        raise ConfigError(
            f"The encoder {quoted(handle)} takes {own} tokens; its preprocessor always makes "
            f"{fixed}. Pass another preprocessor=."
        )
    if None not in (needs.sequence_length, fixed) and needs.sequence_length != fixed:
        side = "below" if needs.sequence_length < fixed else "above"
        raise ConfigError(
            f"sequence_length={needs.sequence_length} is {side} the {fixed} tokens that the "
            "preprocessor always makes. Leave sequence_length= out."
        )
    if needs.train.pairs is not None:
        # One that takes no pairs says so now, and not in the middle of training.
        one = needs.train.sample(1, seed=0)
        preprocessor.token_counts(one.texts, one.pairs)
    chosen = own or needs.sequence_length or fixed
    chosen = chosen or choose_length(preprocessor, needs.train)
    length = chosen if own else _readable(loaded, chosen)
    if length < (fixed or 0):
        raise ConfigError(
            f"The encoder {quoted(handle)} takes at most {length} tokens; its preprocessor makes "
            f"{fixed}. Pass another preprocessor=."
        )
    if length < (needs.sequence_length or 0):
        raise ConfigError(
            f"The encoder {quoted(handle)} takes at most {length} tokens. Received "
            f"sequence_length={needs.sequence_length}."
        )
    if length != preprocessor.sequence_length:
        preprocessor = preprocessor.with_length(length)
    files = dataclasses.replace(loaded.files, preprocessor=preprocessor)
    return dataclasses.replace(loaded, files=files)


def _readable(loaded: LoadedBackbone, length: int) -> int:
    """The same number of tokens, or as many as the encoder has positions for."""
    if loaded.longest is not None:
        return min(length, loaded.longest)
    layers = find_hub_layers(loaded.network)
    if not layers:
        return length
    return longest_up_to(on_cpu(layers[0].module, loaded.files.module), length)


def choose_length(preprocessor: TextPreprocessor, texts: TextSplit) -> int:
    """The length at which 99% of the texts lose nothing, a multiple of 8 from 16 to 512."""
    sample = texts.sample(_COUNTED, seed=0)
    counts = np.asarray(preprocessor.token_counts(sample.texts, sample.pairs))
    needed = np.quantile(counts, _COVERED, method="higher")
    rounded = int(-(-needed // _MULTIPLE_OF)) * _MULTIPLE_OF
    return min(max(rounded, _SHORTEST), LONGEST)


def _find(
    loaded: LoadedBackbone, handle: str, given: str | TextPreprocessor | None
) -> TextPreprocessor:
    if isinstance(given, TextPreprocessor):
        return given
    if isinstance(given, str) and given.startswith(TFHUB):
        return HubPreprocessor(resolve(given.removeprefix(TFHUB)))
    if given is not None:
        return WordPiecePreprocessor(local_path(given))
    if loaded.files.preprocessor is not None:
        return loaded.files.preprocessor
    (layer,) = find_hub_layers(loaded.network)
    return choose_preprocessor(handle, layer.module)

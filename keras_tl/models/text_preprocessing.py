"""Choose the preprocessor (tokenizer) and the sequence length of a text encoder."""

import numpy as np

from keras_tl.backbones.hub import find_hub_layers, resolve
from keras_tl.backbones.hub.positions import longest_up_to, on_cpu
from keras_tl.backbones.layer import Backbone
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
# Number of positions of the published BERT encoders. By default, texts are cut to at most this
# number of tokens.
LONGEST = 512
_SHORTEST = 16
_MULTIPLE_OF = 8
_COVERED = 0.99
_COUNTED = 4096


def choose_tokens(
    backbone: Backbone,
    train: TextSplit,
    sequence_length: int | None = None,
    preprocess: str | TextPreprocessor | None = None,
) -> TextPreprocessor | None:
    """Return the preprocessor of a text encoder, with a sequence length that fits the texts.

    Args:
        backbone: Text encoder, which takes tokens or strings.
        train: Training texts, which determine the default of the sequence length.
        sequence_length: Tokens per text. `None`: choose a length that covers 99% of the texts.
        preprocess: Preprocessor to use: `"tfhub:HANDLE"`, the path of a WordPiece vocabulary (see
            `WordPiecePreprocessor`), or a `TextPreprocessor`. `None`: use the encoder's own
            preprocessor.

    Returns:
        The preprocessor. `None`: the encoder takes strings and needs no preprocessor.

    Raises:
        ConfigError: The sequence length or the preprocessor does not fit the encoder. The error
            also occurs if the items are pairs of texts, which the preprocessor does not support.
        BackboneError: The toolkit does not know which preprocessor the encoder needs.
    """
    handle = backbone.source.partition(":")[2]
    inputs = backbone.network.input
    if not isinstance(inputs, dict):
        if preprocess is not None or sequence_length is not None:
            raise ConfigError(
                f"The module {quoted(handle)} takes texts, not tokens. Leave preprocess= and "
                "sequence_length= out."
            )
        return None
    own = next(iter(inputs.values())).shape[1]
    if own is not None and sequence_length not in (None, own):
        raise ConfigError(
            f"The encoder {quoted(handle)} takes {own} tokens. Received "
            f"sequence_length={sequence_length}. Leave sequence_length= out."
        )
    made = _find(backbone, handle, preprocess)
    fixed = made.fixed_length
    if None not in (own, fixed) and own != fixed:
        raise ConfigError(
            f"The encoder {quoted(handle)} takes {own} tokens, but its preprocessor always "
            f"returns {fixed}. Pass another preprocess=."
        )
    if None not in (sequence_length, fixed) and sequence_length != fixed:
        side = "below" if sequence_length < fixed else "above"
        raise ConfigError(
            f"sequence_length={sequence_length} is {side} the {fixed} tokens that the "
            "preprocessor always returns. Leave sequence_length= out."
        )
    if train.pairs is not None:
        # Try one pair: a preprocessor that does not support pairs must fail before training.
        one = train.sample(1, seed=0)
        made.token_counts(one.texts, one.pairs)
    chosen = own or sequence_length or fixed or choose_length(made, train)
    length = chosen if own else _readable(backbone, chosen)
    if length < (fixed or 0):
        raise ConfigError(
            f"The encoder {quoted(handle)} takes at most {length} tokens, but its preprocessor "
            f"always returns {fixed}. Pass another preprocess=."
        )
    if length < (sequence_length or 0):
        raise ConfigError(
            f"The encoder {quoted(handle)} takes at most {length} tokens. Received "
            f"sequence_length={sequence_length}. Pass a smaller sequence_length=."
        )
    return made if length == made.sequence_length else made.with_length(length)


def _readable(backbone: Backbone, length: int) -> int:
    """Return `length`, or the encoder's number of positions if this number is smaller."""
    if backbone.longest is not None:
        return min(length, backbone.longest)
    layers = find_hub_layers(backbone.network)
    if not layers:
        return length
    return longest_up_to(on_cpu(layers[0].module, backbone.module), length)


def choose_length(preprocessor: TextPreprocessor, texts: TextSplit) -> int:
    """Return a sequence length that cuts at most 1% of the texts: a multiple of 8 in [16, 512]."""
    sample = texts.sample(_COUNTED, seed=0)
    counts = np.asarray(preprocessor.token_counts(sample.texts, sample.pairs))
    needed = np.quantile(counts, _COVERED, method="higher")
    rounded = int(-(-needed // _MULTIPLE_OF)) * _MULTIPLE_OF
    return min(max(rounded, _SHORTEST), LONGEST)


def _find(
    backbone: Backbone, handle: str, given: str | TextPreprocessor | None
) -> TextPreprocessor:
    if isinstance(given, TextPreprocessor):
        return given
    if isinstance(given, str) and given.startswith(TFHUB):
        return HubPreprocessor(resolve(given.removeprefix(TFHUB)))
    if given is not None:
        return WordPiecePreprocessor(local_path(given))
    if backbone.preprocessor is not None:
        return backbone.preprocessor
    (layer,) = find_hub_layers(backbone.network)
    return choose_preprocessor(handle, layer.module)

"""Read the language models that fastai publishes, from a local copy of their archives.

An archive such as `wt103-fwd.tgz` (`URLs.WT103_FWD` in fastai/data/external.py) holds a folder with
two files. `lstm_fwd.pth` is a state dict. `itos_wt103.pkl` lists the tokens in the order of their
numbers. fastai's `RNNLearner.load_pretrained` (fastai/text/learner.py) reads a state dict (.pth)
and a token list (.pkl) with any file names. The state dict holds the weights of `AWD_LSTM` under
their names in fastai/text/models/awdlstm.py, then the decoder's weights, which are tied to the
embedding.
"""

import contextlib
import os
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

import keras
import numpy as np

from keras_tl.backbones.awd_lstm.language_model import LanguageModel
from keras_tl.backbones.awd_lstm.model import AwdLstmConfig, build_language_model, recurrent_layers
from keras_tl.backbones.texts.words.marks import END, FIELD, MARKS
from keras_tl.backbones.texts.words.vocabulary import Vocabulary
from keras_tl.backbones.torch_files import read_pickle, read_tensors
from keras_tl.base.files import local_path
from keras_tl.errors import WeightsError, quoted

# fastai adds `xxfake` until a vocabulary's size is a multiple of 8. This token is not a word.
_FILLING = "xxfake"
# Marks that every vocabulary must contain, because the tokenizer can make these marks.
_NEEDED = tuple(mark for mark in MARKS if mark not in (END, FIELD))
_EMBEDDING, _OUTPUT, _BIAS = "0.encoder.weight", "1.decoder.weight", "1.decoder.bias"


def load_fastai(path: str | os.PathLike[str], *, seed: int | None = None) -> LanguageModel:
    """Read, without fastai, an AWD-LSTM language model that fastai 1 or 2 saved.

    The returned model has the sizes of the weights and fastai's default dropouts. Every token keeps
    its number. `load_fastai` renames each token that no text can contain: `xxfake`, and tokens that
    are empty, contain white space or are not valid UTF-8. If several tokens are equal, fastai uses
    the last of the equal tokens, and `load_fastai` renames the others. The new name of the token
    with number n is `UNUSED_n`. The words of the tokenizer are in lower case, so no word equals a
    name such as `UNUSED_n`.

    `load_fastai` runs no code from fastai's files. The weights file and the vocabulary file may
    hold only tensors, lists and dictionaries.

    Args:
        path: `wt103-fwd.tgz` as downloaded, or a folder with the two files of this archive: weights
            (.pth) and vocabulary (.pkl). The weights may also come from your own fastai model with
            tied weights, saved with `Learner.save(..., with_opt=False)`.
        seed: Seed of the model's random dropouts.

    Returns:
        The language model, whose dict `about` names the files and counts the renamed tokens.

    Raises:
        WeightsError: A file is missing, damaged or of a different kind, or the model reads texts
            backwards, like the model of `wt103-bwd.tgz`.

    Example:
        >>> model = ktl.ulmfit.load_fastai("wt103-fwd/")
        >>> model.config.layers, model.about["source"]
        (3, 'fastai')
    """
    path = local_path(path)
    with _opened(path) as files:
        weights, itos = _choose(files, path)
        tensors = read_tensors(files[weights](), str(path / weights))
        listed = read_pickle(files[itos](), str(path / itos))
    config = _config(tensors, path / weights)
    tokens = _tokens(listed, config.vocabulary_size, path / itos)
    about = {
        "source": "fastai",
        "files": [path.name, weights, itos],
        "renamed_tokens": sum(one != other for one, other in zip(tokens, listed, strict=True)),
    }
    network = build_language_model(config, seed=seed)
    _set_weights(network, tensors)
    return LanguageModel(config, Vocabulary(tokens), network, about)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[dict[str, Callable[[], bytes]]]:
    """Yield a dict from the name of each file in a folder or archive to its read function."""
    try:
        if path.is_dir():
            yield {file.name: file.read_bytes for file in sorted(path.iterdir()) if file.is_file()}
        else:
            with tarfile.open(path, "r:gz") as archive:
                yield {
                    # `extractfile` returns `None` only for members that are not files.
                    PurePosixPath(member.name).name: archive.extractfile(member).read  # type: ignore[union-attr]
                    for member in archive
                    if member.isfile()
                }
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise WeightsError(
            f"Cannot read {quoted(str(path))} ({error}). Expected fastai's complete "
            "wt103-fwd.tgz, or a folder with its .pth file and its .pkl file."
        ) from error


def _choose(files: Iterable[str], path: Path) -> tuple[str, str]:
    """Return the names of the weights file and the vocabulary file."""
    shown = [name for name in files if not name.startswith(".")]
    weights = [name for name in shown if name.endswith(".pth")]
    forward = [name for name in weights if "bwd" not in name]
    vocabularies = [name for name in shown if name.endswith(".pkl")]
    if weights and not forward:
        raise WeightsError(
            f"{path} contains {weights[0]}, a model that reads texts backwards. Expected a model "
            "that reads texts forwards. Use wt103-fwd.tgz."
        )
    if len(forward) != 1 or len(vocabularies) != 1:
        raise WeightsError(
            "Expected one weights file (.pth) and one vocabulary file (.pkl), as in fastai's "
            f"wt103-fwd.tgz. {path} contains: {', '.join(sorted(shown)[:10]) or 'nothing'}."
        )
    return forward[0], vocabularies[0]


def _config(tensors: dict[str, np.ndarray], path: Path) -> AwdLstmConfig:
    """Return a model's configuration, after a check that all weights exist and fit together."""
    shapes = {name: tensor.shape for name, tensor in tensors.items()}
    first = _of_layer(0)[1]
    for name in (_EMBEDDING, first):
        if len(shapes.get(name, ())) != 2:
            raise _misfit(path, name, "(rows, columns)", shapes.get(name))
    (rows, width), (_, units) = shapes[_EMBEDDING], shapes[first]
    layers = sum(name.endswith(".weight_hh_l0_raw") for name in shapes)
    config = AwdLstmConfig(rows, embedding_size=width, hidden_size=units, layers=layers)
    expected = {_EMBEDDING: (rows, width), _OUTPUT: (rows, width), _BIAS: (rows,)}
    for number, units in enumerate(config.widths):
        gates = 4 * units
        of_layer = (gates, width), (gates, units), (gates,), (gates,)
        expected |= zip(_of_layer(number), of_layer, strict=True)
        width = units
    for name, shape in expected.items():
        if shapes.get(name) != shape:
            raise _misfit(path, name, shape, shapes.get(name))
    if not np.array_equal(tensors[_EMBEDDING], tensors[_OUTPUT]):
        raise WeightsError(
            f"{path}: expected equal matrices {_EMBEDDING} and {_OUTPUT}. Received different "
            "matrices. Use a model with tied weights, fastai's default."
        )
    return config


def _misfit(path: Path, name: str, expected: object, shape: tuple[int, ...] | None) -> WeightsError:
    return WeightsError(
        f"{path}: expected {name} of shape {expected}. Received: {shape or 'none'}. Use a whole "
        "language model that fastai 1 or 2 saved (AWD_LSTM without QRNN), not only its encoder."
    )


def _tokens(listed: object, count: int, path: Path) -> list[str]:
    """Return the tokens, some renamed as in `load_fastai`, so that `Vocabulary` accepts them."""
    if not isinstance(listed, list) or not all(isinstance(token, str) for token in listed):
        raise WeightsError(
            f"{path} is not a vocabulary. Expected a list of str. Use the .pkl file that was "
            "published with the weights."
        )
    if len(listed) != count:
        raise WeightsError(
            f"{path} lists {len(listed):,} tokens, but the weights are for {count:,} tokens. Use "
            "the .pkl file that was published with the weights."
        )
    missing = [mark for mark in _NEEDED if mark not in listed]
    if missing:
        raise WeightsError(
            f"{path} lacks {', '.join(missing)}. Expected a vocabulary with the tokens "
            f"{', '.join(_NEEDED)}. Use a model that fastai 1 or 2 saved."
        )
    last = {token: number for number, token in enumerate(listed)}
    return [
        token if last[token] == number and _can_be_held(token) else f"UNUSED_{number}"
        for number, token in enumerate(listed)
    ]


def _can_be_held(token: str) -> bool:
    # A pickle may hold half of a surrogate pair, which UTF-8 cannot encode.
    return token != _FILLING and token.encode(errors="replace").decode().split() == [token]


def _set_weights(network: keras.Model, tensors: dict[str, np.ndarray]) -> None:
    """Copy PyTorch's weights: transpose the matrices, and add the two biases of each LSTM layer."""

    def take(*names: str) -> list[np.ndarray]:
        return [tensors[name].astype(np.float32) for name in names]

    network.get_layer("embedding").set_weights(take(_EMBEDDING, _BIAS))
    for number, layer in enumerate(recurrent_layers(network)):
        kernel, recurrent, *biases = take(*_of_layer(number))
        layer.set_weights([kernel.T, recurrent.T, sum(biases)])


def _of_layer(number: int) -> list[str]:
    """Return the names of an LSTM layer's weights: input matrix, recurrent matrix, two biases."""
    parts = "module.weight_ih_l0", "weight_hh_l0_raw", "module.bias_ih_l0", "module.bias_hh_l0"
    return [f"0.rnns.{number}.{part}" for part in parts]

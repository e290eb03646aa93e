"""Which token stands for what a vocabulary has not, on every route to an encoder."""

import pytest

from keras_tl.backbones.texts import (
    HubPreprocessor,
    KerasHubPreprocessor,
    TextPreprocessor,
    WordPiecePreprocessor,
)
from keras_tl.backbones.texts.unknown_token import (
    NO_TOKEN,
    STRANGE,
    common_of,
    find_unknown_token,
)
from keras_tl.backbones.texts.words.marks import MARKS
from keras_tl.backbones.texts.words.preprocessor import WordPreprocessor
from keras_tl.backbones.texts.words.vocabulary import Vocabulary
from tests import hub_modules, kerashub_presets

CLS, SEP, UNKNOWN, SPACE = 101, 102, 100, 7


def pieces(text):
    return [CLS, *([UNKNOWN] if text else []), SEP]


# How a tokenizer turns a text into numbers, and the unknown token among them.
TOKENIZERS = {
    "bert": (pieces, UNKNOWN),
    "no-special-tokens": (lambda text: [UNKNOWN] if text else [], UNKNOWN),
    "mark-in-front": (lambda text: [1, *([UNKNOWN] if text else [])], UNKNOWN),
    "mark-behind": (lambda text: [*([UNKNOWN] if text else []), 1], UNKNOWN),
    "sentencepiece": (lambda text: [CLS, *([SPACE, UNKNOWN] if text else []), SEP], UNKNOWN),
    "bytes": (lambda text: [CLS, *text.encode(), SEP], NO_TOKEN),
    # A tokenizer of short texts cuts letters in two.
    "bytes-cut": (lambda text: [CLS, *text.encode()[:3], SEP], NO_TOKEN),
    "bytes-in-pairs": (
        lambda text: [CLS, *(300 + x for x in text.encode()[::2]), *text.encode()[3:], SEP],
        NO_TOKEN,
    ),
    "some-are-known": (
        lambda text: [CLS, ord(text), SEP] if text in STRANGE[:4] else pieces(text),
        UNKNOWN,
    ),
    "letters-left-out": (lambda text: [CLS, SEP], None),
    "some-left-out": (lambda text: pieces("" if text == STRANGE[2] else text), None),
}


@pytest.mark.parametrize("name", TOKENIZERS)
def test_the_answers_to_strange_letters_tell(name):
    tokens_of, expected = TOKENIZERS[name]
    assert find_unknown_token(lambda texts: [tokens_of(text) for text in texts]) == expected


def test_strange_letters_share_no_end():
    assert len({letter.encode()[-1:] for letter in STRANGE}) == len(STRANGE)
    assert len({letter.encode()[-2:-1] for letter in STRANGE}) == len(STRANGE)
    assert common_of([1, 2, 1]) == 1
    assert common_of([1, 2, 3]) is None


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("unknown")


@pytest.fixture(scope="module")
def vocabulary(folder):
    return hub_modules.write_vocabulary(folder / "vocab.txt")


def of_hub(folder, vocabulary, **options):
    return HubPreprocessor(hub_modules.make_preprocessor(folder / "pre", vocabulary, **options))


def of_kerashub(folder, make):
    from keras_hub import models

    preset = str(make(folder / "preset"))
    return KerasHubPreprocessor(
        models.TextClassifierPreprocessor.from_preset(preset), sequence_length=8
    )


# Routes to a preprocessor, and its unknown token by the number of its line.
ROUTES = {
    "wordpiece": (lambda folder, file: WordPiecePreprocessor(file), 1),
    "words": (lambda folder, file: WordPreprocessor(Vocabulary(MARKS), 8), 0),
    "tfhub": (of_hub, 1),
    "tfhub-whole": (lambda folder, file: of_hub(folder, file, parts=False), 1),
    "kerashub": (lambda folder, file: of_kerashub(folder, kerashub_presets.make_bert), 1),
    "kerashub-bytes": (
        lambda folder, file: of_kerashub(folder, kerashub_presets.make_roberta),
        NO_TOKEN,
    ),
}
NEED_KERASHUB = ("kerashub", "kerashub-bytes")


@pytest.mark.parametrize(
    "name",
    [pytest.param(x, marks=pytest.mark.slow) if x == "kerashub-bytes" else x for x in ROUTES],
)
def test_every_route_tells_its_unknown_token(name, vocabulary, tmp_path):
    if name in NEED_KERASHUB:
        pytest.importorskip("keras_hub", reason="it needs a newer Keras than ours may be")
    make, expected = ROUTES[name]
    preprocessor = make(tmp_path, vocabulary)
    assert preprocessor.unknown_token == expected
    # What a class writes down is what asking it finds.
    asked = TextPreprocessor.unknown_token.func(preprocessor)
    assert asked == expected

"""Text preprocessors: BERT's packing, saved and exported, from TF-Hub or from a vocabulary."""

import shutil
import sys
import types

import numpy as np
import pytest
import tensorflow as tf

from keras_tl.backbones.hub import find_hub_layers, load_hub
from keras_tl.backbones.texts import (
    HubPreprocessor,
    WordPiecePreprocessor,
    choose_preprocessor,
    load_preprocessor,
)
from keras_tl.backbones.texts.preprocessor_choice import matching_handle
from keras_tl.errors import BackboneError, ConfigError
from tests import hub_modules

LENGTH = 8
TEXTS = ["good films", "The BAD film.", "", "½ good", "a" * 200, "[SEP] the"]
PAIRS = ["", "the the the the the the", "good good good bad", "the", "good", "bad"]


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory):
    return hub_modules.write_vocabulary(tmp_path_factory.mktemp("vocabulary") / "vocab.txt")


@pytest.fixture(scope="module")
def module(tmp_path_factory, vocabulary):
    return hub_modules.make_preprocessor(tmp_path_factory.mktemp("pre") / "module", vocabulary)


@pytest.fixture(scope="module")
def whole_module(tmp_path_factory, vocabulary):
    """Without the parts that make length and pairs possible."""
    folder = tmp_path_factory.mktemp("pre") / "whole"
    return hub_modules.make_preprocessor(folder, vocabulary, LENGTH, parts=False)


@pytest.fixture(scope="module")
def hub(module):
    return HubPreprocessor(module, sequence_length=LENGTH)


@pytest.fixture(scope="module", params=["tfhub", "wordpiece"])
def preprocessor(request, hub, vocabulary):
    if request.param == "tfhub":
        return hub
    return WordPiecePreprocessor(vocabulary, lower_case=True, sequence_length=LENGTH)


def numpy_of(tokens):
    return {name: value.numpy() for name, value in tokens.items()}


def assert_same(one, other):
    assert set(one) == set(other) == set(hub_modules.TOKENS)
    for name, value in one.items():
        np.testing.assert_array_equal(value, other[name])


def test_tokens_of_texts_are_those_written_down_by_hand(preprocessor, vocabulary):
    tokens = vocabulary.read_text("utf-8").split("\n")
    found = numpy_of(preprocessor(["good films", "The BAD film.", "?"]))
    expected = [
        ["[CLS]", "good", "film", "##s", "[SEP]", "[PAD]", "[PAD]", "[PAD]"],
        ["[CLS]", "the", "bad", "film", ".", "[SEP]", "[PAD]", "[PAD]"],
        ["[CLS]", "[UNK]", "[SEP]", *["[PAD]"] * 5],
    ]
    assert [[tokens[word] for word in row] for row in found["input_word_ids"]] == expected
    np.testing.assert_array_equal(found["input_mask"].sum(1), [5, 6, 3])
    assert not found["input_type_ids"].any()
    assert {value.dtype for value in found.values()} == {np.dtype("int32")}
    if preprocessor.unknown_token is not None:
        assert tokens[preprocessor.unknown_token] == "[UNK]"


def cut_as_bert_does(first, second, budget):
    """The rule of google-research/bert: the longer one loses its last token."""
    while len(first) + len(second) > budget:
        (first if len(first) > len(second) else second).pop()
    return first, second


@pytest.mark.parametrize("length", [5, 6, 8, 11])
def test_pairs_are_packed_and_cut_as_bert_does(preprocessor, vocabulary, length):
    vocabulary = vocabulary.read_text("utf-8").split("\n")
    words, start, end = ["good", "bad", "film", "the"], *map(vocabulary.index, ("[CLS]", "[SEP]"))
    cases = [(a, b) for a in range(5) for b in range(5)]
    texts = [" ".join(words[:a]) for a, _ in cases]
    pairs = [" ".join(words[:b]) for _, b in cases]
    packed = numpy_of(preprocessor.with_length(length)(texts, pairs))
    counts = preprocessor.token_counts(texts, pairs).numpy()
    for row, (a, b) in enumerate(cases):
        ids = [vocabulary.index(word) for word in words]
        first, second = cut_as_bert_does(ids[:a], ids[:b], length - 3)
        expected = [start, *first, end, *second, end]
        assert counts[row] == a + b + 3
        padding = [0] * (length - len(expected))
        assert packed["input_word_ids"][row].tolist() == expected + padding
        assert packed["input_mask"][row].tolist() == [1] * len(expected) + padding
        kinds = [0] * (len(first) + 2) + [1] * (len(second) + 1)
        assert packed["input_type_ids"][row].tolist() == kinds + padding


def test_the_vocabulary_alone_gives_what_the_module_gives(hub, vocabulary):
    for length in (LENGTH, 40):
        hub = hub if length == LENGTH else hub.with_length(length)
        own = WordPiecePreprocessor(vocabulary, lower_case=True, sequence_length=length)
        assert_same(numpy_of(hub(TEXTS)), numpy_of(own(TEXTS)))
        assert_same(numpy_of(hub(TEXTS, PAIRS)), numpy_of(own(TEXTS, PAIRS)))
        for pairs in (None, PAIRS):
            np.testing.assert_array_equal(
                hub.token_counts(TEXTS, pairs), own.token_counts(TEXTS, pairs)
            )


ACCENTED = ("Café", "café", "cafe")
ASKED = {
    (True, True): ["cafe", "cafe", "cafe"],
    (True, False): ["café", "café", "cafe"],
    (False, True): ["Cafe", "cafe", "cafe"],
    (False, False): ["Café", "café", "cafe"],
}


@pytest.mark.parametrize(("lower_case", "strip_accents"), ASKED)
def test_accents_and_case_count_only_where_asked(lower_case, strip_accents, tmp_path):
    file = hub_modules.write_vocabulary(tmp_path / "vocab.txt", (*ACCENTED, "Cafe"))
    tokens = file.read_text("utf-8").split("\n")
    made = WordPiecePreprocessor(file, lower_case=lower_case, strip_accents=strip_accents)
    for one in (made, made.with_length(9)):
        words = [tokens[word] for word in one(ACCENTED)["input_word_ids"][:, 1]]
        assert words == ASKED[lower_case, strip_accents]


# Words of a vocabulary; whether texts were lower-cased, whether accents were stripped.
MADE_BY = {
    "english": (("good", "##s"), True, True),
    "english-cased": (("Good", "good"), False, False),
    "french-cased": (("Café", "café"), False, False),
    "german": (("müde", "schön"), True, False),
    "a-piece": (("good", "##ön"), True, False),
    "hindi": (("में", "film"), True, False),
    "thai": (("สวัสดี",), True, False),
    "japanese": (("が", "か"), True, False),
    "japanese-stripped": (("か", "漢"), True, True),
    "korean": (("가", "나"), True, False),
    "korean-stripped": (("\u1100\u1161",), True, True),
    "arabic-without-marks": (("كتاب",), True, True),
    "vietnamese": (("đường",), True, False),
}


@pytest.mark.parametrize("name", MADE_BY)
def test_the_rules_are_those_that_the_vocabulary_was_made_by(name, tmp_path):
    words, lower_case, strip_accents = MADE_BY[name]
    made = WordPiecePreprocessor(hub_modules.write_vocabulary(tmp_path / "vocab.txt", words))
    assert (made.rules.lower_case, made.rules.strip_accents) == (lower_case, strip_accents)
    assert f"lower_case={lower_case}, strip_accents={strip_accents}" in repr(made)
    # What the vocabulary was made of are tokens of it.
    assert made.unknown_token not in made(list(words[:1]))["input_word_ids"].numpy()


def test_it_runs_in_a_dataset_with_known_shapes(preprocessor):
    data = tf.data.Dataset.from_tensor_slices((TEXTS, PAIRS)).batch(4)
    data = data.map(preprocessor)
    for spec in data.element_spec.values():
        assert spec.shape.as_list() == [None, LENGTH]
        assert spec.dtype == tf.int32
    batches = list(data.as_numpy_iterator())
    joined = {name: np.concatenate([b[name] for b in batches]) for name in batches[0]}
    assert_same(joined, numpy_of(preprocessor(TEXTS, PAIRS)))


def test_it_is_built_again_from_what_it_saved(preprocessor, tmp_path):
    preprocessor.save(tmp_path / "saved")
    moved = (tmp_path / "saved").rename(tmp_path / "moved")
    again = load_preprocessor(moved)
    assert type(again) is type(preprocessor)
    assert again.sequence_length == LENGTH
    assert again.identity == preprocessor.identity
    assert_same(numpy_of(again(TEXTS, PAIRS)), numpy_of(preprocessor(TEXTS, PAIRS)))


def test_the_identity_is_that_of_what_decides_the_tokens(hub, vocabulary, tmp_path):
    other = hub_modules.write_vocabulary(tmp_path / "other.txt", ("good", "worse"))
    copy = shutil.copy(vocabulary, tmp_path / "copy.txt")
    same = WordPiecePreprocessor(vocabulary, lower_case=True, sequence_length=8).identity
    assert WordPiecePreprocessor(copy, lower_case=True, sequence_length=8).identity == same
    others = {
        WordPiecePreprocessor(vocabulary, lower_case=False, sequence_length=8).identity,
        WordPiecePreprocessor(vocabulary, lower_case=True, sequence_length=9).identity,
        WordPiecePreprocessor(other, lower_case=True, sequence_length=8).identity,
        hub.identity,
        hub.with_length(9).identity,
    }
    assert len(others | {same}) == 6


def strings_to_vectors(preprocessor, network, layer):
    export = tf.Module()
    export.preprocessor = preprocessor
    export.encoder = [*(variable.value for variable in layer.variables), *layer.resources]

    def answer(text, text_pair):
        return {"y": network(preprocessor(text, text_pair), training=False)["pooled_output"]}

    strings = [tf.TensorSpec((None,), tf.string, name) for name in ("text", "text_pair")]
    export.answer = tf.function(answer, input_signature=strings, autograph=False)
    return export


@pytest.mark.slow
def test_an_export_holds_the_vocabulary_and_answers_alike(vocabulary, tmp_path):
    """Strings in, vectors out, through both loaders, after what it was made of has gone."""
    file = shutil.copy(vocabulary, tmp_path / "vocab.txt")
    folder = hub_modules.make_preprocessor(tmp_path / "module", tmp_path / "vocab.txt")
    network = load_hub(hub_modules.make_keras2_encoder(tmp_path / "encoder")).network
    (layer,) = find_hub_layers(network)
    preprocessors = {
        "tfhub": HubPreprocessor(folder, sequence_length=LENGTH),
        "wordpiece": WordPiecePreprocessor(file, lower_case=True, sequence_length=LENGTH),
    }
    expected = {}
    for name, preprocessor in preprocessors.items():
        export = strings_to_vectors(preprocessor, network, layer)
        expected[name] = export.answer(tf.constant(TEXTS), tf.constant(PAIRS))["y"].numpy()
        tf.saved_model.save(export, str(tmp_path / name), export.answer)
    np.testing.assert_array_equal(expected["tfhub"], expected["wordpiece"])
    for made in (folder, tmp_path / "encoder"):
        shutil.rmtree(made)
    for file in tmp_path.glob("*.txt"):
        file.unlink()
    for name, wanted in expected.items():
        signature = tf.saved_model.load(str(tmp_path / name)).signatures["serving_default"]
        answers = signature(text=tf.constant(TEXTS), text_pair=tf.constant(PAIRS))
        np.testing.assert_allclose(answers["y"], wanted, atol=1e-5)
        feed = {"text": TEXTS, "text_pair": PAIRS}
        answers = hub_modules.ask_as_tf_serving_does(tmp_path / name, feed)
        np.testing.assert_allclose(answers["y"], wanted, atol=1e-5)


def test_without_its_parts_a_module_keeps_its_length_and_takes_no_pairs(hub, whole_module):
    whole = HubPreprocessor(whole_module)
    assert whole.sequence_length == LENGTH
    assert_same(numpy_of(whole(TEXTS)), numpy_of(hub(TEXTS)))
    with pytest.raises(ConfigError, match=r"takes single texts only, .*Received pairs"):
        whole(TEXTS, PAIRS)
    with pytest.raises(ConfigError, match=r"always returns sequences of 8 tokens\. Received .*=16"):
        whole.with_length(16)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([1, 2], r"Expected texts, a list of str"),
        ("one text", r"shape \(batch,\)\. Received shape \(\)"),
        ([["a", "b"]], r"Received shape \(1, 2\)"),
    ],
)
def test_what_is_not_a_list_of_texts(preprocessor, given, message):
    for texts, pairs in ((given, None), (["a"], given)):
        with pytest.raises(ConfigError, match=message):
            preprocessor(texts, pairs)


NO_LENGTH = r"sequence_length must be a whole number of at least 5\. Received"


@pytest.mark.parametrize("length", [4, 0, 8.5, "8", True])
def test_lengths_that_are_none(vocabulary, length):
    with pytest.raises(ConfigError, match=NO_LENGTH):
        WordPiecePreprocessor(vocabulary, lower_case=True, sequence_length=length)


def test_a_length_that_is_none_of_a_module(module):
    with pytest.raises(ConfigError, match=NO_LENGTH):
        HubPreprocessor(module, sequence_length=4)


VOCABULARIES = {
    "missing": (None, r"Cannot read the vocabulary"),
    "binary": (b"\xff\xfe", r"Cannot read the vocabulary .*Expected a UTF-8 text file"),
    "sentences": (b"a\nb\n", r"lacks \[PAD\], \[UNK\], \[CLS\], \[SEP\]\. Expected BERT's"),
    "empty": (b"", r"lacks \[PAD\]"),
    "twice": (b"[PAD]\n[UNK]\n[CLS]\n[SEP]\na\na\n", r"holds 'a' 2 times"),
}


@pytest.mark.parametrize("name", VOCABULARIES)
def test_files_that_are_no_vocabulary(name, tmp_path):
    content, message = VOCABULARIES[name]
    if content is not None:
        (tmp_path / "vocab.txt").write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        WordPiecePreprocessor(tmp_path / "vocab.txt", lower_case=True)


def test_lines_end_as_windows_ends_them_or_not_at_all(vocabulary, tmp_path):
    content = vocabulary.read_bytes()
    expected = numpy_of(WordPiecePreprocessor(vocabulary, lower_case=True)(TEXTS))
    for variant in (content.replace(b"\n", b"\r\n"), content.rstrip(b"\n")):
        (tmp_path / "vocab.txt").write_bytes(variant)
        assert_same(
            numpy_of(WordPiecePreprocessor(tmp_path / "vocab.txt", lower_case=True)(TEXTS)),
            expected,
        )


def test_modules_that_are_no_preprocessors(tmp_path):
    for name, make in (("e", hub_modules.make_encoder), ("t", hub_modules.make_text_module)):
        with pytest.raises(BackboneError, match=r"is not a preprocessing module\. Expected a"):
            HubPreprocessor(make(tmp_path / name))


def test_folders_that_hold_no_preprocessor(tmp_path):
    with pytest.raises(ConfigError, match=r"No preprocessor in .*expected a preprocessor.json"):
        load_preprocessor(tmp_path)
    (tmp_path / "preprocessor.json").write_text('{"kind": "other"}')
    with pytest.raises(ConfigError, match=r"Unknown kind of preprocessor 'other'"):
        load_preprocessor(tmp_path)


def test_without_tensorflow_text_the_extra_is_named(vocabulary, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_text", None)
    with pytest.raises(ConfigError, match=r'pip install "tensorflow-text>='):
        WordPiecePreprocessor(vocabulary, lower_case=True)


TFHUB = "https://tfhub.dev/tensorflow"
UNCASED = f"{TFHUB}/bert_en_uncased_preprocess/3"
CASED = f"{TFHUB}/bert_en_cased_preprocess/3"
KAGGLE = "https://www.kaggle.com/models/tensorflow/bert"
HANDLES = {
    f"{TFHUB}/bert_en_uncased_L-12_H-768_A-12/4": UNCASED,
    f"{TFHUB}/bert_en_wwm_uncased_L-24_H-1024_A-16/4": UNCASED,
    f"{TFHUB}/small_bert/bert_en_uncased_L-4_H-512_A-8/2": UNCASED,
    f"{TFHUB}/bert_en_cased_L-24_H-1024_A-16/4": CASED,
    f"{TFHUB}/bert_en_wwm_cased_L-24_H-1024_A-16/4": CASED,
    f"{TFHUB}/bert_multi_cased_L-12_H-768_A-12/4": f"{TFHUB}/bert_multi_cased_preprocess/3",
    f"{TFHUB}/bert_zh_L-12_H-768_A-12/4": f"{TFHUB}/bert_zh_preprocess/3",
    f"{TFHUB}/albert_en_base/3": f"{TFHUB}/albert_en_preprocess/3",
    f"{TFHUB}/albert_en_xxlarge/3": f"{TFHUB}/albert_en_preprocess/3",
    f"{TFHUB}/talkheads_ggelu_bert_en_base/1": UNCASED,
    "https://tfhub.dev/google/electra_small/2": UNCASED,
    "https://tfhub.dev/google/experts/bert/pubmed/2": UNCASED,
    "https://tfhub.dev/google/experts/bert/wiki_books/mnli/2": UNCASED,
    "https://www.kaggle.com/models/google/experts-bert/tensorFlow2/pubmed/2": UNCASED,
    f"{KAGGLE}/TensorFlow2/bert-en-uncased-l-4-h-256-a-4/2": UNCASED,
    f"{KAGGLE}/TensorFlow2/en-uncased-l-24-h-1024-a-16/4": UNCASED,
    f"{KAGGLE}/frameworks/TensorFlow2/variations/multi-cased-l-12-h-768-a-12/versions/4": (
        f"{TFHUB}/bert_multi_cased_preprocess/3"
    ),
    "https://tfhub.dev/google/LaBSE/2": None,
    "https://tfhub.dev/google/electra_huge/2": None,
    f"{TFHUB}/bert_en_uncased_preprocess/3": None,
    "models/bert_en_uncased_L-12_H-768_A-12": None,
}


@pytest.mark.parametrize("handle", HANDLES)
def test_known_encoders_and_their_preprocessors(handle):
    assert matching_handle(handle) == HANDLES[handle]


ENCODERS = {
    "plain": lambda folder: hub_modules.make_encoder(folder, with_vocabulary=True),
    "keras2": hub_modules.make_keras2_encoder,
}


@pytest.mark.parametrize("name", ["plain", pytest.param("keras2", marks=pytest.mark.slow)])
def test_an_encoder_s_own_vocabulary_comes_first(name, tmp_path):
    folder = ENCODERS[name](tmp_path / "encoder")
    (layer,) = find_hub_layers(load_hub(folder).network)
    chosen = choose_preprocessor(str(folder), layer.module, 12)
    assert isinstance(chosen, WordPiecePreprocessor)
    assert chosen.sequence_length == 12
    own = WordPiecePreprocessor(tmp_path / "encoder.txt", lower_case=True, sequence_length=12)
    assert chosen.identity == own.identity


def test_a_known_encoder_without_a_vocabulary_gets_its_module(tmp_path, module, monkeypatch):
    folder = hub_modules.make_encoder(tmp_path / "encoder")
    (layer,) = find_hub_layers(load_hub(folder).network)
    asked = []
    # The package that downloads modules.
    hub = types.SimpleNamespace(resolve=lambda handle: asked.append(handle) or str(module))
    monkeypatch.setitem(sys.modules, "tensorflow_hub", hub)
    chosen = choose_preprocessor("https://tfhub.dev/google/electra_base/2", layer.module, 12)
    assert isinstance(chosen, HubPreprocessor)
    assert chosen.sequence_length == 12
    assert asked == [UNCASED]
    with pytest.raises(BackboneError, match=r"does not know the preprocessing .*Pass preprocess="):
        choose_preprocessor(str(folder), layer.module)

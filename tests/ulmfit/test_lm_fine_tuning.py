"""Fine-tuning a language model on the texts of a task: its words, its rates, what stays."""

import dataclasses
import json

import keras
import numpy as np
import pytest

from keras_tl.backbones.awd_lstm.model import recurrent_layers
from keras_tl.backbones.texts.words.marks import MARKS
from keras_tl.base.files import sha256_of_folder
from keras_tl.base.keras_compat import eagerly
from keras_tl.errors import ConfigError, DataError, RunError
from keras_tl.training.layer_learning_rates import PerVariableLearningRates
from keras_tl.ulmfit import (
    FINE_TUNING,
    Vocabulary,
    VocabularyLimits,
    fine_tune_lm,
    fit_language_model,
    load_language_model,
    perplexity,
    pretrain,
)
from tests import language_models

FACTOR = 2.5
# Texts of words that the model knows (good, film, the, bad) and of others.
TEXTS = ["the film sings", "the good film sings", "a bad film dances"] * 14
PHASE = dataclasses.replace(FINE_TUNING, epochs=2, batch_size=4, learning_rate=0.1)
STILL = dataclasses.replace(PHASE, epochs=1, batch_size=1, learning_rate=0.0, patience=None)


@pytest.fixture(autouse=True)
def without_tracing():
    """Of loops over steps the tracing costs most."""
    with eagerly():
        yield


def make(**changes):
    return language_models.make_language_model(**changes)


def tune(model, path, **changes):
    options = {"texts": TEXTS, "phase": PHASE, "bptt": 20, "verbose": False} | changes
    return fine_tune_lm(model, path=path, **options)


def weights_of(model):
    return model.network.get_weights()


def equal(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def as_json(model):
    return json.loads(json.dumps(model.about))


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """A model and its weights, what was made of it, and where both are saved."""
    folder = tmp_path_factory.mktemp("models")
    model = make()
    before = weights_of(model)
    model.save(folder / "given")
    with eagerly():
        found = tune(model, folder / "tuned")
    return model, before, found, folder


def test_the_perplexity_of_texts_that_were_not_trained_on_falls(tuned):
    model, _, found, _ = tuned
    held_out = ["the good film dances", "a bad film sings"] * 4
    moved = model.with_vocabulary(found.vocabulary)
    first, last = (
        perplexity(x, x.tokenizer.stream(held_out), batch_size=2) for x in (moved, found)
    )
    assert last < 0.7 * first
    (record,) = found.about["history"]
    assert record["phase"] == PHASE.to_json()
    assert record["epochs"][-1]["val_perplexity"] < record["epochs"][0]["val_perplexity"]
    # A tenth of the texts is kept for that.
    assert found.about["texts"] == 38


def test_the_model_given_stays_as_it_was(tuned):
    model, before, found, folder = tuned
    assert equal(weights_of(model), before)
    assert model.about == {}
    assert model.vocabulary.tokens == (*MARKS, *language_models.WORDS)
    assert found.config == dataclasses.replace(model.config, vocabulary_size=len(found.vocabulary))
    loaded = load_language_model(folder / "tuned")
    assert equal(weights_of(loaded), weights_of(found))
    assert loaded.about == as_json(found)


def test_the_model_given_stays_as_it_was_where_its_words_are_kept_too(tuned, tmp_path):
    model, before, _, _ = tuned
    phase = dataclasses.replace(PHASE, epochs=1, patience=None)
    found = tune(model, tmp_path / "a", texts=TEXTS[:9], phase=phase, vocabulary=model.vocabulary)
    assert found.vocabulary == model.vocabulary
    assert not equal(weights_of(found), before)
    assert equal(weights_of(model), before)


@pytest.mark.slow
def test_a_folder_gives_what_the_model_gives_and_may_be_written_over(tuned, tmp_path):
    model, _, found, folder = tuned
    identity = sha256_of_folder(folder / "given")
    one = tune(folder / "given", tmp_path / "one")
    assert sha256_of_folder(folder / "given") == identity
    assert one.vocabulary == found.vocabulary
    assert equal(weights_of(one), weights_of(found))
    other = tune(model, tmp_path / "one", seed=1, overwrite=True)
    assert not equal(weights_of(other), weights_of(found))
    # Trained on from where it is, to where it is.
    again = tune(str(tmp_path / "one"), tmp_path / "one", overwrite=True)
    assert len(again.about["history"]) == 2
    assert as_json(again)["history"][:1] == as_json(other)["history"]
    loaded = load_language_model(tmp_path / "one")
    assert equal(weights_of(loaded), weights_of(again))
    assert loaded.about == as_json(again)


# Sentences without spaces, each another one, as their words are in turn.
CHINESE = [f"今天{a}{b}很好。我们去{b}{a}看看。" for a in "天地玄黄宇宙" for b in "日月盈昃辰宿"]
# Texts, and what is said of them.
STRANGE = {
    "no-spaces": (CHINESE, "The vocabulary lacks 100% of the words in the texts"),
    "no-word-twice": ([f"word{n} other{n}" for n in range(40)], "lacks 100% of the words"),
    "only-marks": (["... !!! ???"] * 3, None),
    "spaces": ([" ".join(text) for text in CHINESE[:3]], None),
}


@pytest.mark.parametrize("name", STRANGE)
def test_texts_of_unknown_words_are_refused_before_anything_is_trained(name, tmp_path):
    texts, says = STRANGE[name]
    if says is None:
        tune(make(), tmp_path / "tuned", texts=texts, validation=0, phase=STILL)
        return
    with pytest.raises(DataError, match=rf"{says}.*Chinese, .*put spaces between the words"):
        tune(make(), tmp_path / "tuned", texts=texts, phase=STILL)
    with pytest.raises(DataError, match=says):
        pretrain(texts, tmp_path / "new", phase=STILL, verbose=False)
    assert not (tmp_path / "tuned").exists()


@pytest.mark.parametrize(("frequency", "warns"), [(1, False), (4, True)])
def test_many_unknown_words_are_warned_of(frequency, warns, tmp_path, capsys):
    texts = [f"film word{n // 3}" for n in range(12)]
    options = {
        "vocabulary": VocabularyLimits(min_frequency=frequency),
        "phase": STILL,
        "verbose": True,
    }
    tune(make(), tmp_path / "tuned", texts=texts, validation=0, **options)
    assert ("% of the words are unknown. Pass more" in capsys.readouterr().err) == warns


RARE = ["Good bad film.", "new new newer. film", "newer new ."]
# What is asked for, and the words that there are beside the marks, in their order. Of the texts,
# the model knows good, bad, film and the point.
RULES = {
    "default": ({}, [".", "new", "film", "bad", "good"]),
    "every-word": (
        {"vocabulary": VocabularyLimits(min_frequency=1)},
        [".", "new", "film", "newer", "bad", "good"],
    ),
    "twice": (
        {"vocabulary": VocabularyLimits(min_frequency=2)},
        [".", "new", "film", "newer", "bad", "good"],
    ),
    "known-ones": (
        {"vocabulary": VocabularyLimits(min_frequency=99)},
        [".", "film", "bad", "good"],
    ),
    "most-frequent": ({"vocabulary": VocabularyLimits(max_size=len(MARKS) + 2)}, [".", "new"]),
    "given": ({"vocabulary": Vocabulary([*MARKS, "film", "x"])}, ["film", "x"]),
}


@pytest.mark.parametrize("name", RULES)
def test_words_that_the_model_knows_are_kept_however_rare(tmp_path, name):
    options, expected = RULES[name]
    model = make()
    found = tune(
        model, tmp_path / "tuned", texts=RARE, phase=STILL, **({"validation": 0} | options)
    )
    assert found.vocabulary.tokens == (*MARKS, *expected)
    # At a rate of 0 nothing but the words has changed.
    old, new = (x.network.get_layer("embedding").get_weights() for x in (model, found))
    for before, after in zip(old, new, strict=True):
        for word in found.vocabulary.tokens:
            known = word in model.vocabulary
            row = before[model.vocabulary.number(word)] if known else before.mean(0)
            np.testing.assert_allclose(after[found.vocabulary.number(word)], row, atol=1e-6)
    for one, other in zip(*(recurrent_layers(x.network) for x in (model, found)), strict=True):
        assert equal(one.get_weights(), other.get_weights())


@pytest.mark.slow
def test_words_of_the_validation_texts_are_not_looked_at(tmp_path):
    options = {"phase": STILL, "vocabulary": VocabularyLimits(min_frequency=1)}
    held_out = tune(make(), tmp_path / "a", texts=["good"], validation=["unseen bad"], **options)
    assert held_out.vocabulary.tokens == (*MARKS, "good")
    assert "val_perplexity" in held_out.about["history"][0]["epochs"][0]
    # The validation texts are a random half, not always the last half.
    texts = [f"word{number}" for number in range(10)]
    seen = {
        tune(
            make(), tmp_path / f"b{seed}", texts=texts, validation=0.5, seed=seed, **options
        ).vocabulary.tokens[len(MARKS) :]
        for seed in range(2)
    }
    assert len(seen) == 2
    assert {len(words) for words in seen} == {5}


class Optimizers(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_begin(self, logs=None):
        self.seen.append(self.model.optimizer)


def updates_of(**settings):
    """How far one batch moves each layer's weights, and the optimizer that moved them."""
    model, watcher = make(), Optimizers()
    options = {"epochs": 1, "schedule": "constant", "warmup": 0.0, "patience": None}
    phase = dataclasses.replace(PHASE, **(options | settings))
    before = weights_of(model)
    tokens = model.tokenizer.stream(TEXTS[:10])
    record = fit_language_model(model, tokens, phase=phase, bptt=500, callbacks=[watcher])
    assert record.epochs[0]["learning_rate"] == pytest.approx(phase.learning_rate)
    moved = {
        weight.path: weight.numpy() - value
        for weight, value in zip(model.network.weights, before, strict=True)
    }
    (optimizer,) = watcher.seen
    return moved, optimizer


DEPTHS = {"embedding": 0, "lstm_3": 1, "lstm_2": 2, "lstm_1": 3}
OPTIMIZERS = {
    "sgd": (keras.optimizers.SGD, {"learning_rate": 1.0, "clip_norm": None}),
    "sgd-clipped": (keras.optimizers.SGD, {"learning_rate": 100.0, "clip_norm": 1e-2}),
    "adam": (keras.optimizers.Adam, {"learning_rate": 0.02}),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_layer_moves_by_the_factor_less_than_the_one_above_it(name):
    kind, settings = OPTIMIZERS[name]
    settings = settings | {"optimizer": name.split("-")[0]}
    plain, optimizer = updates_of(discriminative_factor=1.0, **settings)
    # With a factor of 1 all have one rate, as Keras's own.
    assert isinstance(optimizer, kind)
    assert not isinstance(optimizer, PerVariableLearningRates)
    found, optimizer = updates_of(discriminative_factor=FACTOR, **settings)
    assert isinstance(optimizer, PerVariableLearningRates)
    assert {path.split("/")[0] for path in found} == set(DEPTHS)
    for path, moved in found.items():
        expected = plain[path] / FACTOR ** DEPTHS[path.split("/")[0]]
        assert np.abs(moved).max() > 1e-5, path
        np.testing.assert_allclose(moved, expected, rtol=1e-3, atol=5e-7, err_msg=path)


WRONG = {
    "one-text": ({"texts": "one text"}, DataError, "Expected a list"),
    "no-text": ({"texts": []}, DataError, "There are no texts"),
    "short": ({"texts": ["good"] * 2}, DataError, "too few for 4 rows"),
    "share": ({"validation": 1.0}, ConfigError, "validation must be a number from 0 to 0.9"),
    "bptt": ({"bptt": 0}, ConfigError, "bptt must be a whole number"),
    "size": (
        {"vocabulary": VocabularyLimits(max_size=3)},
        ConfigError,
        "max_size must be a whole number of at least",
    ),
    "frequency": (
        {"vocabulary": VocabularyLimits(min_frequency=0)},
        ConfigError,
        "min_frequency must be a whole number",
    ),
    "blocks": (
        {"phase": dataclasses.replace(PHASE, unfreeze=1)},
        ConfigError,
        "changes all layers",
    ),
    "in-turn": (
        {"phase": dataclasses.replace(PHASE, unfreeze_every="auto")},
        ConfigError,
        r"^unfreeze_every has no meaning for a language model\. Leave it at None\.$",
    ),
    "monitor": (
        {"phase": dataclasses.replace(PHASE, monitor="metric")},
        ConfigError,
        "^monitor has no meaning",
    ),
    "steps": (
        {"phase": dataclasses.replace(PHASE, min_steps=200)},
        ConfigError,
        r"^min_steps has no meaning for a language model\. Leave it at 0\.$",
    ),
    "weight-decay": (
        {"phase": dataclasses.replace(PHASE, weight_decay=0.1)},
        ConfigError,
        r"^weight_decay= works only with optimizer='adamw'",
    ),
    "objective": (
        {"phase": dataclasses.replace(PHASE, objective="contrastive")},
        ConfigError,
        "^objective has no meaning",
    ),
    "no-model": ({"model": "absent"}, RunError, "^No language model at 'absent'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_refused_before_anything_is_written(tuned, tmp_path, name):
    changes, error, reason = WRONG[name]
    model = changes.get("model", tuned[0])
    options = {key: value for key, value in changes.items() if key != "model"}
    with pytest.raises(error, match=reason):
        tune(model, tmp_path / "tuned", **options)
    assert not list(tmp_path.iterdir())
    assert equal(weights_of(tuned[0]), tuned[1])


def test_what_is_no_language_model_is_left_alone(tuned, tmp_path):
    (tmp_path / "note").write_text("mine")
    with pytest.raises(RunError, match="exists, but is not a language model"):
        tune(tuned[0], tmp_path)
    assert [x.name for x in tmp_path.iterdir()] == ["note"]

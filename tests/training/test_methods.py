"""Discriminative rates and gradual unfreezing, on images and on three kinds of encoders."""

import contextlib

import keras
import numpy as np
import pytest

import keras_tl as ktl
from keras_tl.base.config import Phase
from keras_tl.base.keras_compat import eagerly
from keras_tl.training.freezing import blocks_in_epoch
from keras_tl.training.layer_learning_rates import PerVariableLearningRates
from keras_tl.training.optimizers import make_schedule
from tests import hub_modules, kerashub_presets, language_models
from tests.conftest import make_small_learner, make_tiny_data
from tests.test_text_journey import make_texts
from tests.training.test_head_optimum import hard_data

FACTOR = 2.5
KINDS = ["image", "hub", "kerashub", "ulmfit"]
# How far below the head a variable is, by what its path begins with; others are the head's.
DEPTHS = {
    "image": {"second": 1, "first_norm": 2, "first/": 3},
    "hub": {"transformer/layer_1": 1, "transformer/layer_0": 2, "word": 3, "type": 3},
    "kerashub": {
        "transformer_layer_1": 1,
        "transformer_layer_0": 2,
        "token": 3,
        "segment": 3,
        "position": 3,
        "embeddings": 3,
    },
    "ulmfit": {"lstm_3": 1, "lstm_2": 2, "lstm_1": 3, "embedding": 4},
}


@pytest.fixture(scope="module")
def encoders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoders")
    vocabulary = hub_modules.write_vocabulary(folder / "vocab.txt")
    # What a module drops depends on all that ran before it.
    module = hub_modules.make_encoder(folder / "encoder", dropout=0.0)
    model = language_models.save_language_model(folder / "model")
    known = {"hub": (f"tfhub:{module}", str(vocabulary)), "ulmfit": (f"ulmfit:{model}", None)}
    return known, folder


@pytest.fixture
def make(encoders):
    known, folder = encoders

    def make(kind, **options):
        if kind == "image":
            return make_small_learner(make_tiny_data(8), **options)
        if kind == "kerashub" and kind not in known:
            pytest.importorskip("keras_hub", reason="it needs a newer Keras than ours may be")
            known[kind] = (f"kerashub:{kerashub_presets.make_bert(folder / 'preset')}", None)
        backbone, preprocessor = known[kind]
        data = make_texts(validation_split=0.2)
        return ktl.Learner(
            backbone, data, preprocess=preprocessor, seed=0, verbose=False, **options
        )

    return make


def phase(**options):
    settings = {"epochs": 1, "learning_rate": 0.01, "unfreeze": "all", "patience": None}
    return Phase("tune", **(settings | options))


def depth_of(kind, variable):
    return next((d for start, d in DEPTHS[kind].items() if variable.path.startswith(start)), 0)


def depths_of(kind):
    return {0, *DEPTHS[kind].values()}


def quickly(kind, optimizer=""):
    """Without tracing, which costs most where layers loop over steps; the journey traces."""
    is_quick = kind == "ulmfit" or (kind, optimizer) == ("image", "sgd")
    return eagerly() if is_quick else contextlib.nullcontext()


class Updates:
    """How far one batch moves each variable, from the same weights in every call."""

    def __init__(self, learner):
        learner.fit_head(epochs=1, cache="memory")
        self.learner = learner
        self.before = [(variable, variable.numpy()) for variable in learner.model.variables]

    def __call__(self, **options):
        for variable, value in self.before:
            variable.assign(value)
        del self.learner.trainer.history[1:]  # the next phase gets the same order and dropout
        count = len(self.learner.data.split("train"))
        given = phase(batch_size=count + count % 2, **options)
        self.learner.fine_tune(policy=given, augment=False)
        trained = {id(variable) for variable in self.learner.model.trainable_variables}
        return [
            (variable, variable.numpy() - value)
            for variable, value in self.before
            if id(variable) in trained
        ]


@pytest.mark.parametrize(
    ("kind", "optimizer"),
    [
        ("image", "sgd"),
        *(pytest.param("image", name, marks=pytest.mark.slow) for name in ("adam", "adamw")),
        *(pytest.param("hub", name, marks=pytest.mark.slow) for name in ("sgd", "adamw")),
        *(pytest.param("kerashub", name, marks=pytest.mark.slow) for name in ("sgd", "adamw")),
        *(
            pytest.param("ulmfit", name, marks=pytest.mark.slow)
            for name in ("sgd", "adam", "adamw")
        ),
    ],
)
def test_a_block_moves_by_the_factor_less_than_the_one_above_it(make, kind, optimizer):
    with quickly(kind, optimizer):
        updates = Updates(make(kind))
    # What four blocks down moves at SGD's rate must not drown in what is rounded.
    rate = 1.0 if (kind, optimizer) == ("ulmfit", "sgd") else 0.01
    decay = 0.1 if optimizer == "adamw" else 0.0
    options = {"optimizer": optimizer, "weight_decay": decay, "learning_rate": rate}
    with quickly(kind, optimizer):
        plain = updates(**options)
        assert not isinstance(updates.learner.model.optimizer, PerVariableLearningRates)
        found = updates(discriminative_factor=FACTOR, **options)
    assert {depth_of(kind, variable) for variable, _ in found} == depths_of(kind)
    for (_, whole), (variable, moved) in zip(plain, found, strict=True):
        expected = whole / FACTOR ** depth_of(kind, variable)
        np.testing.assert_allclose(moved, expected, rtol=1e-3, atol=2e-7, err_msg=variable.path)
        assert kind != "ulmfit" or np.abs(moved).max() > 1e-5, variable.path
    assert updates.learner.history[-1].epochs[-1]["learning_rate"] == pytest.approx(rate)


CLIPPED = {"clip_norm": 1e-3, "learning_rate": 1.0}
# Where it runs, and what of the phase is not as in the others.
PLACES = {
    "clipped": ({}, CLIPPED),
    "replicas-clipped": ({"strategy": "mirrored"}, CLIPPED),
    "replicas-adamw": ({"strategy": "mirrored"}, {"optimizer": "adamw", "weight_decay": 0.1}),
    "bfloat16": ({"precision": "mixed_bfloat16"}, {}),
    "float16": ({"precision": "mixed_float16"}, {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["image", "ulmfit"])
@pytest.mark.parametrize("place", PLACES)
def test_the_same_wherever_it_runs(make, kind, place):
    options, settings = PLACES[place]
    updates = Updates(make(kind, **options))
    settings = {"optimizer": "sgd"} | settings
    with quickly(kind if not options else "image"):
        plain, found = updates(**settings), updates(discriminative_factor=FACTOR, **settings)
    scaled = isinstance(updates.learner.model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert scaled == (options.get("precision") == "mixed_float16")
    for (_, whole), (variable, moved) in zip(plain, found, strict=True):
        expected = whole / FACTOR ** depth_of(kind, variable)
        np.testing.assert_allclose(moved, expected, rtol=2e-3, atol=2e-7, err_msg=variable.path)
        assert np.any(moved)
    assert updates.learner.history[-1].epochs[-1]["learning_rate"] == pytest.approx(
        settings.get("learning_rate", 0.01)
    )


BATCHES = {
    "image": np.ones((4, 32, 32, 3), np.float32),
    "ulmfit": {
        "input_word_ids": np.array([[2, 9], [2, 1], [2, 10], [10, 11]], np.int32),
        "input_mask": np.array([[1, 1], [1, 0], [1, 1], [1, 1]], np.int32),
    },
}


@pytest.mark.parametrize(
    ("kind", "every"),
    [
        ("image", 1),
        pytest.param("image", None, marks=pytest.mark.slow),
        pytest.param("ulmfit", 1, marks=pytest.mark.slow),
    ],
)
def test_a_saved_model_trains_on_as_the_original(make, tmp_path, kind, every):
    head = ktl.HeadConfig(dropout=0.0) if kind == "image" else None
    learner = make(kind, head=head)
    with eagerly():
        learner.fine_tune(
            policy=phase(optimizer="adam", discriminative_factor=FACTOR, unfreeze_every=every),
            augment=False,
        )
    learner.model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.optimizer.learning_rate_factors == learner.model.optimizer.learning_rate_factors
    # What dropout draws next is not part of a file.
    for one, other in zip(learner.model.variables, loaded.variables, strict=True):
        other.assign(one)
    y = np.array([0, 1, 2, 0]) if kind == "image" else np.array([[0], [1], [1], [0]])
    for model in (learner.model, loaded):
        with eagerly():
            model.train_on_batch(BATCHES[kind], y)
    for one, other in zip(learner.model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("every", "epochs", "counts"),
    [
        (None, 3, [9, 9, 9]),
        (1, 3, [1, 2, 3]),
        (2, 5, [1, 1, 2, 2, 3]),
        (1, 12, [1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9]),
        ("auto", 12, [1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9]),
        ("auto", 9, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("auto", 3, [3, 6, 9]),
        ("auto", 4, [3, 5, 7, 9]),
        ("auto", 1, [9]),
    ],
)
def test_the_blocks_of_every_epoch(every, epochs, counts):
    blocks = tuple("abcdefghi")
    found = [blocks_in_epoch(blocks, every, epoch, epochs) for epoch in range(epochs)]
    assert found == [blocks[-count:] for count in counts]
    assert blocks_in_epoch((), every, 0, epochs) == ()


class Watcher(keras.callbacks.Callback):
    """Which parts an epoch moves, and what happens to the optimizer between two of them."""

    def __init__(self, kind):
        super().__init__()
        self.kind, self.moved, self.calls, self.state = kind, [], [], None

    def on_train_begin(self, logs=None):
        self.calls.append("begin")

    def on_train_end(self, logs=None):
        self.calls.append("end")

    def on_epoch_begin(self, epoch, logs=None):
        if self.state is not None:
            now = self.state_of()
            assert all(np.array_equal(value, now[path]) for path, value in self.state.items())
        self.before = [(weight, weight.numpy()) for weight in self.model.weights]

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append(epoch)
        self.state = self.state_of()
        self.moved.append(
            {
                depth_of(self.kind, weight)
                for weight, value in self.before
                if not np.array_equal(weight, value)
            }
        )

    def state_of(self):
        return {id(x): x.numpy() for x in self.model.optimizer.variables}


@pytest.mark.parametrize(
    ("kind", "optimizer"),
    [
        ("image", "sgd"),
        *(pytest.param(kind, "adamw", marks=pytest.mark.slow) for kind in KINDS),
    ],
)
def test_each_epoch_moves_the_blocks_in_turn(make, kind, optimizer, capsys):
    learner = make(kind)
    learner._state.reporter.console.quiet = False
    watcher = Watcher(kind)
    given = phase(epochs=4, unfreeze_every=1, optimizer=optimizer, schedule="cosine", batch_size=8)
    with quickly(kind):
        (record,) = learner.fine_tune(policy=given, augment=False, callbacks=[watcher])
    parts = [{0, 1}, {0, 1, 2}, {0, 1, 2, 3}, {0, 1, 2, 3, 4}]
    assert watcher.moved == [part & depths_of(kind) for part in parts]
    assert watcher.calls == ["begin", 0, 1, 2, 3, "end"]
    steps = -(-len(learner.data.split("train")) // 8)
    model = learner.model
    assert int(model.optimizer.iterations) == 4 * steps
    schedule = make_schedule(given, 4 * steps)
    rates = [float(schedule(steps * (epoch + 1) - 1)) for epoch in range(4)]
    assert [epoch["learning_rate"] for epoch in record.epochs] == pytest.approx(rates, abs=1e-9)
    said = capsys.readouterr().err
    for epoch, block in enumerate(reversed(learner.backbone.blocks[:-1])):
        assert f"tune: epoch {epoch + 2} unfreezes {block}." in said


def test_epochs_that_end_before_the_last_block_are_announced(make, capsys):
    learner = make("image")
    learner.fit_head(epochs=1, cache="memory")
    learner._state.reporter.console.quiet = False
    watcher = Watcher("image")
    with eagerly():
        learner.fine_tune(
            policy=phase(epochs=2, unfreeze_every=2), augment=False, callbacks=[watcher]
        )
    assert watcher.moved == [{0, 1}, {0, 1}]
    said = capsys.readouterr().err
    assert "tune: 2 epochs are too few to unfreeze first, first_norm." in said
    # Compiled like any other phase's model: what is trainable is what the optimizer knows.
    model = learner.model
    assert len(model.trainable_variables) == len(model.optimizer.learning_rate_factors)
    model.train_on_batch(np.ones((2, 32, 32, 3), np.float32), np.array([0, 1]))


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"precision": "mixed_float16"},
        {"strategy": "mirrored"},
    ],
)
def test_unfrozen_from_the_start_it_is_the_plain_phase_bit_for_bit(make, options):
    weights = []
    for every in (None, 1):
        learner = make("image", **options)
        learner.fit_head(epochs=1, cache="memory")
        given = phase(epochs=2, unfreeze=1, unfreeze_every=every, optimizer="adamw", clip_norm=1.0)
        learner.fine_tune(policy=given, augment=False)
        weights.append(learner.model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_with_one_rate_a_language_model_is_trained_as_by_keras_bit_for_bit(make):
    """Words occur more than once in a batch, and the norm is of all gradients."""
    updates = Updates(make("ulmfit"))
    options = {"optimizer": "adamw", "weight_decay": 0.1, "clip_norm": 0.01}
    with quickly("ulmfit"):
        plain = updates(**options)
        found = updates(unfreeze_every="auto", **options)
    assert isinstance(updates.learner.model.optimizer, PerVariableLearningRates)
    assert {depth_of("ulmfit", variable) for variable, _ in found} == depths_of("ulmfit")
    for (_, expected), (_, moved) in zip(plain, found, strict=True):
        assert moved.any()
        np.testing.assert_array_equal(moved, expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"precision": "mixed_float16"},
        {"strategy": "mirrored"},
        {"precision": "mixed_float16", "strategy": "mirrored"},
    ],
)
def test_in_turn_wherever_it_runs(make, options):
    learner = make("image", **options)
    watcher = Watcher("image")
    given = phase(epochs=3, unfreeze_every=1, optimizer="adamw", discriminative_factor=2.6)
    (record,) = learner.fine_tune(policy=given, augment=False, callbacks=[watcher])
    assert watcher.moved == [{0, 1}, {0, 1, 2}, {0, 1, 2, 3}]
    assert all(np.isfinite(epoch["val_loss"]) for epoch in record.epochs)


def test_the_best_weights_are_those_of_the_whole_phase():
    learner = make_small_learner(hard_data())
    ruinous = phase(epochs=5, learning_rate=1.0, unfreeze_every=1, optimizer="adam", patience=2)
    with eagerly():
        learner.fit_head(epochs=3, cache="memory")
        before = learner.model.get_weights()
        (record,) = learner.fine_tune(policy=ruinous, augment=False)
    assert (record.best_epoch, len(record.epochs)) == (0, 2)
    for was, now in zip(before, learner.model.get_weights(), strict=True):
        np.testing.assert_array_equal(was, now)

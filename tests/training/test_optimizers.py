"""Schedules at every step, optimizers variable by variable."""

import math
from fractions import Fraction

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_tl.base.config import Phase
from keras_tl.errors import ConfigError
from keras_tl.training.optimizers import make_optimizer, make_schedule
from keras_tl.training.schedules import LinearDecay, OneCycle, SlantedTriangular

STEPS = 40


def phase(**options):
    return Phase(**({"name": "p", "epochs": 1, "learning_rate": 0.5} | options))


def expected_rate(schedule, warmup, step):
    """A linear warm-up, then the rate of Loshchilov and Hutter (2017), eq. 5, or a line to 0."""
    warmup_steps = round(warmup * STEPS)
    if step < warmup_steps:
        return 0.5 * (step / warmup_steps if schedule == "cosine" else (step + 1) / warmup_steps)
    if schedule == "constant":
        return 0.5
    done = (step - warmup_steps) / (STEPS - warmup_steps)
    if schedule == "linear":
        return 0.5 * (1 - done)
    return 0.25 * (1 + np.cos(np.pi * done))


@pytest.mark.parametrize("schedule", ["constant", "cosine", "linear"])
@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5])
def test_the_rate_of_every_step(schedule, warmup):
    made = make_schedule(phase(schedule=schedule, warmup=warmup), STEPS)
    rates = [float(made(step)) if callable(made) else made for step in range(STEPS + 1)]
    expected = [expected_rate(schedule, warmup, step) for step in range(STEPS + 1)]
    if schedule == "constant" and warmup:
        # The polynomial reaches the peak one step later than (step + 1) / steps.
        first, steps = 0.5 / round(warmup * STEPS), round(warmup * STEPS)
        expected[:steps] = [first + (0.5 - first) * step / steps for step in range(steps)]
    np.testing.assert_allclose(rates, expected, atol=1e-6)
    if schedule == "linear":
        again = keras.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(made))
        assert [float(again(step)) for step in range(STEPS + 1)] == rates


def slanted_triangular(peak, steps, cut_frac, ratio):
    """Howard and Ruder (2018), eq. 3, for t from 0 to the last step, without p < 0."""
    cut = math.floor(steps * Fraction(str(cut_frac)))
    if cut == 0:
        p = [1 - t / (steps * (1 - cut_frac)) for t in range(steps)]
    else:
        p = [
            t / cut if t < cut else 1 - (t - cut) / (cut * (1 / cut_frac - 1)) for t in range(steps)
        ]
    return [peak * (1 + max(p_t, 0) * (ratio - 1)) / ratio for p_t in p]


def one_cycle(peak, steps, rise, divisor, final_divisor):
    """Half a period of a cosine up to the peak, another one down."""
    cut = math.floor(steps * Fraction(str(rise)))
    rates = []
    for t in range(steps):
        if t < cut:
            low, share = peak / divisor, t / cut
        else:
            low, share = peak / final_divisor, 1 - (t - cut) / (steps - cut)
        rates.append(low + (peak - low) * (1 - math.cos(math.pi * share)) / 2)
    return rates


LENGTHS = [1, 2, 5, 9, 10, 15, 19, 20, 100, 1000]


@pytest.mark.parametrize("steps", LENGTHS)
@pytest.mark.parametrize(
    ("share", "extremes"), [(0.1, 32), (0.3, 32), (0.29, 5.0), (0.5, 1), (0.95, 1000), (0, 32)]
)
def test_slanted_triangular_is_the_papers_formula(steps, share, extremes):
    made = SlantedTriangular(0.01, steps, share, extremes)
    rates = np.asarray(made(np.arange(steps)))
    expected = slanted_triangular(0.01, steps, share, extremes)
    np.testing.assert_allclose(rates, expected, rtol=1e-5, atol=1e-9)
    assert min(rates) >= 0.01 / extremes * (1 - 1e-6)
    cut = math.floor(steps * Fraction(str(share)))
    assert rates[min(cut, steps - 1)] == pytest.approx(0.01 if cut < steps else rates[-1])
    # Beyond its end it stays at its lowest.
    assert float(made(3 * steps)) == pytest.approx(0.01 / extremes)


@pytest.mark.parametrize("steps", LENGTHS)
@pytest.mark.parametrize(
    ("share", "low", "last"), [(0.25, 25, 1e5), (0.3, 25, 250000), (0.29, 5.0, 1), (1, 10, 10)]
)
def test_one_cycle_is_two_halves_of_a_cosine(steps, share, low, last):
    made = OneCycle(0.5, steps, share, low, last)
    rates = np.asarray(made(np.arange(steps)))
    np.testing.assert_allclose(rates, one_cycle(0.5, steps, share, low, last), rtol=1e-5)
    if share < 1:
        assert float(made(steps)) == pytest.approx(0.5 / last)
        assert float(made(3 * steps)) == pytest.approx(0.5 / last)


@pytest.mark.parametrize(
    ("schedule", "warmup", "expected"),
    [
        ("slanted_triangular", 0.0, slanted_triangular(0.5, STEPS, 0.1, 32)),
        ("slanted_triangular", 0.25, slanted_triangular(0.5, STEPS, 0.25, 32)),
        ("one_cycle", 0.0, one_cycle(0.5, STEPS, 0.25, 25, 1e5)),
        ("one_cycle", 0.4, one_cycle(0.5, STEPS, 0.4, 25, 1e5)),
    ],
)
def test_warmup_is_the_share_that_rises(schedule, warmup, expected):
    made = make_schedule(phase(schedule=schedule, warmup=warmup), STEPS)
    np.testing.assert_allclose([float(made(t)) for t in range(STEPS)], expected, rtol=1e-5)


MADE = [LinearDecay(0.5, 9, 2), SlantedTriangular(0.5, 9, 0.3, 8), OneCycle(0.5, 9, 0.3, 5, 1e3)]


@pytest.mark.parametrize("made", MADE, ids=lambda made: type(made).__name__)
def test_schedules_are_saved_with_an_optimizer_and_run_in_graphs(made, tmp_path):
    rates = [float(made(step)) for step in range(12)]
    again = keras.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(made))
    assert type(again) is type(made)
    assert again.get_config() == made.get_config()
    assert [float(again(step)) for step in range(12)] == rates
    graph = tf.function(made, input_signature=[tf.TensorSpec((), tf.int64)])
    np.testing.assert_allclose([graph(step) for step in range(12)], rates, rtol=1e-6)

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(made), "mse")
    x = np.ones((3, 1), np.float32)
    model.fit(x, x, batch_size=1, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert int(loaded.optimizer.iterations) == 3
    assert float(loaded.optimizer.learning_rate) == pytest.approx(rates[3])
    before = float(loaded.layers[0].kernel[0, 0])
    loaded.fit(x[:1], x[:1], verbose=0)
    moved = rates[3] * 2 * (1 - before)
    assert float(loaded.layers[0].kernel[0, 0]) == pytest.approx(before + moved, rel=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SlantedTriangular(1.0, 9, cut_frac=1.5), "cut_frac must be a number from 0 to 1"),
        (lambda: SlantedTriangular(1.0, 9, ratio=0.5), "ratio must be a number of at least 1"),
        (lambda: OneCycle(1.0, 9, rise=-1), "rise must be a number from 0 to 1"),
        (lambda: OneCycle(1.0, 9, divisor=0), "divisor must be a number of at least 1"),
    ],
)
def test_shapes_that_make_no_sense_are_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("adam", keras.optimizers.Adam),
        ("adamw", keras.optimizers.AdamW),
        ("sgd", keras.optimizers.SGD),
    ],
)
def test_the_optimizer_asked_for(name, kind):
    made = make_optimizer(phase(optimizer=name), STEPS, [])
    assert isinstance(made, kind)
    assert float(made.learning_rate) == 0.5


def test_weight_decay_spares_biases_and_normalisation():
    matrix, vector = keras.Variable(np.ones((2, 2))), keras.Variable(np.ones(2))
    # Attention's biases have an axis for the heads.
    bias = keras.Variable(np.ones((2, 2)), name="bias")
    variables = [matrix, vector, bias]
    optimizer = make_optimizer(phase(optimizer="adamw", weight_decay=0.1), STEPS, variables)
    optimizer.apply([keras.ops.zeros(x.shape) for x in variables], variables)
    np.testing.assert_allclose(matrix, 1 - 0.5 * 0.1)
    for spared in (vector, bias):
        np.testing.assert_array_equal(spared, 1)


@pytest.mark.parametrize("factors", [None, [1.0, 0.5]], ids=["one rate", "own rates"])
@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_a_word_that_comes_twice_is_trained_by_the_sum_of_its_gradients(name, factors):
    """An embedding's gradient comes as rows, one for each place of the batch."""
    rows = tf.constant([[1.0, 2.0], [3.0, -1.0], [-0.5, 4.0]])
    rows = tf.IndexedSlices(rows, tf.constant([1, 1, 3]), tf.constant([5, 2]))
    results = []
    for gradient in (rows, tf.constant([[0, 0], [4.0, 1.0], [0, 0], [-0.5, 4.0], [0, 0]])):
        variables = [keras.Variable(np.ones((5, 2))), keras.Variable(np.ones(2))]
        options = {"optimizer": name, "weight_decay": 0.1, "clip_norm": 0.5}
        optimizer = make_optimizer(phase(**options), STEPS, variables, factors)
        for _ in range(2):
            optimizer.apply([gradient, keras.ops.ones(2)], variables)
        results.append(variables)
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.any(results[0][0].numpy()[[1, 3]] != 1)


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_gradients_are_clipped_by_the_norm_of_all_of_them(name):
    made = make_optimizer(phase(optimizer=name, clip_norm=5.0), STEPS, [])
    clipped = made._clip_gradients([keras.ops.array([30.0, 0.0]), keras.ops.array([0.0, 40.0])])
    np.testing.assert_allclose(np.stack(clipped), [[3, 0], [0, 4]], rtol=1e-6)

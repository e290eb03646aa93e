"""Strategy, precision, and what stands in for a TPU."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_tl.base.config import Phase
from keras_tl.errors import ConfigError
from keras_tl.models.device import choose_precision, choose_strategy, precision_policy
from keras_tl.training.optimizers import make_optimizer
from tests.conftest import make_small_learner


def test_both_phases_on_two_replicas(tiny_data):
    learner = make_small_learner(tiny_data, strategy="mirrored")
    assert learner.model.distribute_strategy.num_replicas_in_sync == 2
    before = [weight.numpy() for weight in learner.model.weights]
    learner.fit_head(epochs=2, cache="memory")
    learner.fine_tune(
        policy=Phase(
            "tune", epochs=1, learning_rate=1e-3, unfreeze="all", optimizer="sgd", batch_size=8
        ),
        augment=False,
    )
    assert all(np.isfinite(weight.numpy()).all() for weight in learner.model.weights)
    unmoved = [
        weight.name
        for weight, value in zip(learner.model.weights, before, strict=True)
        if np.array_equal(weight.numpy(), value)
    ]
    assert unmoved == ["moving_mean", "moving_variance"]
    learner.evaluate()
    assert np.isfinite(learner.predict(tiny_data.split("test").images).probabilities).all()


def test_features_do_not_depend_on_the_replicas(tiny_data):
    features = [
        make_small_learner(tiny_data, strategy=strategy).features(tiny_data.split("train").images)
        for strategy in ("single", "mirrored")
    ]
    np.testing.assert_allclose(features[0], features[1], atol=1e-5)


@pytest.mark.parametrize(
    "learning_rate_factors", [None, pytest.param([1.0, 0.5] * 4, marks=pytest.mark.slow)]
)
def test_the_training_step_compiles_for_xla(small_learner, learning_rate_factors):
    """A TPU needs static shapes and XLA for all of the step; Keras would silently do without."""
    model, backbone = small_learner.model, small_learner.backbone
    backbone.unfreeze(small_learner.backbone.blocks)
    phase = Phase(
        "p",
        epochs=1,
        learning_rate=1e-3,
        unfreeze="all",
        optimizer="adamw",
        warmup=0.5,
        schedule="cosine",
    )
    model.compile(
        make_optimizer(phase, 4, model.trainable_variables, learning_rate_factors),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=True,
    )
    assert model.jit_compile is True
    model.optimizer.build(model.trainable_variables)
    pixels = tf.zeros((4, 32, 32, 3))
    labels = tf.zeros((4,), tf.int64)

    @tf.function(jit_compile=True, autograph=False)
    def step(pixels, labels):
        return model.train_step((pixels, labels))

    assert "HloModule" in step.experimental_get_compiler_ir(pixels, labels)(stage="hlo")
    before = model.get_weights()
    for _ in range(2):  # The warm-up's first rate is 0.
        step(pixels, labels)
    assert any(not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_the_xla_check_fails_on_what_xla_cannot_do(small_learner):
    inputs = keras.Input((32, 32, 3), batch_size=4)

    class OnTheHost(keras.layers.Layer):
        def call(self, x):
            return tf.reshape(tf.numpy_function(lambda a: a, [x], tf.float32), x.shape)

    model = keras.Model(inputs, OnTheHost()(inputs))
    step = tf.function(model.call, jit_compile=True, autograph=False)
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError)):
        step(tf.zeros((4, 32, 32, 3)))


@pytest.mark.parametrize(
    "precision", ["mixed_bfloat16", pytest.param("mixed_float16", marks=pytest.mark.slow)]
)
def test_both_phases_in_mixed_precision(tiny_data, precision):
    learner = make_small_learner(tiny_data, precision=precision)
    learner.fit_head(epochs=1, cache="memory")
    learner.fine_tune(
        policy=Phase("tune", epochs=1, learning_rate=1e-4, unfreeze=1, optimizer="adamw"),
        augment=False,
    )
    scaled = isinstance(learner.model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert scaled == (precision == "mixed_float16")
    assert np.isfinite(learner.history[-1].epochs[-1]["loss"])
    assert learner.model.output.dtype == "float32"


def test_the_global_policy_is_put_back_even_after_an_error():
    before = keras.config.dtype_policy()
    with pytest.raises(RuntimeError), precision_policy("mixed_bfloat16"):
        raise RuntimeError
    assert keras.config.dtype_policy() == before


def test_auto_on_a_cpu():
    assert choose_precision("auto") == "float32"
    assert choose_strategy("auto").num_replicas_in_sync == 1
    assert choose_strategy("mirrored").num_replicas_in_sync == 2
    own = tf.distribute.OneDeviceStrategy("CPU:1")
    assert choose_strategy(own) is own


def test_models_of_different_sizes_train_on_several_replicas_one_after_the_other():
    """Each with a strategy of its own, the second fails: tensorflow/tensorflow#62790."""
    for width in (3, 7):
        with choose_strategy("mirrored").scope():
            model = keras.Sequential([keras.Input((width,)), keras.layers.Dense(width)])
            model.compile("sgd", "mse", jit_compile=False)
        x = np.ones((8, width), np.float32)
        assert np.isfinite(model.fit(x, x, batch_size=4, verbose=0).history["loss"][0])


@pytest.mark.parametrize(
    ("choose", "value", "message"),
    [
        (choose_precision, "float64", "Expected one of: 'auto', 'float32'|Did you mean 'float32'"),
        (choose_strategy, "horovod", "Unknown strategy 'horovod'. Expected one of: 'auto'"),
    ],
)
def test_unknown_choices(choose, value, message):
    with pytest.raises(ConfigError, match=message):
        choose(value)

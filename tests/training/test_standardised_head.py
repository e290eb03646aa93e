"""The copy of a head on standardised features: what it learns is folded in without a difference."""

import keras
import numpy as np
import pytest

import keras_tl as ktl
from keras_tl.base.keras_compat import eagerly
from keras_tl.training.head_solver import Standardisation
from keras_tl.training.standardised_head import StandardisedHead, first_dense
from tests.conftest import make_small_learner

HEADS = {
    "linear": ktl.HeadConfig(),
    "hidden": ktl.HeadConfig(hidden=(5, 4)),
    "flatten": ktl.HeadConfig("flatten"),
    "dropout": ktl.HeadConfig(dropout=0.5),
}


def standardisation_of(features):
    return Standardisation.of(features.reshape(len(features), -1))


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("name", HEADS)
def test_folding_changes_no_answer(tiny_data, name, live):
    learner = make_small_learner(tiny_data, head=HEADS[name])
    rng = np.random.default_rng(0)
    learner.trainer.parts.head.set_weights(
        [rng.normal(size=w.shape) for w in learner.trainer.parts.head.get_weights()]
    )
    pixels = tiny_data.split("train").images
    features = np.asarray(learner.trainer.parts.extractor(pixels, training=False))
    copy = StandardisedHead.of(learner.trainer.parts, standardisation_of(features), live)
    given = pixels if live else features
    before = np.asarray(learner.trainer.parts.head(features))
    np.testing.assert_allclose(copy.model(given), before, rtol=1e-3, atol=1e-3)
    for layer in copy.layers:
        layer.set_weights([rng.normal(size=w.shape) for w in layer.get_weights()])
    copy.fold()
    after = np.asarray(learner.trainer.parts.head(features))
    assert np.abs(after - before).max() > 0.1
    np.testing.assert_allclose(copy.model(given), after, rtol=1e-3, atol=1e-3)


def test_a_head_that_normalises_by_itself_has_no_place_to_fold_into(tiny_data):
    learner = make_small_learner(tiny_data, head=ktl.HeadConfig(hidden=(4,), batch_norm=True))
    assert first_dense(learner.trainer.parts.head) is None
    with eagerly():
        record = learner.fit_head(epochs=1)
    assert (record.solved, record.l2) == (False, None)


@pytest.mark.parametrize("name", HEADS)
def test_training_adds_nothing_to_the_model(tiny_data, name):
    learner = make_small_learner(tiny_data, head=HEADS[name])
    layers = [type(layer) for layer in learner.model.layers]
    with eagerly():
        learner.fit_head(epochs=1)
    assert [type(layer) for layer in learner.model.layers] == layers
    assert keras.layers.Normalization not in layers


class Watch(keras.callbacks.Callback):
    """Asks the callback's model and the learner after every epoch."""

    def __init__(self, learner):
        super().__init__()
        self.learner, self.pairs = learner, []

    def on_epoch_end(self, epoch, logs=None):
        split = self.learner.data.split("validation")
        features = self.learner.features(self.learner.data.split("validation"))
        self.pairs.append(
            (
                np.asarray(self.model(features)),
                self.learner.trainer.logits(self.learner.data.split("validation")),
            )
        )
        assert len(split) == len(features)


def test_callbacks_see_the_head_as_it_is(tiny_data):
    learner = make_small_learner(tiny_data, head=ktl.HeadConfig(hidden=(4,)))
    watch = Watch(learner)
    with eagerly():
        learner.fit_head(epochs=3, learning_rate=0.1, callbacks=[watch])
    assert len(watch.pairs) == 3
    for own, asked in watch.pairs:
        np.testing.assert_allclose(own, asked, rtol=1e-4, atol=1e-4)
    assert np.abs(watch.pairs[0][1] - watch.pairs[-1][1]).max() > 1e-3

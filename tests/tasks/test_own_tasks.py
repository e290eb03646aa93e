"""A user's own task: registered, it goes all the way that the others go."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_tl as ktl
from keras_tl.base.keras_compat import eagerly
from keras_tl.errors import ConfigError
from keras_tl.tasks import TASKS, Task, get_task, register_task
from keras_tl.tasks.regression import Regression
from tests.conftest import export_unverified, make_small_learner


class Counts(Regression):
    """How many: the head gives the logarithm of the mean of a Poisson distribution."""

    kind = "counts"
    item_metric = "mean absolute error"

    @property
    def output_layers(self):
        return [keras.layers.Activation("exponential", dtype="float32", name="value")]

    @property
    def loss_weight(self):
        return 1.0

    def loss(self, smoothing=0.0, soft=False):
        return keras.losses.Poisson()

    def dense_targets(self, labels, smoothing=0.0):
        return labels.astype(np.float64)[:, None]

    def from_outputs(self, outputs):
        return np.exp(outputs).astype(np.float32)

    def convex_loss(self, outputs, targets):
        means = np.exp(outputs)
        return (means - targets * outputs)[:, 0], means - targets

    @property
    def curvature(self):
        return self.target_mean

    def item_losses(self, labels, logits):
        means = logits.astype(np.float64)[:, 0]
        return means - labels * np.log(means + keras.backend.epsilon())


@pytest.fixture
def counts():
    register_task(Counts)
    yield
    del TASKS["counts"]


def test_it_trains_is_measured_saved_and_exported(counts, tmp_path):
    rng = np.random.default_rng(0)
    shares = rng.uniform(0, 1, 60)
    images = 200 * shares[:, None, None, None] + rng.uniform(0, 20, (60, 16, 16, 3))
    labels = rng.poisson(9 * shares).astype(float)
    data = ktl.ImageData.from_arrays(images.astype(np.float32), labels, task="counts")
    learner = make_small_learner(data, image_size=16, as_made=True)
    with eagerly():
        learner.fit_head()
    metrics = learner.evaluate("train")
    truths = data.split("train").labels
    assert metrics["mae"] < 0.7 * np.abs(truths - truths.mean()).mean()
    assert metrics["intervals"]["mae"][0] < metrics["mae"]
    assert learner.cross_validate(folds=2)["mae"] > 0
    learner.save(tmp_path / "run")
    loaded = ktl.Learner.load(tmp_path / "run", data=data, verbose=False)
    answers = loaded.predict(images[:3])
    np.testing.assert_array_equal(answers.values, learner.predict(images[:3]).values)
    served = tf.saved_model.load(str(export_unverified(loaded, tmp_path / "model")))
    given = served.signatures["pixels"](tf.constant(images[:3], tf.float32))["value"]
    np.testing.assert_allclose(given, answers.values, rtol=1e-5)
    loaded.evaluate()
    page = loaded.report(tmp_path / "report.html").read_text("utf-8")
    assert "the predictions are off by" in page
    assert "Predicted and true values" in page


class Unfinished(Task):
    kind = "unfinished"


def test_mistakes_are_told_at_once(counts):
    for given, says in (
        (Counts, "A task with kind 'counts' exists already"),
        (Counts(), "takes a subclass of Task"),
        ("counts", "takes a subclass of Task"),
        (Unfinished, "The task Unfinished lacks methods: .*item_losses"),
    ):
        with pytest.raises(ConfigError, match=says):
            register_task(given)
    register_task(Counts, overwrite=True)
    assert "unfinished" not in TASKS


def test_a_run_of_a_task_that_is_not_registered_names_those_that_are():
    with pytest.raises(ConfigError, match=r"Expected one of: 'multiclass', .*'regression'"):
        get_task("counts")

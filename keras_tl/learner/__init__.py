"""The facade: it calls the rooms in order and holds no algorithm."""

from keras_tl.learner.facade import Learner

__all__ = ["Learner"]

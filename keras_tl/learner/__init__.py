"""The facade `Learner`, the modules that implement its methods, and `figures`."""

from keras_tl.learner.facade import Learner

__all__ = ["Learner"]

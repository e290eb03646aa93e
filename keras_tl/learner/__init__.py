"""`Learner` is the facade; a module for each thing that a learner does; `figures`."""

from keras_tl.learner.facade import Learner

__all__ = ["Learner"]

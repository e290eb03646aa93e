"""Model selection of `Learner.fit`: choose the number of training steps and the weights to keep."""

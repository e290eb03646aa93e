"""Model selection of `Learner.fit`: the length of training and the weights to keep."""

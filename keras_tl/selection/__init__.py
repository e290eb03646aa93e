"""What `Learner.fit` decides: how long to train, and which weights to keep."""

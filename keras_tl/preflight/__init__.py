"""Preflight checks (`Learner.check`): find faults of data and model in seconds, before training."""

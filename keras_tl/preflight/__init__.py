"""What is looked at before training: seconds of checks that save hours; `Learner.check`."""

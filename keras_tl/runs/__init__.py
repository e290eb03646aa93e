"""Saved runs: files, records of training phases, and earlier trainings of the weights."""

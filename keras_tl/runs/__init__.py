"""Saved runs: their files, the records of their phases, and earlier trainings of their weights."""

"""Saved runs: their files, the records of their phases, and what their weights were trained on."""

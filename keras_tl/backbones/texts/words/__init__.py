"""Whole words as tokens, marked as fastai marks them, for language models."""

"""Whole words as tokens of language models, with fastai's marks."""

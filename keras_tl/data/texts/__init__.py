"""Texts: sources, checks, tokens, tf.data pipelines."""

"""Comparisons: backbones with each other before training, transfer with training from scratch."""

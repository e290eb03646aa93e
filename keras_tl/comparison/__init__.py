"""Experiments that compare transfer learning with training from scratch, and their verdicts."""

"""Evaluation: metrics, plots, the HTML report."""

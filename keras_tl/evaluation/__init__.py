"""Evaluation: metrics, intervals, calibration, thresholds, slices, plots, the HTML report."""

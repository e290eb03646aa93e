"""Evaluation: metrics, intervals, calibration, thresholds, slices, Grad-CAM, plots."""

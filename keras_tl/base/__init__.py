"""Modules that every other package may use: configuration, files, progress, predictions."""

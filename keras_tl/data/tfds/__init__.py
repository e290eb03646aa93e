"""Data sets of TensorFlow Datasets (https://www.tensorflow.org/datasets)."""

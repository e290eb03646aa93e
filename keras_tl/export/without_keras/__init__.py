"""Modules that verify an export in a process without Keras.

These modules may import only TensorFlow, numpy and protobuf, and each other by relative imports. In
the process without Keras, these modules form the package `without_keras`, see `__main__.py`.
"""

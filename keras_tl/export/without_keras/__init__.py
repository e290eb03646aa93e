"""Modules that verify an export in the process without Keras.

They may import only TensorFlow, numpy, protobuf, and each other by relative imports. In that
process, they form the package `without_keras`, see `__main__.py`.
"""

"""Modules that verify an export in a process without Keras.

Modules of this folder may import only TensorFlow, numpy and protobuf, and each other by relative
imports. The verification process imports this folder as the top-level package `without_keras`, see
`__main__.py`.
"""

"""What looks into an export in the process without Keras.

TensorFlow, numpy and protobuf are all that these modules may import, and each other by relative
imports: in that process they are the package `without_keras`, see `__main__.py`.
"""

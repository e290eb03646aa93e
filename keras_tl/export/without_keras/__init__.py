"""What looks into an export in the process without Keras.

TensorFlow, numpy and protobuf are all that these modules may import. There they are found as
`without_keras`, beside `examples` and `serving_messages`: see `keras_tl/export/replay.py`.
"""

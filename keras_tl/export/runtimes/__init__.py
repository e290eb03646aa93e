"""Exports for other runtimes than TensorFlow's: LiteRT and ONNX, by their official converters."""

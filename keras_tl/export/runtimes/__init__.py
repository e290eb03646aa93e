"""Exports for LiteRT and ONNX, with the official converters."""

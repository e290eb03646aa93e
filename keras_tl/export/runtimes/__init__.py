"""Export models to LiteRT and ONNX files with the official converters."""

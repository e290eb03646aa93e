"""Convert texts to tokens of AWD-LSTM language models: words, and marks such as `xxbos`."""

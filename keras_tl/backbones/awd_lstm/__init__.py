"""AWD-LSTM language models (Merity, Keskar and Socher, 2017, arXiv:1708.02182)."""

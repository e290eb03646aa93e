"""AWD-LSTM (Merity, Keskar and Socher, 2017, arXiv:1708.02182): networks, and folders of them."""

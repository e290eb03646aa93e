"""Convert texts to the tokens of language models: whole words and fastai's marks."""

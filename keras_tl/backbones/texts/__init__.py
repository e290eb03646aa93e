"""Text preprocessors: from strings to the tokens that an encoder takes."""

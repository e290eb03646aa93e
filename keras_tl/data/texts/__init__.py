"""Package for texts: data sources, checks, tokens and tf.data pipelines."""

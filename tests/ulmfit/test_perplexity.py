"""The metric: of tokens, however they are batched."""

import numpy as np
import pytest

from keras_tl.ulmfit.metrics import Perplexity

RNG = np.random.default_rng(0)


def test_perplexity_counts_tokens_not_batches():
    metric = Perplexity()
    assert float(metric.result()) == 1.0
    total = count = 0.0
    for length in (5, 2):
        logits = RNG.normal(size=(2, length, 7)).astype(np.float32)
        tokens = RNG.integers(0, 7, (2, length))
        metric.update_state(tokens, logits)
        shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        total -= np.log(np.take_along_axis(shares, tokens[..., None], -1)).sum()
        count += tokens.size
    assert float(metric.result()) == pytest.approx(np.exp(total / count), rel=1e-5)
    metric.reset_state()
    metric.update_state(tokens, logits, sample_weight=np.zeros_like(tokens))
    assert float(metric.result()) == 1.0

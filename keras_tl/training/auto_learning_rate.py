"""Compute a learning rate for fine-tuning from the size of a network's weights."""

import statistics

import keras
import numpy as np

# Fraction by which a typical weight changes in one step at the peak learning rate, see
# docs/explanation/fit.md. One step of Adam changes a weight by about the learning rate.
RELATIVE_STEP = 0.01
LOWEST, HIGHEST = 1e-5, 1e-3


def auto_learning_rate(network: keras.Model) -> float:
    """Return a peak learning rate for fine-tuning a network with Adam.

    A kernel is a weight with two or more axes. The function computes the root mean square of each
    kernel. The result is 1/100 of the kernels' median root mean square, rounded to two digits and
    limited to [1e-5, 1e-3]. For a network without kernels, the result is 1e-5. LARS (You, Gitman
    and Ginsburg, 2017, arXiv:1708.03888, eq. 6) and Adafactor (Shazeer and Stern, 2018,
    arXiv:1804.04235, sec. 8) scale the steps of each layer by the layer's weights. keras_tl uses
    the same learning rate for all layers.
    """
    kernels = [weight.numpy() for weight in network.weights if len(weight.shape) > 1]
    sizes = [float(np.sqrt(np.mean(np.square(kernel, dtype=np.float64)))) for kernel in kernels]
    rate = RELATIVE_STEP * statistics.median(sizes) if sizes else LOWEST
    return float(f"{min(max(rate, LOWEST), HIGHEST):.1e}")

"""The learning rate that follows from the size of a network's weights."""

import statistics

import keras
import numpy as np

# Adam changes a weight by about the learning rate in a step, so this is the relative change of a
# typical weight in a step at the peak (docs/fit.md).
RELATIVE_STEP = 0.01
LOWEST, HIGHEST = 1e-5, 1e-3


def relative_rate(network: keras.Model) -> float:
    """Return a peak learning rate for fine-tuning a network with Adam.

    One hundredth of the median, over the kernels, of the root mean square of a kernel's weights,
    from 1e-5 to 1e-3, to two digits. Steps relative to the weights are those of LARS (You, Gitman
    and Ginsburg, 2017, arXiv:1708.03888, eq. 6) and of Adafactor (Shazeer and Stern, 2018,
    arXiv:1804.04235, sec. 8), here with one rate for the whole network.

    Args:
        network: pretrained; at least one of its weights has two axes or more.
    """
    kernels = [weight.numpy() for weight in network.weights if len(weight.shape) > 1]
    sizes = [float(np.sqrt(np.mean(np.square(kernel, dtype=np.float64)))) for kernel in kernels]
    rate = RELATIVE_STEP * statistics.median(sizes) if sizes else LOWEST
    return float(f"{min(max(rate, LOWEST), HIGHEST):.1e}")

"""A small network, and two halves of scikit-learn's digits: for pretraining and for comparisons."""

from typing import Any

SIZE = 16


def small_network(seed: int):
    """Return an untrained network: three blocks of convolution, BatchNorm, ReLU and pooling."""
    import keras

    from keras_tl.backbones.loading import seeded

    with seeded(seed):
        x = inputs = keras.Input((SIZE, SIZE, 3))
        for number, width in enumerate((16, 32, 64), 1):
            x = keras.layers.Conv2D(width, 3, padding="same", name=f"conv{number}")(x)
            x = keras.layers.BatchNormalization(name=f"norm{number}")(x)
            x = keras.layers.ReLU(name=f"relu{number}")(x)
            x = keras.layers.MaxPooling2D(name=f"pool{number}")(x)
        return keras.Model(inputs, x, name="small")


def digits() -> tuple[Any, Any]:
    """Return both halves of the digits. Only the second half has a test split."""
    import keras_tl as ktl

    whole = ktl.ImageData.digits(image_size=SIZE, validation_split=0, test_split=0.5)
    first, second = whole.split("train"), whole.split("test")

    def data(split, test_split):
        return ktl.ImageData.from_arrays(
            split.images,
            split.labels,
            class_names=whole.class_names,
            image_size=SIZE,
            validation_split=0,
            test_split=test_split,
        )

    return data(first, 0), data(second, 0.4)


def pretrained(on: Any):
    """Return the small network, pretrained on the first half of the digits."""
    import keras_tl as ktl

    network = small_network(0)
    # Use a different seed: features fit the initial weights of the head with which they were
    # trained.
    learner = ktl.Learner(network, on, preprocess="tf", seed=100, verbose=False)
    learner.fine_tune(30, policy="scratch", augment=False)
    return network

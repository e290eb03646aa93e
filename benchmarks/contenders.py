"""Training methods (contenders) that `head_training.py` compares, each in a new process.

All methods get the same folder of images, image size, float32 weights and seed. They return the
accuracy on the test folder and the numbers of images. Only `ours` imports keras_tl: the other
methods load the backbone from a `.keras` file with standard Keras layers.
"""

from pathlib import Path
from typing import Any

BATCH_SIZE = 64


def save_backbone(name: str, image_size: int, path: str) -> dict[str, Any]:
    """Write the network, from pixels in [0, 255] to feature maps, to a `.keras` file."""
    # Import the packages of all contenders here, so that the first contender does not wait for the
    # disk.
    import sklearn.linear_model  # noqa: F401

    import keras_tl as ktl
    import keras_tl.learner

    ktl.backbones.load(name, weights="imagenet", image_size=image_size).save(path)
    return {}


def ours(
    data: str, backbone: str, image_size: int, epochs: int, seed: int, cache: str
) -> dict[str, Any]:
    """Train with keras_tl's defaults and an empty feature cache."""
    import keras_tl as ktl

    images = ktl.ImageData.from_folder(data, image_size=image_size, validation_split=0, seed=seed)
    learner = ktl.Learner(backbone, images, precision="float32", seed=seed, verbose=False)
    learner.fit_head(epochs, cache=ktl.CacheConfig(folder=cache))
    accuracy = learner.evaluate()["accuracy"]
    return {"accuracy": accuracy, "images": [len(images.split(s)) for s in ("train", "test")]}


def guide(
    data: str, backbone: str, image_size: int, epochs: int, seed: int, validate: bool
) -> dict[str, Any]:
    """Train as the Keras guide does: the frozen backbone runs in every epoch.

    Args:
        data: Folder with the images in train/ and test/.
        backbone: The `.keras` file of the backbone.
        image_size: Side of the input images in pixels.
        epochs: Number of epochs.
        seed: Random seed of Keras and of the shuffling.
        validate: Whether to test after every epoch, as the guide does. If false, test only at the
            end.
    """
    import keras

    keras.utils.set_random_seed(seed)
    train = _images(data, "train", image_size, shuffle=True, seed=seed)
    test = _images(data, "test", image_size)
    network = keras.saving.load_model(backbone, compile=False)
    network.trainable = False
    pixels = keras.Input(network.input_shape[1:])
    pooled = keras.layers.GlobalAveragePooling2D()(network(pixels, training=False))
    logits = keras.layers.Dense(len(train.class_names))(keras.layers.Dropout(0.2)(pooled))
    model = keras.Model(pixels, logits)
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    fitted = model.fit(train, epochs=epochs, validation_data=test if validate else None, verbose=0)
    if validate:
        accuracy = fitted.history["val_accuracy"][-1]
    else:
        accuracy = model.evaluate(test, verbose=0, return_dict=True)["accuracy"]
    return {"accuracy": float(accuracy), "images": [len(train.file_paths), len(test.file_paths)]}


def logistic(data: str, backbone: str, image_size: int, seed: int) -> dict[str, Any]:
    """Compute pooled features once with `predict`, then fit a regression until it converges."""
    import warnings

    import keras
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    network = keras.saving.load_model(backbone, compile=False)
    extractor = keras.Sequential([network, keras.layers.GlobalAveragePooling2D()])
    splits = [_images(data, name, image_size) for name in ("train", "test")]
    features = [extractor.predict(split, verbose=0) for split in splits]
    # Read the labels from the folder names: a pass over the datasets would decode every image
    # again.
    labels = [[Path(path).parent.name for path in split.file_paths] for split in splits]
    classifier = LogisticRegression(max_iter=10_000, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        classifier.fit(features[0], labels[0])
    return {
        "accuracy": float(classifier.score(features[1], labels[1])),
        "images": [len(rows) for rows in features],
    }


def _images(data: str, split: str, image_size: int, shuffle: bool = False, seed: int | None = None):
    import keras

    return keras.utils.image_dataset_from_directory(
        Path(data, split),
        image_size=(image_size, image_size),
        interpolation="bicubic",
        batch_size=BATCH_SIZE,
        shuffle=shuffle,
        seed=seed,
        verbose=False,
    )

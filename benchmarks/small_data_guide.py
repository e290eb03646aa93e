"""Training as in the Keras transfer-learning guide, on the items of `small_data.py`.

The model has the frozen backbone, pooling, dropout and a Dense layer. Adam trains this model for 20
epochs at 1e-3, and the backbone runs in each epoch. Then the backbone is unfrozen, and 10 epochs of
Adam at 1e-5 follow. Batches have 64 items. There is no augmentation and no validation. For texts,
the backbone is KerasHub's encoder. Texts are padded to one length, and the mean of the token
outputs replaces pooling.
"""

import time
from typing import Any

import numpy as np

HEAD_EPOCHS, FINE_TUNE_EPOCHS = 20, 10
BATCH_SIZE = 64


def run(course: Any, rows: np.ndarray, seed: int) -> tuple[np.ndarray, float]:
    """Train on some items of the pool. Predict the test split.

    Args:
        course: A `small_data_contenders.Course`.
        rows: Indices of the training items.
        seed: Random seed of Keras.

    Returns:
        Probabilities for the test split (n, classes), and the seconds of reading inputs and
        training.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    inputs_of, backbone, features = _text(course) if _is_text(course) else _image(course)
    hidden = keras.layers.Dropout(0.2)(features)
    logits = keras.layers.Dense(len(course.division.class_names))(hidden)
    model = keras.Model(backbone.input, logits)
    began = time.perf_counter()
    numbers = course.division.numbers(rows)
    train = tf.data.Dataset.from_tensor_slices((inputs_of(course.division.take(rows)), numbers))
    train = train.shuffle(len(rows), seed=seed).batch(BATCH_SIZE).prefetch(tf.data.AUTOTUNE)
    for is_frozen, rate, epochs in ((True, 1e-3, HEAD_EPOCHS), (False, 1e-5, FINE_TUNE_EPOCHS)):
        backbone.trainable = not is_frozen
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(rate), loss)
        model.fit(train, epochs=epochs, verbose=0)
    seconds = time.perf_counter() - began
    found = model.predict(inputs_of(course.test_values), batch_size=BATCH_SIZE, verbose=0)
    return keras.ops.convert_to_numpy(keras.ops.softmax(found)), seconds


def _is_text(course: Any) -> bool:
    return course.data_set.kind == "text"


def _image(course: Any) -> tuple[Any, Any, Any]:
    import keras

    import keras_tl as ktl

    size = course.data_set.size
    backbone = ktl.backbones.load(course.backbone, weights="imagenet", image_size=size)
    maps = backbone(backbone.input, training=False)
    features = keras.layers.GlobalAveragePooling2D()(maps)
    return lambda values: _pixels(values, size), backbone, features


def _pixels(values: Any, size: int) -> np.ndarray:
    """Convert paths, or grey pixels (n, height, width), to float32 (n, size, size, 3)."""
    import tensorflow as tf

    def square(value: Any) -> np.ndarray:
        if isinstance(value, str):
            pixels = tf.io.decode_image(tf.io.read_file(value), 3, expand_animations=False)
        else:
            pixels = tf.repeat(value[..., None], 3, axis=-1)
        return tf.image.resize(pixels, (size, size), "bicubic").numpy()

    return np.clip([square(value) for value in values], 0, 255).astype(np.float32)


def _text(course: Any) -> tuple[Any, Any, Any]:
    import keras
    import keras_hub

    preset = course.backbone.removeprefix("kerashub:")
    backbone = keras_hub.models.BertBackbone.from_preset(preset)
    preprocessor = keras_hub.models.TextClassifierPreprocessor.from_preset(
        preset, sequence_length=course.data_set.size
    )
    tokens = backbone(backbone.input, training=False)["sequence_output"]
    mask = backbone.input["padding_mask"]
    features = keras.layers.GlobalAveragePooling1D()(tokens, mask=mask)
    return lambda values: preprocessor(list(values)), backbone, features

"""Tiny SavedModels with the signatures of an export, made for tests of what asks servers.

Their answers are simple enough to be said without them: the logits of an image are the sums of its
channels' mean colours up to each class, those of a text its lengths.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf

COLOURS = ("red", "green", "blue")
_METHODS = {"classify": "tensorflow/serving/classify", "regress": "tensorflow/serving/regress"}
_SIGNATURES = tf.compat.v1.saved_model.signature_def_utils


def save_image_model(
    base: Path, task: str = "multiclass", classes=COLOURS, version: int = 1, standard: bool = True
):
    """One that sees the mean colour of PNG files.

    Args:
        base: the folder of the versions.
        task: `"multiclass"`, `"multilabel"` or `"regression"`.
        classes: three names.
        version: its number.
        standard: whether it has `classify` or `regress`.
    """

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")], autograph=False
    )
    def serving_default(image_bytes):
        colours, valid = _mean_colours(image_bytes)
        return _marked(_answers(task, colours, classes), valid)

    @tf.function(
        input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32, name="pixels")],
        autograph=False,
    )
    def pixels(pixels):
        return _answers(task, tf.reduce_mean(pixels, (1, 2)), classes)

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")], autograph=False
    )
    def embed(image_bytes):
        colours, valid = _mean_colours(image_bytes)
        return _marked({"features": colours}, valid)

    functions = {"serving_default": serving_default, "pixels": pixels, "embed": embed}
    _save(base, version, functions, ("image_bytes",), task, classes, standard)


def save_pair_model(base: Path, classes=("short", "long", "longer")):
    """One that sees the lengths in bytes of two texts: length, length of the pair, their sum."""

    def lengths(text, text_pair):
        found = tf.strings.length([text, text_pair])
        return tf.cast(tf.stack([found[0], found[1], found[0] + found[1]], 1), tf.float32)

    specs = [tf.TensorSpec([None], tf.string, name=name) for name in ("text", "text_pair")]

    @tf.function(input_signature=specs, autograph=False)
    def serving_default(text, text_pair):
        return _answers("multiclass", lengths(text, text_pair), classes)

    @tf.function(input_signature=specs, autograph=False)
    def embed(text, text_pair):
        return {"features": lengths(text, text_pair)}

    functions = {"serving_default": serving_default, "embed": embed}
    _save(base, 1, functions, ("text", "text_pair"), "multiclass", classes)


def save_text_model(base: Path, classes=("short", "long")):
    """One that sees the length in bytes of a text; an empty one, or not UTF-8, is not valid."""

    def seen(text):
        whole = tf.strings.unicode_transcode(text, "UTF-8", "UTF-8")
        length = tf.cast(tf.strings.length(text), tf.float32)
        return tf.stack([length, 2 * length], 1), (text == whole) & (text != "")

    spec = tf.TensorSpec([None], tf.string, name="text")

    @tf.function(input_signature=[spec], autograph=False)
    def serving_default(text):
        logits, valid = seen(text)
        return _marked(_answers("multiclass", logits, classes), valid)

    @tf.function(input_signature=[spec], autograph=False)
    def embed(text):
        logits, valid = seen(text)
        return _marked({"features": logits}, valid)

    functions = {"serving_default": serving_default, "embed": embed}
    _save(base, 1, functions, ("text",), "multiclass", classes)


def expected(logits, task: str = "multiclass") -> np.ndarray:
    """What is answered for logits (n, 3): probabilities (n, 3) or values (n,)."""
    logits = np.asarray(logits, np.float64)
    if task == "regression":
        return logits[:, 0]
    if task == "multilabel":
        return 1 / (1 + np.exp(-(logits - 128) / 64))
    powers = np.exp((logits - logits.max(axis=1, keepdims=True)) / 64)
    return powers / powers.sum(axis=1, keepdims=True)


def _answers(task: str, logits, classes) -> dict[str, tf.Tensor]:
    if task == "regression":
        return {"value": logits[:, 0]}
    if task == "multilabel":
        probabilities = tf.sigmoid((logits - 128) / 64)
        return {"probabilities": probabilities, "labels_mask": probabilities > 0.5}
    best = tf.argmax(logits, axis=1)
    labels = tf.gather(tf.constant(classes), best)
    return {"probabilities": tf.nn.softmax(logits / 64), "class_id": best, "label": labels}


def _mean_colours(contents):
    def read(content):
        is_png = tf.equal(tf.strings.substr(content + 4 * " ", 0, 4), b"\x89PNG")
        nothing = tf.zeros(3)
        colour = tf.cond(is_png, lambda: _mean_colour(content), lambda: nothing)
        return colour, is_png

    return tf.map_fn(read, contents, fn_output_signature=(tf.float32, tf.bool))


def _mean_colour(content):
    return tf.reduce_mean(tf.cast(tf.io.decode_png(content, 3), tf.float32), (0, 1))


def _marked(answers, valid) -> dict[str, tf.Tensor]:
    nothing = {tf.float32: 0.0, tf.int64: -1, tf.string: "", tf.bool: False}
    return {
        name: tf.where(
            valid[:, None] if values.shape.rank == 2 else valid, values, nothing[values.dtype]
        )
        for name, values in answers.items()
    } | {"valid": valid}


def _save(base: Path, version: int, functions, inputs, task: str, classes, standard=True) -> None:
    name = "regress" if task == "regression" else "classify"
    features = {name: tf.io.FixedLenFeature((), tf.string, "") for name in inputs}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")], autograph=False)
    def of_examples(inputs):
        answers = functions["serving_default"](**tf.io.parse_example(inputs, features))
        if task == "regression":
            return {"outputs": answers["value"]}
        scores = answers["probabilities"]
        names = tf.tile(tf.constant([classes]), [tf.shape(scores)[0], 1])
        return {"classes": names, "scores": scores}

    folder = str(base / str(version))
    if not standard:
        tf.saved_model.save(tf.Module(), folder, functions)
        return
    tf.saved_model.save(tf.Module(), folder, functions | {name: of_examples})
    updater = _SIGNATURES.MethodNameUpdater(folder)
    updater.replace_method_name(name, _METHODS[name], "serve")
    updater.save()

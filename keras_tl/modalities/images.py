"""Images: files' bytes or pixels in, pixels of one size for the model."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_tl.data.decoding import load_image, resize
from keras_tl.data.inputs import Inputs, read_inputs
from keras_tl.data.pipeline import ImagePipeline
from keras_tl.data.sources import ImageSplit
from keras_tl.modalities.base import Answer, Modality

_MADE_UP = 4


@dataclasses.dataclass(frozen=True)
class Images(Modality):
    """Images at the size of a model.

    Attributes:
        image_size: (height, width) in pixels.
        resize: how images get to that size, see `keras_tl.data.decoding.resize`.
    """

    image_size: tuple[int, int]
    resize: str

    item = "image"
    preprocessor = None

    @property
    def about(self) -> str:
        """The size."""
        return f"{self.image_size[0]} x {self.image_size[1]}"

    @property
    def cache_key(self) -> dict[str, Any]:
        """Size and way of resizing."""
        return {"image_size": self.image_size, "resize": self.resize}

    def inputs(self) -> keras.KerasTensor:
        """float32 (batch, height, width, 3) pixels in [0, 255]."""
        return keras.Input((*self.image_size, 3), name="pixels", dtype="float32")

    def pipeline(self, whole_batches: bool) -> ImagePipeline:
        """Decodes and resizes."""
        return ImagePipeline(self.image_size, self.resize, whole_batches)

    def read(self, items: Any) -> Inputs:
        """Paths, bytes, arrays or a folder; see `keras_tl.data.inputs.read_inputs`."""
        return read_inputs(items)

    def as_split(self, items: Inputs) -> ImageSplit:
        """Bytes are decoded, files are not."""
        return items.as_split(self.image_size, self.resize)

    def questions(self, items: Inputs, size: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Files' bytes for `serving_default`, arrays for `pixels`."""
        for batch in items.batches(size):
            if isinstance(batch, list):
                yield "serving_default", {"image_bytes": batch}
            else:
                yield "pixels", {"pixels": batch}

    def signatures(self, answer: Answer) -> dict[str, Any]:
        """`serving_default` and `pixels`.

        * `serving_default` takes `image_bytes`: string (batch,), JPEG, PNG, BMP, GIF or WebP files.
        * `pixels` takes `pixels`: float32 (batch, any height, any width, 3), RGB in [0, 255].
        """
        size, how = self.image_size, self.resize

        @tf.function(
            input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")],
            autograph=False,
        )
        def serving_default(image_bytes):
            pixels = tf.map_fn(
                lambda content: load_image(content, size, how),
                image_bytes,
                fn_output_signature=tf.TensorSpec((*size, 3), tf.float32),
            )
            return answer(pixels)

        @tf.function(
            input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32, name="pixels")],
            autograph=False,
        )
        def from_pixels(pixels):
            return answer(resize(pixels, size, how))

        return {"serving_default": serving_default, "pixels": from_pixels}

    def pictures(self, split: ImageSplit) -> np.ndarray:
        """The pixels that the model sees."""
        return self.pipeline(whole_batches=False).pixels(split)

    def made_up(self) -> dict[str, np.ndarray]:
        """Smooth noise, as PNG and JPEG files and as pixels."""
        coarse = np.random.default_rng(0).uniform(0, 255, (_MADE_UP, 5, 6, 3))
        pixels = tf.round(tf.image.resize(coarse, (25, 34), tf.image.ResizeMethod.BILINEAR))
        encoders = (tf.io.encode_png, tf.io.encode_jpeg)
        files = [
            encoders[number % 2](image).numpy()
            for number, image in enumerate(tf.cast(pixels, tf.uint8))
        ]
        return {"image_bytes": np.array(files, object), "pixels": pixels.numpy()}

"""The image modality: convert image files or pixels to pixels of one size for the model."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_tl.backbones import local_weights
from keras_tl.base.config import ModelConfig
from keras_tl.data.image_data import ImageData
from keras_tl.data.images.batch_decoding import load_images
from keras_tl.data.images.decoder import DECODER, resize
from keras_tl.data.images.image_inputs import ImageItems, read_inputs
from keras_tl.data.images.image_pipeline import ImagePipeline, read_image
from keras_tl.data.images.image_split import ImageSplit
from keras_tl.data.images.value_range import ALL_VALUES, ValueRange
from keras_tl.data.tables.item_columns import ItemColumns
from keras_tl.models.modality import Modality, Numbers, Specs

_EXAMPLES = 4


@dataclasses.dataclass(frozen=True)
class ImageModality(Modality):
    """Images as inputs of one model.

    Attributes:
        image_size: (height, width) of the model's inputs in pixels.
        resize: Method of resizing, see `keras_tl.data.images.decoder.resize`.
        value_range: Values of black and white in 16-bit PNG files. `None` stands for (0, 65535).
    """

    image_size: tuple[int, int]
    resize: str
    value_range: ValueRange = None

    item = "image"
    data_type = ImageData
    can_augment = True
    are_pictures = True
    can_preprocess = False
    backbones_to_compare = ("efficientnet_lite0", "efficientnet_v2_b0", "convnext_tiny")
    file_suffixes = None
    group_examples = "camera, place"
    unusable = (
        "For an image that cannot be decoded, the export returns `valid` false and zeros. Check "
        "`valid` before you use a prediction. A damaged JPEG can decode without an error."
    )
    preprocessor = None

    @classmethod
    def of(cls, config: ModelConfig, network: keras.Model, preprocessor: None) -> "ImageModality":
        """Create the modality from `config`. `network` and `preprocessor` are unused."""
        return cls(config.image_size, config.resize, config.value_range)

    @classmethod
    def source_options(cls, data: ImageData) -> dict[str, Any]:
        """Return the image size of the data."""
        return {"image_size": data.image_size}

    @classmethod
    def backbones_without_download(cls) -> tuple[str, ...]:
        """See `keras_tl.backbones.local_weights.backbones_without_download`."""
        return local_weights.backbones_without_download()

    @property
    def about(self) -> str:
        """The image size as text, such as "224 x 224"."""
        return f"{self.image_size[0]} x {self.image_size[1]}"

    @property
    def cache_key(self) -> dict[str, Any]:
        """Image size, method of resizing, value range, and version of the image decoder."""
        values = {} if self.value_range is None else {"value_range": self.value_range}
        return {"image_size": self.image_size, "resize": self.resize, "decoder": DECODER} | values

    def inputs(self) -> keras.KerasTensor:
        """Return the input for pixels, float32 (batch, height, width, 3) in [0, 255]."""
        return keras.Input((*self.image_size, 3), name="pixels", dtype="float32")

    def pipeline(self, whole_batches: bool) -> ImagePipeline:
        """Return a pipeline that decodes and resizes images."""
        return ImagePipeline(self.image_size, self.resize, whole_batches, self.value_range)

    def read(self, items: Any, settings: Mapping[str, Any], on_invalid: str) -> ImageItems:
        """See `keras_tl.data.images.image_inputs.read_inputs`."""
        return read_inputs(items, ItemColumns.of(self.item, settings=settings), on_invalid)

    def as_split(self, items: ImageItems) -> ImageSplit:
        """Return images as a split, with image bytes decoded, and files still as paths."""
        size, how = self.image_size, self.resize
        images = items.pixels if items.sources is None else items.sources
        if items.contents is not None:
            decoded = [
                read_image(content, items.name(number), size, how, self.value_range)
                for number, content in enumerate(items.contents)
            ]
            images = np.stack(decoded)
        elif isinstance(images, list):
            images = np.stack([resize(image, size, how).numpy() for image in images])
        return ImageSplit(images, np.zeros(len(images), np.int64))

    @property
    def raw(self) -> Specs:
        """The raw input `image_bytes`: contents of JPEG, PNG, BMP, GIF or WebP files."""
        return {"image_bytes": tf.TensorSpec([None], tf.string, name="image_bytes")}

    def read_raw(self, raw: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        """Decode and resize images. Bytes that are not an image become a black image."""
        return load_images(raw["image_bytes"], self.image_size, self.resize, self.value_range)

    @property
    def numbers(self) -> Numbers:
        """Signature `pixels`: RGB images of any size, in [0, 255], float32 (batch, h, w, 3)."""
        pixels = tf.TensorSpec([None, None, None, 3], tf.float32, name="pixels")
        return Numbers(
            name="pixels",
            inputs={"pixels": pixels},
            read=lambda given: resize(given["pixels"], self.image_size, self.resize),
        )

    def pictures(self, split: ImageSplit) -> np.ndarray:
        """Return the pixels that the model receives."""
        return self.pipeline(whole_batches=False).pixels(split)

    def example_inputs(self) -> dict[str, np.ndarray]:
        """Return smooth noise as PNG files, JPEG files and pixels, and bytes that are no image."""
        coarse = np.random.default_rng(0).uniform(0, 255, (_EXAMPLES, 5, 6, 3))
        pixels = tf.round(tf.image.resize(coarse, (25, 34), tf.image.ResizeMethod.BILINEAR))
        encoders = (tf.io.encode_png, tf.io.encode_jpeg)
        files = [
            encoders[number % 2](image).numpy()
            for number, image in enumerate(tf.cast(pixels, tf.uint8))
        ]
        if self.value_range is not None:
            values = tf.cast(pixels[0] / 255 * self.value_range[1], tf.uint16)
            files.append(tf.io.encode_png(values).numpy())
        return {"image_bytes": np.array([*files, b"no image"], object), "pixels": pixels.numpy()}

    def example_model_inputs(self) -> dict[str, np.ndarray]:
        """Return the pixels of the example inputs, resized."""
        return {"pixels": self.numbers.read(self.example_inputs()).numpy()}

    @property
    def preparation(self) -> dict[str, Any]:
        """Image size, method of resizing, and range of the pixel values, as JSON types."""
        return {
            "image_size": list(self.image_size),
            "resize": self.resize,
            "interpolation": "bicubic, antialiased",
            "channels": "RGB",
            "range": [0, 255],
            # Values of black and white in PNG files with 16 bits per value.
            "value_range": [*(self.value_range or ALL_VALUES)],
        }

"""Wrong options are said before anything is read, however long that would have taken."""

import pytest
import tensorflow as tf

from keras_tl import ImageData, TextData
from keras_tl.errors import ConfigError


def read_nothing():
    raise AssertionError("the data were read")
    yield


# Nothing can be read from any of these.
SOURCES = {
    "folder": lambda **options: ImageData.from_folder("absent", **options),
    "csv": lambda **options: ImageData.from_csv("absent.csv", **options),
    "dataframe": lambda **options: ImageData.from_dataframe(None, **options),
    "tfds": lambda **options: ImageData.from_tfds("absent", **options),
    "tfdata": lambda **options: ImageData.from_tfdata(
        tf.data.Dataset.from_generator(read_nothing, output_types=tf.float32), **options
    ),
    "arrays": lambda **options: ImageData.from_arrays(None, None, **options),
}

TEXT_SOURCES = {
    "folder": lambda **options: TextData.from_folder("absent", **options),
    "csv": lambda **options: TextData.from_csv("absent.csv", **options),
    "dataframe": lambda **options: TextData.from_dataframe(None, **options),
    "tfds": lambda **options: TextData.from_tfds("absent", **options),
    "arrays": lambda **options: TextData.from_arrays(None, None, **options),
}

ERRORS = [
    ({"image_size": 0}, r"image_size must be a whole number of at least 1\. Received: 0"),
    ({"image_size": 96.0}, r"image_size must be a whole number"),
    ({"image_size": "96"}, r"image_size must be a whole number.*'96'"),
    ({"image_size": (96, -1)}, r"image_size must be a whole number.*-1"),
    (
        {"image_size": (96, 96, 3)},
        r"image_size must be one number, or \(height, width\).*\(96, 96, 3\)",
    ),
    ({"resize": "zoom"}, r"Unknown resize 'zoom'.*'crop', 'pad', 'stretch'"),
    ({"resize": "strech"}, r"Unknown resize 'strech'. Did you mean 'stretch'"),
    ({"augmentation": "flip"}, r"Unknown augmentation 'flip'.*'no-flip'"),
    ({"augmentation": True}, r"Unknown augmentation True.*'standard', 'no-flip'"),
    ({"validation_split": 1}, r"validation_split must be a number from 0 to 0\.99"),
    ({"validation_split": -0.1}, r"validation_split must be .*-0\.1"),
    ({"test_split": "0.2"}, r"test_split must be a number.*'0\.2'"),
    ({"test_split": None}, r"test_split must be a number.*None"),
    ({"test_split": True}, r"test_split must be a number.*True"),
    ({"test_split": float("nan")}, r"test_split must be a number.*nan"),
    ({"max_bad": 1.5}, r"max_bad must be a number from 0 to 1\. Received: 1\.5"),
    ({"seed": -1}, r"seed must be a whole number of at least 0"),
]


@pytest.mark.parametrize(("options", "message"), ERRORS)
@pytest.mark.parametrize("source", SOURCES)
def test_a_wrong_option_is_explained_at_once(source, options, message):
    with pytest.raises(ConfigError, match=message):
        SOURCES[source](**options)


@pytest.mark.parametrize("source", SOURCES)
def test_an_unknown_option_is_named_at_once(source):
    with pytest.raises(TypeError, match="image_sise"):
        SOURCES[source](image_sise=96)


@pytest.mark.parametrize("source", ["arrays", "tfdata"])
def test_a_limit_of_unusable_files_is_not_for_other_images(source):
    with pytest.raises(ConfigError, match=r"max_bad=0\.1 works only for image files"):
        SOURCES[source](max_bad=0.1)
    # The command line passes the limit for every source.
    assert len(ImageData.digits(max_bad=1.0).splits) == 3
    with pytest.raises(ConfigError, match="max_bad must be a number from 0 to 1"):
        ImageData.digits(max_bad=2)


# Options that both have, and one of texts only.
TEXT_ERRORS = [
    *(
        case
        for case in ERRORS
        if {*case[0]} & {"validation_split", "test_split", "max_bad", "seed"}
    ),
    ({"sequence_length": 0}, r"sequence_length must be a whole number of at least 5.*0"),
    ({"sequence_length": 64.0}, r"sequence_length must be a whole number"),
    ({"sequence_length": "64"}, r"sequence_length must be a whole number.*'64'"),
]


@pytest.mark.parametrize(("options", "message"), TEXT_ERRORS)
@pytest.mark.parametrize("source", TEXT_SOURCES)
def test_a_wrong_option_of_texts_is_explained_at_once(source, options, message):
    with pytest.raises(ConfigError, match=message):
        TEXT_SOURCES[source](**options)


@pytest.mark.parametrize("source", TEXT_SOURCES)
def test_an_option_of_images_is_none_of_texts(source):
    with pytest.raises(TypeError, match="resize"):
        TEXT_SOURCES[source](resize="pad")

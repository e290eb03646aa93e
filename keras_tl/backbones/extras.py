"""Import the optional packages that some backbones need."""

from types import ModuleType

from keras_tl.base.extras import import_extra


def import_tensorflow_text() -> ModuleType:
    """Return tensorflow_text. The import registers its operations with TensorFlow.

    Raises:
        ConfigError: The package is not installed, or is not for the installed TensorFlow.
    """
    what = "tensorflow-text of the same version as TensorFlow"
    return import_extra("tensorflow_text", what, "text")


def import_keras_hub() -> ModuleType:
    """Return keras_hub. The import registers its classes with Keras.

    Raises:
        ConfigError: The package is not installed, or does not run with the installed Keras.
    """
    return import_extra("keras_hub", "KerasHub", "kerashub")

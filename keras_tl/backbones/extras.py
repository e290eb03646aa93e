"""Import the optional packages that some backbones need."""

from types import ModuleType

from keras_tl.base.extras import import_extra


def import_tensorflow_text() -> ModuleType:
    """Import and return tensorflow_text, which registers its operations with TensorFlow.

    Raises:
        ConfigError: tensorflow_text is not installed, or does not fit the installed TensorFlow.
    """
    what = "tensorflow-text of the same version as TensorFlow"
    return import_extra("tensorflow_text", what, "text")


def import_keras_hub() -> ModuleType:
    """Import and return keras_hub, which registers its classes with Keras.

    Raises:
        ConfigError: KerasHub is not installed, or does not run with the installed Keras.
    """
    return import_extra("keras_hub", "KerasHub", "kerashub")

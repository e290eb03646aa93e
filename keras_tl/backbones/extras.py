"""tensorflow_text is an extra: imported where it is needed, or missed with a clear sentence."""

from types import ModuleType

from keras_tl.errors import ConfigError


def import_tensorflow_text() -> ModuleType:
    """tensorflow_text; importing it registers its operations with TensorFlow.

    Raises:
        ConfigError: it is not installed, or is not for the installed TensorFlow.
    """
    try:
        import tensorflow_text
    except Exception as error:  # That of another version fails while it loads its libraries.
        raise ConfigError(
            "This needs tensorflow-text of the same version as TensorFlow: "
            f'pip install "keras_tl[text]". ({type(error).__name__}: {error})'
        ) from error
    return tensorflow_text

"""Load the SavedModel of a TF-Hub module, or explain why this fails."""

from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_tl.backbones.extras import import_tensorflow_text
from keras_tl.errors import BackboneError, quoted


def open_saved_model(path: Path) -> Any:
    """Load the SavedModel of a TF-Hub module.

    `open_saved_model` registers the operations of tensorflow_text if the SavedModel needs them.

    Raises:
        BackboneError: The SavedModel is missing, has the old TF1 Hub format, or cannot be loaded.
        ConfigError: The SavedModel needs tensorflow_text, which is not installed.
    """
    if (path / "tfhub_module.pb").is_file():
        raise BackboneError(
            f"The module in {quoted(str(path))} has the TF1 Hub format. Expected a TF2 "
            "SavedModel. Download a newer version of the module."
        )
    if not (path / "saved_model.pb").is_file():
        raise BackboneError(
            f"No TF-Hub module in {quoted(str(path))}: expected a saved_model.pb there."
        )
    try:
        try:
            return tf.saved_model.load(str(path))
        # For an unknown operation, the error's type depends on the operation's position in the
        # graph.
        except (OSError, RuntimeError, tf.errors.NotFoundError) as error:
            if "Op type not registered" not in str(error):
                raise
        import_tensorflow_text()
        return tf.saved_model.load(str(path))
    except (OSError, TypeError, KeyError, RuntimeError, tf.errors.OpError) as error:
        reason = str(error).splitlines()[0]
        raise BackboneError(
            f"The SavedModel in {quoted(str(path))} cannot be loaded: {reason}"
        ) from error


def resources_of(loaded: Any) -> list:
    """Return the lookup tables and asset files of a loaded SavedModel.

    An export contains only the objects that it tracks. Tracking the whole SavedModel would also
    export all functions of the SavedModel, including functions for training.
    """
    kinds = (tf.saved_model.experimental.TrackableResource, tf.saved_model.Asset)
    parts = tf.train.TrackableView(loaded).descendants()
    return [part for part in parts if isinstance(part, kinds)]

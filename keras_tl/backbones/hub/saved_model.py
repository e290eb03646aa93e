"""Loads the SavedModel of a module, or says in a sentence why not."""

from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_tl.backbones.extras import import_tensorflow_text
from keras_tl.errors import BackboneError, quoted


def open_saved_model(path: Path) -> Any:
    """Loads the SavedModel of a module.

    Operations of tensorflow_text are registered if it needs them.

    Raises:
        BackboneError: there is none, it is of the old TF1 Hub format, or it cannot be loaded.
        ConfigError: it needs tensorflow_text, which is not installed.
    """
    if (path / "tfhub_module.pb").is_file():
        raise BackboneError(
            f"The module in {quoted(str(path))} is of the TF1 Hub format. Expected a TF2 "
            "SavedModel: take a newer version of the module."
        )
    if not (path / "saved_model.pb").is_file():
        raise BackboneError(
            f"No TF-Hub module in {quoted(str(path))}: expected a saved_model.pb there."
        )
    try:
        try:
            return tf.saved_model.load(str(path))
        # Which of them it is depends on where in the graph the operation stands.
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
    """The lookup tables and asset files of a loaded SavedModel.

    What is exported must track them, or it lacks them. The loaded object itself would do too, but
    brings all of its functions along, those for training among them.
    """
    kinds = (tf.saved_model.experimental.TrackableResource, tf.saved_model.Asset)
    parts = tf.train.TrackableView(loaded).descendants()
    return [part for part in parts if isinstance(part, kinds)]

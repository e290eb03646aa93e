"""SavedModels: loaded with a clear sentence, and what their traces would change."""

from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_tl.backbones.texts.extra import import_tensorflow_text
from keras_tl.errors import BackboneError


def open_saved_model(path: Path) -> Any:
    """Loads the SavedModel of a module.

    Operations of tensorflow_text are registered if it needs them.

    Raises:
        BackboneError: there is none, it is of the old TF1 Hub format, or it cannot be loaded.
        ConfigError: it needs tensorflow_text, which is not installed.
    """
    if (path / "tfhub_module.pb").is_file():
        raise BackboneError(
            f"The module in {str(path)!r} is of the TF1 Hub format. Expected a TF2 SavedModel: "
            "take a newer version of the module."
        )
    if not (path / "saved_model.pb").is_file():
        raise BackboneError(f"No TF-Hub module in {str(path)!r}: expected a saved_model.pb there.")
    try:
        try:
            return tf.saved_model.load(str(path))
        except (OSError, tf.errors.NotFoundError) as error:
            if "Op type not registered" not in str(error):
                raise
        import_tensorflow_text()
        return tf.saved_model.load(str(path))
    except (OSError, TypeError, KeyError, tf.errors.OpError) as error:
        reason = str(error).splitlines()[0]
        raise BackboneError(
            f"The SavedModel in {str(path)!r} cannot be loaded: {reason}"
        ) from error


def assigns(trace) -> bool:
    """Whether a trace assigns variables, in its graph or in any function that it calls."""
    graph = trace.graph.as_graph_def()
    library = {function.signature.name: function for function in graph.library.function}
    waiting, seen = [graph.node], set()
    while waiting:
        for node in waiting.pop():
            # Such as AssignVariableOp, AssignAddVariableOp, ResourceScatterUpdate.
            if node.op.startswith(("Assign", "ResourceScatter")):
                return True
            # Functions are called by an attribute (PartitionedCall, If, While) or by name.
            called = {node.op} | {
                name
                for value in node.attr.values()
                for name in (value.func.name, *(function.name for function in value.list.func))
            }
            new = called & set(library) - seen
            seen |= new
            waiting += [library[name].node_def for name in new]
    return False

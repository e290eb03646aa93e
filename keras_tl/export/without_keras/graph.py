"""Read and load a SavedModel step by step, so that error messages name the exact defect."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from .errors import UnusableError, first_line

_TAG = "serve"


def read_meta_graph(folder: Path):
    """Return the `MetaGraphDef` that TensorFlow Serving loads, or raise `UnusableError`."""
    try:
        saved = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    except FileNotFoundError:
        raise UnusableError("saved_model.pb is missing") from None
    except DecodeError:
        raise UnusableError("saved_model.pb is damaged: it is not a SavedModel") from None
    for meta_graph in saved.meta_graphs:
        if set(meta_graph.meta_info_def.tags) == {_TAG}:
            return meta_graph
    tags = [sorted(meta_graph.meta_info_def.tags) for meta_graph in saved.meta_graphs]
    raise UnusableError(
        f"saved_model.pb has no graph tagged {_TAG!r}, which TensorFlow Serving needs. Tags of the "
        f"graphs: {tags}"
    )


def signatures_of(meta_graph) -> dict:
    """Return the `SignatureDef` of each signature by name, without TensorFlow's own signatures."""
    found = sorted(meta_graph.signature_def.items())
    return {name: signature for name, signature in found if not name.startswith("__")}


def missing_assets(folder: Path, meta_graph) -> list[str]:
    """Return a sentence for each missing file that the graph reads."""
    return [
        f"assets/{asset.filename} is missing, but the graph reads this file"
        for asset in meta_graph.asset_file_def
        if not (folder / "assets" / asset.filename).is_file()
    ]


def load(session, folder: Path) -> None:
    """Load graph, variables and tables with the TF1 loader, or raise `UnusableError`."""
    try:
        tf.compat.v1.saved_model.loader.load(session, [_TAG], str(folder))
    except Exception as error:
        damage = _damage_of_variables(folder / "variables" / "variables")
        raise UnusableError(
            damage or f"TensorFlow cannot load the export: {first_line(error)}"
        ) from None


def _damage_of_variables(prefix: Path) -> str | None:
    """Return a message if the variables are unreadable: the TF1 loader does not name this cause."""
    if not prefix.parent.is_dir():
        return None
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except Exception as error:
        return f"The files in variables/ are truncated or damaged: {first_line(error)}"
    return None


def ask(session, signature, arrays: dict[str, np.ndarray], outputs=None) -> dict[str, np.ndarray]:
    """Call a signature with `arrays`, a dict by input name. Return the signature's outputs by name.

    Raises:
        KeyError: The signature has no input or output with a given name.
    """
    # For a wrong name, a dict raises `KeyError`, but a protobuf map would create an entry.
    inputs, known = dict(signature.inputs), dict(signature.outputs)
    feeds = {inputs[name].name: array for name, array in arrays.items()}
    return session.run({name: known[name].name for name in outputs or known}, feeds)


def describe(signature) -> dict:
    """Return dtype and shape (-1: any size) of every input and output of a signature."""
    return {
        kind: {
            name: {
                "dtype": tf.dtypes.as_dtype(info.dtype).name,
                "shape": None
                if info.tensor_shape.unknown_rank
                else [d.size for d in info.tensor_shape.dim],
            }
            for name, info in sorted(getattr(signature, kind).items())
        }
        for kind in ("inputs", "outputs")
    }

"""Read the facts about an export from its files, without loading the model."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from keras_tl.errors import ExportError, quoted
from keras_tl.export.client_items import CLIENT_ITEMS
from keras_tl.export.verification import version_folder
from keras_tl.export.without_keras.graph import signatures_of
from keras_tl.export.without_keras.serving_messages import EXAMPLE_LOGS

_DEFAULT = "serving_default"
Tensors = dict[str, tuple[str, tuple[int, ...]]]


@dataclasses.dataclass(frozen=True)
class Exported:
    """Facts about one version of an export that keras_tl wrote.

    Attributes:
        base: Model folder, which holds the versions, as a path without symbolic links.
        version: Number of this version of the export, such as 3.
        others: Numbers of the other versions in the model folder, in ascending order.
        tensorflow: TensorFlow release that wrote the export, for example `"2.21.0"`.
        signatures: Inputs and outputs of each signature, by signature name. Inputs and outputs are
            dicts from tensor name to dtype and shape (-1: any size).
        item: Input names of `serving_default` in order: `image_bytes`, or `text`, or `text` and
            `text_pair`.
        standard: Name of the signature that takes `tf.Example`s: `"classify"` or `"regress"`.
        labels: Class names in the order of the model's outputs, or an empty tuple for a regression.
        size: Total size of the version's files in bytes.
    """

    base: Path
    version: int
    others: tuple[int, ...]
    tensorflow: str
    signatures: Mapping[str, tuple[Tensors, Tensors]]
    item: tuple[str, ...]
    standard: str
    labels: tuple[str, ...]
    size: int


def read_export(path: Path) -> Exported:
    """Read the facts about a version folder, or about the latest version in a model folder.

    Raises:
        ExportError: The path holds no export, a damaged export, or an export of another program.
    """
    folder = version_folder(path).resolve()
    if not folder.name.isdecimal():
        raise ExportError(
            "Expected the folder of a version, whose name is a number, such as "
            f"saved_models/photos/1. Received: {quoted(str(folder))}."
        )
    try:
        saved = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
        graph = saved.meta_graphs[0]
    except (DecodeError, IndexError):
        raise ExportError(
            f"{folder / 'saved_model.pb'} is damaged. Export the model again: "
            f"learner.export({quoted(str(folder.parent))})."
        ) from None
    signatures = {
        name: (_tensors(definition.inputs), _tensors(definition.outputs))
        for name, definition in signatures_of(graph).items()
    }
    taken = set(signatures[_DEFAULT][0]) if _DEFAULT in signatures else set()
    methods = set(EXAMPLE_LOGS.values())
    standard = [n for n in signatures if graph.signature_def[n].method_name in methods]
    item = next((names for names in CLIENT_ITEMS if set(names) == taken), None)
    if item is None or len(standard) != 1:
        raise ExportError(
            f"Expected an export of keras_tl: {_DEFAULT} takes image_bytes or text, and there is a "
            f"signature classify or regress. Signatures of {folder}: "
            f"{', '.join(signatures) or 'none'}. Export the model again: "
            f"learner.export({quoted(str(folder.parent))})."
        )
    labels = folder / "assets" / "labels.txt"
    return Exported(
        base=folder.parent,
        version=int(folder.name),
        others=tuple(
            sorted(
                int(other.name)
                for other in folder.parent.iterdir()
                if other.name.isdecimal() and other.is_dir() and other != folder
            )
        ),
        tensorflow=graph.meta_info_def.tensorflow_version,
        signatures=signatures,
        item=item,
        standard=standard[0],
        labels=tuple(labels.read_text("utf-8").split("\n")[:-1]) if labels.is_file() else (),
        size=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
    )


def _tensors(infos) -> Tensors:
    return {
        name: (
            tf.dtypes.as_dtype(info.dtype).name,
            tuple(dimension.size for dimension in info.tensor_shape.dim),
        )
        for name, info in sorted(infos.items())
    }

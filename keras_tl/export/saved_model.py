"""Write and verify a new version of a SavedModel. A failed export leaves no new files."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import tensorflow as tf

from keras_tl.base.files import whole_folder, write_checksums
from keras_tl.base.reporting import only_errors
from keras_tl.errors import ExportError
from keras_tl.export.serving import INPUTS, ServingModel
from keras_tl.export.verification import CHECKSUMS, Verification, verify
from keras_tl.export.warmup import write_warmup
from keras_tl.export.without_keras.examples import EXAMPLES, encode_array


def export_version(
    serving: ServingModel,
    example_inputs: Mapping[str, np.ndarray],
    labels: tuple[str, ...],
    base: Path,
    texts: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Path, Verification]:
    """Export to the next free version number below `base`, in the layout of TF Serving.

        base/1/saved_model.pb
        base/1/variables/
        base/1/MODEL_CARD.md, base/1/model.json       the contents of `texts`
        base/1/assets/labels.txt                      a class in each line, in the outputs' order
        base/1/assets.extra/keras_tl_examples.json    example inputs and the model's outputs
        base/1/assets.extra/keras_tl_checksums.json   SHA-256 of the files above
        base/1/assets.extra/tf_serving_warmup_requests    the example inputs as TF Serving requests

    The function verifies the version before the folder gets its final name: a process without Keras
    and keras_tl must reproduce the example outputs.

    Args:
        serving: Model to export.
        example_inputs: Example inputs of the signatures, by input name.
        labels: Class names in the order of the outputs. Without class names, there is no
            labels.txt.
        base: Model folder, which holds the numbered versions.
        texts: Content of each additional text file of the version, by file name.

    Returns:
        The folder of the version, and the result of its verification.

    Raises:
        ExportError: `base` is a file, or the verification found a problem. The export leaves no
            new files.
    """
    if base.exists() and not base.is_dir():
        raise ExportError(
            f"{base} is a file. Expected the folder that holds the versions, or a new path."
        )
    inputs = _inputs(serving, example_inputs)
    while True:
        version = base / str(_next_version(base))
        try:
            with whole_folder(version) as folder:
                _write(serving, inputs, labels, folder)
                for name, text in texts.items():
                    (folder / name).write_text(text, "utf-8")
                write_checksums(folder, CHECKSUMS)
                # The warm-up file gets no checksum: users may add requests to this file.
                write_warmup(folder, base.resolve().name, serving.methods, inputs)
                found = verify(folder, timings=False)
                if not found.ok:
                    raise ExportError(
                        "The export failed the verification and was not kept: "
                        + "; ".join(found.problems)
                    )
        except FileExistsError:
            continue  # Another process has just written this version: take the next number.
        return version, found


def _next_version(base: Path) -> int:
    return max((int(f.name) for f in base.glob("*") if f.name.isdecimal()), default=0) + 1


def _inputs(
    serving: ServingModel, example_inputs: Mapping[str, np.ndarray]
) -> dict[str, dict[str, np.ndarray]]:
    """Return the example inputs of every signature, by signature and input name."""
    by_name = {**example_inputs, INPUTS: serving.examples(example_inputs)}
    return {
        name: {key: by_name[key] for key in serving.inputs_of(name)} for name in serving.signatures
    }


def _write(
    serving: ServingModel,
    inputs: Mapping[str, Mapping[str, np.ndarray]],
    labels: tuple[str, ...],
    folder: Path,
) -> None:
    # A SavedModel keeps the file name of an asset, so the temporary file is named labels.txt.
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "labels.txt"
        file.write_text("".join(" ".join(label.split("\n")) + "\n" for label in labels), "utf-8")
        if labels:
            serving.labels_file = tf.saved_model.Asset(str(file))
        with only_errors("tensorflow"):  # TensorFlow would log the name of the temporary folder.
            tf.saved_model.save(serving, str(folder), signatures=serving.signatures)
        # TensorFlow gives every signature the method name "predict": correct classify and regress.
        updater = tf.compat.v1.saved_model.signature_def_utils.MethodNameUpdater(str(folder))
        for name, method in serving.methods.items():
            updater.replace_method_name(signature_key=name, method_name=method)
        updater.save()
    extra = folder / "assets.extra"
    extra.mkdir()
    examples = {
        name: {
            "inputs": {key: encode_array(value) for key, value in given.items()},
            "outputs": {
                key: encode_array(value.numpy()) for key, value in serving.ask(name, given).items()
            },
        }
        for name, given in inputs.items()
    }
    (extra / EXAMPLES).write_text(json.dumps(examples), "utf-8")

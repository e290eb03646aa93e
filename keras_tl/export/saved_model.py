"""Writes a version of a SavedModel: whole, verified, or not at all."""

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
    made_up: Mapping[str, np.ndarray],
    labels: tuple[str, ...],
    base: Path,
    texts: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Path, Verification]:
    """Exports to the next free version below `base`, in the layout of TF Serving.

        base/1/saved_model.pb
        base/1/variables/
        base/1/MODEL_CARD.md, base/1/model.json       what is given as `texts`
        base/1/assets/labels.txt                      one class a line, in the order of the outputs
        base/1/assets.extra/keras_tl_examples.json    made-up questions, and their answers
        base/1/assets.extra/keras_tl_checksums.json   SHA-256 of the files above
        base/1/assets.extra/tf_serving_warmup_requests    the questions, as TF Serving asks them

    The version is verified before it gets its name: a process that has only TensorFlow must
    answer the examples as the model does.

    Args:
        serving: what to export.
        made_up: some arguments of its signatures, by their names.
        labels: the classes' names; without any there is no labels.txt.
        base: the model's folder.
        texts: what stands beside the model, by the names of the files.

    Returns:
        The folder of the version, and what its verification found.

    Raises:
        ExportError: the export does not answer as the model does; nothing is left behind.
    """
    if base.exists() and not base.is_dir():
        raise ExportError(f"{base} is a file. Expected the folder that holds the versions.")
    while True:
        version = base / str(_next_version(base))
        try:
            with whole_folder(version) as folder:
                _write(serving, made_up, labels, folder)
                for name, text in texts.items():
                    (folder / name).write_text(text, "utf-8")
                write_checksums(folder, CHECKSUMS)
                # Not among them: users add requests of their own, and verifying asks them all.
                write_warmup(folder, base.resolve().name)
                found = verify(folder, timings=False)
                if not found.ok:
                    raise ExportError(
                        "The export does not answer as the model does and was not kept: "
                        + "; ".join(found.problems)
                    )
        except FileExistsError:
            continue  # Another process took this number in the meantime.
        return version, found


def _next_version(base: Path) -> int:
    return max((int(f.name) for f in base.glob("*") if f.name.isdecimal()), default=0) + 1


def _write(
    serving: ServingModel,
    made_up: Mapping[str, np.ndarray],
    labels: tuple[str, ...],
    folder: Path,
) -> None:
    # TensorFlow copies an asset under the name of its file.
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "labels.txt"
        file.write_text("".join(" ".join(label.split("\n")) + "\n" for label in labels), "utf-8")
        if labels:
            serving.labels_file = tf.saved_model.Asset(str(file))
        with only_errors("tensorflow"):  # It would tell the temporary folder.
            tf.saved_model.save(serving, str(folder), signatures=serving.signatures)
        # TensorFlow calls the method of every signature "predict".
        updater = tf.compat.v1.saved_model.signature_def_utils.MethodNameUpdater(str(folder))
        for name, method in serving.methods.items():
            updater.replace_method_name(signature_key=name, method_name=method)
        updater.save()
    extra = folder / "assets.extra"
    extra.mkdir()
    (extra / EXAMPLES).write_text(json.dumps(_examples(serving, made_up)), "utf-8")


def _examples(serving: ServingModel, made_up: Mapping[str, np.ndarray]) -> dict:
    """Made-up arguments of every signature, and the answers of the model in this process."""
    made_up = {**made_up, INPUTS: serving.examples(made_up)}
    examples = {}
    for name in serving.signatures:
        inputs = {key: made_up[key] for key in serving.inputs_of(name)}
        outputs = serving.ask(name, inputs)
        examples[name] = {
            "inputs": {key: encode_array(value) for key, value in inputs.items()},
            "outputs": {key: encode_array(value.numpy()) for key, value in outputs.items()},
        }
    return examples

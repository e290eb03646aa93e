"""The models of the server: versions, sessions, and what every protocol asks of them."""

import importlib.util
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

# TensorFlow imports Keras if it finds it; TF Serving has it not.
sys.modules["keras"] = None

import grpc  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

METHODS = "tensorflow/serving/"


class FailedError(Exception):
    """An answer that is an error.

    Attributes:
        code: its name among the codes of gRPC.
    """

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


class Version:
    """One version of a model: its session and its signatures, or why it could not be loaded."""

    def __init__(self, folder: Path):
        self.number = int(folder.name)
        self.error = ""
        self._session = tf.compat.v1.Session(graph=tf.Graph())
        try:
            loaded = _load(self._session, str(folder))
        except Exception as error:
            self.error = str(error)
        else:
            self.signatures = dict(loaded.signature_def)

    def run(self, signature, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The named outputs of one signature."""
        fetches = {name: info.name for name, info in signature.outputs.items()}
        try:
            return self._session.run(
                fetches, {signature.inputs[name].name: value for name, value in feeds.items()}
            )
        except tf.errors.OpError as error:
            raise FailedError(_code_name(error.error_code), error.message) from error
        except (TypeError, ValueError) as error:
            raise FailedError("INVALID_ARGUMENT", str(error)) from error


class Models:
    """All models of the server.

    Args:
        folders: base folders by name.
        labels: numbers of versions by label, the same for every model.
        all_versions: whether to load them all, not the newest alone.
    """

    def __init__(self, folders: Mapping[str, Path], labels: Mapping[str, int], all_versions: bool):
        self._labels = labels
        self._models = {}
        for name, folder in folders.items():
            found = [path for path in folder.iterdir() if path.name.isdecimal()]
            found.sort(key=lambda path: -int(path.name))
            self._models[name] = [Version(path) for path in found[: None if all_versions else 1]]

    def status(self, name: str, number: int | None = None) -> list[Version]:
        """All versions of a model, or the one."""
        versions = [v for v in self._models.get(name, ()) if number in (None, v.number)]
        if not versions:
            what = "any versions" if number is None else f"version {number}"
            raise FailedError("NOT_FOUND", f"Could not find {what} of model {name}")
        return versions

    def find(self, name: str, number: int | None = None, label: str | None = None) -> Version:
        """A version that is loaded."""
        if label:
            if label not in self._labels or name not in self._models:
                raise FailedError(
                    "INVALID_ARGUMENT", f"Unrecognized servable version label: {label}"
                )
            number = self._labels[label]
        for version in self._models.get(name, ()):
            if number in (None, version.number) and not version.error:
                return version
        asked = f"Latest({name})" if number is None else f"Specific({name}, {number})"
        raise FailedError("NOT_FOUND", f"Servable not found for request: {asked}")


def predict(version: Version, signature: str, feeds: Mapping[str, np.ndarray]):
    """The named outputs of any signature."""
    if signature not in version.signatures:
        raise FailedError("FAILED_PRECONDITION", f'Serving signature key "{signature}" not found.')
    found = version.signatures[signature]
    if set(feeds) != set(found.inputs):
        extra, missing = set(feeds) - set(found.inputs), set(found.inputs) - set(feeds)
        raise FailedError(
            "INVALID_ARGUMENT",
            f"input size does not match signature: {len(feeds)}!={len(found.inputs)}. Sent extra: "
            f"{{{','.join(extra)}}}. Missing but required: {{{','.join(missing)}}}.",
        )
    return version.run(found, feeds)


def classify(version: Version, signature: str, examples: Sequence[bytes]):
    """For each tf.Example the pairs of label and score."""
    outputs = _of_examples(version, signature, "classify", "classification", examples)
    if set(outputs) - {"classes", "scores"} or not outputs:
        raise FailedError("INVALID_ARGUMENT", "Expected one or two output Tensors")
    shape = next(iter(outputs.values())).shape
    classes = outputs.get("classes", np.full(shape, b"", object))
    scores = outputs.get("scores", np.zeros(shape, np.float32))
    if len(shape) != 2 or shape[0] != len(examples) or classes.shape != scores.shape:
        raise FailedError(
            "INVALID_ARGUMENT", f"Expected Tensor shape: [batch_size num_classes] but got {shape}"
        )
    if classes.dtype != object or scores.dtype != np.float32:
        raise FailedError("INVALID_ARGUMENT", "Expected classes of DT_STRING, scores of DT_FLOAT")
    return [
        [(label.decode(), float(score)) for label, score in zip(*row, strict=True)]
        for row in zip(classes, scores, strict=True)
    ]


def regress(version: Version, signature: str, examples: Sequence[bytes]) -> list[float]:
    """For each tf.Example the value."""
    values = _of_examples(version, signature, "regress", "regression", examples)["outputs"]
    if values.size != len(examples) or values.dtype != np.float32:
        raise FailedError(
            "INVALID_ARGUMENT", f"Expected {len(examples)} values of float, got {values.shape}"
        )
    return values.ravel().tolist()


def _of_examples(version: Version, signature: str, method: str, kind: str, examples):
    found = version.signatures.get(signature)
    if found is None:
        raise FailedError("INVALID_ARGUMENT", f"No signature was found with the name: {signature}")
    if found.method_name != METHODS + method:
        raise FailedError(
            "INVALID_ARGUMENT",
            f"Expected {kind} signature method_name to be {METHODS}{method}. Was: "
            f"{found.method_name}",
        )
    if set(found.inputs) != {"inputs"}:
        raise FailedError("INVALID_ARGUMENT", "Expected one input Tensor.")
    return version.run(found, {"inputs": np.array(examples, object)})


def _load(session: tf.compat.v1.Session, folder: str):
    load = tf.compat.v1.saved_model.loader.load
    try:
        return load(session, ["serve"], folder)
    except tf.errors.NotFoundError as error:
        if "Op type not registered" not in str(error):
            raise
    # TF Serving has the operations of tensorflow_text built in.
    for place in importlib.util.find_spec("tensorflow_text").submodule_search_locations:
        for library in sorted(Path(place).glob("python/ops/*.so")):
            tf.load_op_library(str(library))
    return load(session, ["serve"], folder)


def _code_name(number: int) -> str:
    return next(code.name for code in grpc.StatusCode if code.value[0] == number)

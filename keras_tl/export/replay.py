"""Asks an export its recorded examples, the way TF Serving would.

Run as a program of its own: `python replay.py FOLDER`. It loads the SavedModel by the TF1
loader into a session, with nothing but TensorFlow and numpy (Keras is barred) and, where the export
needs them, the operations of tensorflow_text. It prints one JSON line: the signatures, and for each
output the largest difference from what was recorded (relative where that is above 1).
"""

import importlib.util
import json
import sys
from pathlib import Path

# TensorFlow imports Keras if it finds it; TF Serving has neither it nor keras_tl.
sys.modules["keras"] = None

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))
from examples import EXAMPLES, decode_array  # noqa: E402


def main(folder: str) -> None:
    """Prints what was found."""
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        meta_graph = _load(session, folder)
        signatures = {
            name: definition
            for name, definition in meta_graph.signature_def.items()
            if not name.startswith("__")
        }
        found = {
            "signatures": {name: _describe(s) for name, s in signatures.items()},
            "differences": {},
        }
        recorded = Path(folder) / "assets.extra" / EXAMPLES
        if recorded.is_file():
            for name, example in json.loads(recorded.read_text("utf-8")).items():
                found["differences"][name] = _compare(session, signatures[name], example)
    strangers = {"keras", "keras_tl"} & {name for name in sys.modules if sys.modules[name]}
    if strangers:
        raise RuntimeError(f"The replay must not load {strangers}.")
    print(json.dumps(found))


def _load(session, folder: str):
    load = tf.compat.v1.saved_model.loader.load
    try:
        return load(session, ["serve"], folder)
    except tf.errors.NotFoundError as error:
        if "Op type not registered" not in str(error):
            raise
    _register_text_operations()
    return load(session, ["serve"], folder)


def _register_text_operations() -> None:
    """Those of tensorflow_text, which TF Serving has built in; the package itself needs Keras."""
    package = importlib.util.find_spec("tensorflow_text")
    for place in package.submodule_search_locations if package else ():
        for library in sorted(Path(place).glob("python/ops/*.so")):
            tf.load_op_library(str(library))


def _describe(signature) -> dict:
    return {
        kind: {
            name: {
                "dtype": tf.dtypes.as_dtype(info.dtype).name,
                "shape": None
                if info.tensor_shape.unknown_rank
                else [d.size for d in info.tensor_shape.dim],
            }
            for name, info in getattr(signature, kind).items()
        }
        for kind in ("inputs", "outputs")
    }


def _compare(session, signature, example: dict) -> dict[str, float]:
    feeds = {
        signature.inputs[name].name: decode_array(array)
        for name, array in example["inputs"].items()
    }
    fetches = {name: signature.outputs[name].name for name in example["outputs"]}
    answers = session.run(fetches, feeds)
    return {
        name: _difference(answers[name], decode_array(array))
        for name, array in example["outputs"].items()
    }


def _difference(answer: np.ndarray, expected: np.ndarray) -> float:
    if answer.shape != expected.shape:
        return float("inf")
    if answer.dtype.kind == "f":
        # Values of a regression may be large; probabilities are not.
        scale = np.maximum(np.abs(expected), 1)
        return float((np.abs(answer - expected) / scale).max(initial=0))
    return 0.0 if np.array_equal(answer, expected) else float("inf")


if __name__ == "__main__":
    main(sys.argv[1])

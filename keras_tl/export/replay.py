"""Looks into an export the way TF Serving would: what `keras_tl.export.verification` runs.

Run as a program of its own: `python -P replay.py FOLDER [SECONDS]`. It loads the SavedModel by the
TF1 loader into a session, with nothing but TensorFlow and numpy (Keras is barred) and, where the
export needs them, the operations of tensorflow_text. It prints one JSON line, the
`without_keras.findings.Findings`. SECONDS bounds how long timing may take; without it there is
none.
"""

import dataclasses
import json
import sys
from pathlib import Path

# TensorFlow imports Keras if it finds it; TF Serving has neither it nor keras_tl.
sys.modules["keras"] = None

import tensorflow as tf  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))
from examples import EXAMPLES, decode_array  # noqa: E402
from serving_messages import WARMUP  # noqa: E402
from without_keras import graph, operations, parity, timings, warmup_records  # noqa: E402
from without_keras.findings import Findings, UnusableError  # noqa: E402
from without_keras.memory import peak_bytes  # noqa: E402


def main(folder: Path, seconds: float) -> None:
    """Prints what was found."""
    found = Findings(tf.__version__)
    try:
        _look(folder, seconds, found)
    except UnusableError as end:
        found.problems.append(str(end))
    found.peak_bytes = peak_bytes()
    strangers = {"keras", "keras_tl"} & {name for name in sys.modules if sys.modules[name]}
    if strangers:
        raise RuntimeError(f"The replay must not load {strangers}.")
    print(json.dumps(dataclasses.asdict(found)))


def _look(folder: Path, seconds: float, found: Findings) -> None:
    meta_graph = graph.read_meta_graph(folder)
    signatures = {
        name: definition
        for name, definition in sorted(meta_graph.signature_def.items())
        if not name.startswith("__")
    }
    found.signatures = {name: graph.describe(s) for name, s in signatures.items()}
    found.methods = {name: s.method_name for name, s in signatures.items()}
    problems, found.text_operations = operations.check_operations(meta_graph)
    found.problems += problems + graph.missing_assets(folder, meta_graph)
    if found.problems:
        return
    extra = folder / "assets.extra"
    recorded = {}
    if (extra / EXAMPLES).is_file():
        recorded = json.loads((extra / EXAMPLES).read_text("utf-8"))
    records = []
    if (extra / WARMUP).is_file():
        records, problem = warmup_records.read_records(extra / WARMUP)
        if problem:
            raise UnusableError(problem)
    found.warmup_records = len(records)
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        graph.load(session, folder)
        problems, found.differences = parity.compare(session, signatures, recorded)
        replayed = warmup_records.replay(session, signatures, records)
        found.problems += problems + replayed.problems
        found.notes += replayed.notes
        if seconds and not found.problems:
            asked = {
                name: {key: decode_array(array) for key, array in example["inputs"].items()}
                for name, example in recorded.items()
            }
            questions, notes = timings.questions(signatures, replayed.asked | asked)
            found.notes += notes
            found.timings = timings.measure(session, signatures, questions, seconds)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0)

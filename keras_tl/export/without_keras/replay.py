"""Load an export with the TF1 loader into a session, as TF Serving does, and check the export."""

import json
import sys
from pathlib import Path
from typing import Any

import tensorflow as tf

from . import graph, operations, parity, timings, warmup_records
from .errors import UnusableError
from .examples import EXAMPLES, decode_array
from .memory import peak_bytes
from .serving_messages import WARMUP


def main(folder: Path, seconds: float) -> None:
    """Check an export and print the result as JSON. Raise `RuntimeError` if Keras is loaded.

    The timings take about `seconds` seconds in total. If `seconds` is 0, the program measures no
    times.
    """
    found = {"tensorflow": tf.__version__, "problems": [], "notes": []}
    try:
        _check(folder, seconds, found)
    except UnusableError as end:
        found["problems"].append(str(end))
    found["peak_bytes"] = peak_bytes()
    strangers = {"keras", "keras_tl"} & {name for name in sys.modules if sys.modules[name]}
    if strangers:
        raise RuntimeError(f"The replay must not load {strangers}.")
    print(json.dumps(found))


def _check(folder: Path, seconds: float, found: dict[str, Any]) -> None:
    """Check an export step by step, and add fields of a `Verification` to `found`."""
    meta_graph = graph.read_meta_graph(folder)
    signatures = graph.signatures_of(meta_graph)
    found["signatures"] = {name: graph.describe(s) for name, s in signatures.items()}
    found["methods"] = {name: s.method_name for name, s in signatures.items()}
    problems, found["text_operations"] = operations.check_operations(meta_graph)
    found["problems"] += problems + graph.missing_assets(folder, meta_graph)
    if found["problems"]:
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
    found["warmup_records"] = len(records)
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        graph.load(session, folder)
        problems, found["differences"] = parity.compare(session, signatures, recorded)
        replayed = warmup_records.replay(session, signatures, records)
        found["problems"] += problems + replayed.problems
        found["notes"] += replayed.notes
        if seconds and not found["problems"]:
            asked = {
                name: {key: decode_array(array) for key, array in example["inputs"].items()}
                for name, example in recorded.items()
            }
            questions, notes = timings.questions(signatures, replayed.asked | asked)
            found["notes"] += notes
            found["timings"] = timings.measure(session, signatures, questions, seconds)

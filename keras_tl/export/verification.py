"""Verifies an export in a process that has neither Keras nor keras_tl."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from keras_tl.base.files import changed_files, local_path
from keras_tl.errors import ExportError, quoted

CHECKSUMS = "assets.extra/keras_tl_checksums.json"
TOLERANCE = 1e-5
_SECONDS = 4.0
_METHODS = {f"tensorflow/serving/{name}" for name in ("predict", "classify", "regress")}


@dataclasses.dataclass(frozen=True)
class Verification:
    """What a verification found.

    Attributes:
        path: the version's folder.
        tensorflow: the version of TensorFlow that it was loaded with; empty if it was not.
        problems: one sentence each, without its full stop; none means that the export is right.
        notes: what is worth knowing and not wrong, likewise.
        signatures: name to inputs and outputs with their dtypes and shapes (-1: any size; `None`:
            any rank).
        methods: name of a signature to its method name, such as `tensorflow/serving/predict`.
        text_operations: the operations of tensorflow_text that it uses.
        differences: for each signature and output, the largest difference (relative above 1)
            between what it answers and what the model answered when it was exported; `None`
            where the difference has no size, which is a problem.
        warmup_records: how many warm-up requests it holds, all of them replayed.
        timings: for each signature `latency_seconds`, the median of one item, and
            `items_per_second` by the size of the batch (`"1"`, `"8"`, `"32"`); empty if not timed.
        peak_bytes: the largest resident memory of the process that loaded and asked it.
    """

    path: str
    problems: tuple[str, ...]
    tensorflow: str = ""
    notes: tuple[str, ...] = ()
    signatures: dict[str, Any] = dataclasses.field(default_factory=dict)
    methods: dict[str, str] = dataclasses.field(default_factory=dict)
    text_operations: tuple[str, ...] = ()
    differences: dict[str, dict[str, float | None]] = dataclasses.field(default_factory=dict)
    warmup_records: int = 0
    timings: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    peak_bytes: int = 0

    @property
    def ok(self) -> bool:
        """Whether there is no problem."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """The findings as JSON types."""
        return {"ok": self.ok} | dataclasses.asdict(self)


def version_folder(path: Path) -> Path:
    """The version meant by a path: itself, or the latest version below it.

    Raises:
        ExportError: there is no SavedModel.
        ConfigError: the path is of a file system that is not supported.
    """
    path = local_path(path)
    if (path / "saved_model.pb").is_file():
        return path
    versions = [f for f in path.glob("*") if f.name.isdecimal() and f.is_dir()]
    if not versions:
        raise ExportError(
            f"No export at {quoted(str(path))}: expected a folder with saved_model.pb, or one with "
            "numbered versions, as learner.export() and keras-tl export write them."
        )
    return max(versions, key=lambda f: int(f.name))


def verify(path: Path, timings: bool = True, python: str = sys.executable) -> Verification:
    """Checks an export, ours or not: its files, graph, answers and warm-up requests.

    It is loaded by the TF1 loader into a session, as TF Serving does. A SavedModel is a program:
    verifying one runs it.

    Args:
        path: a version's folder, or the folder of the versions (the latest is taken).
        timings: measure latency and throughput too, for a few seconds.
        python: the interpreter of another environment, to verify with the TensorFlow there.

    Raises:
        ExportError: there is no export at the path, or no such interpreter.
    """
    folder = version_folder(path)
    if shutil.which(python) is None:
        raise ExportError(
            f"No interpreter {quoted(python)}. Expected the Python of an environment with "
            "TensorFlow, such as /srv/tf/bin/python."
        )
    # What does not load because of a changed file would be said twice.
    problems = _changes(folder)
    if problems:
        return Verification(str(folder), problems)
    replay = str(Path(__file__).parent / "without_keras" / "__main__.py")
    done = subprocess.run(
        [python, "-P", replay, str(folder), *([str(_SECONDS)] if timings else [])],
        capture_output=True,
        text=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        check=False,
    )
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        problem = f"The process that loads it ended with status {done.returncode}: {reason}"
        return Verification(str(folder), (problem,))
    found = json.loads(done.stdout.splitlines()[-1])
    problems, notes = _judge(found, ours=(folder / CHECKSUMS).is_file())
    lists = {
        "problems": (*found.pop("problems"), *problems),
        "notes": (*found.pop("notes"), *notes),
        "text_operations": tuple(found.pop("text_operations")),
    }
    return Verification(str(folder), **lists, **found)


def _changes(folder: Path) -> tuple[str, ...]:
    """A sentence for each file that is not as it was exported, if it is known how it was."""
    if not (folder / CHECKSUMS).is_file():
        return ()
    try:
        changed = list(changed_files(folder, CHECKSUMS))
    except ValueError:
        return (f"{CHECKSUMS} is damaged",)
    return tuple(
        f"{name} has changed since it was exported"
        if (folder / name).is_file()
        else f"{name} is missing"
        for name in changed
    )


def _judge(found: dict[str, Any], ours: bool) -> tuple[list[str], list[str]]:
    """Problems and notes about what was found; an export of ours has to keep what we promise."""
    problems = [
        f"{signature}/{output} differs from the model by {difference:g} (at most {TOLERANCE:g})"
        for signature, outputs in found["differences"].items()
        for output, difference in outputs.items()
        if difference is not None and difference > TOLERANCE
    ]
    lacks = [
        f"{name} cannot be batched: the first dimension of {', '.join(fixed)} is not free"
        for name, signature in found["signatures"].items()
        if (fixed := _not_batchable(signature))
    ]
    lacks += [
        f"{name} has the method name {quoted(method)}, which no API of TensorFlow Serving uses"
        for name, method in found["methods"].items()
        if method not in _METHODS
    ]
    if found["signatures"] and "serving_default" not in found["signatures"]:
        lacks.append("It has no signature serving_default: clients must name the one they ask")
    notes = []
    if not found["problems"]:
        if not found["signatures"]:
            problems.append("It has no signature: there is nothing that a client could ask")
        if not found["differences"]:
            notes.append("It holds no recorded examples: its answers were not compared")
        if not found["warmup_records"]:
            notes.append("It holds no warm-up requests: the first answers will be slow")
    return (problems + lacks, notes) if ours else (problems, notes + lacks)


def _not_batchable(signature: dict[str, Any]) -> list[str]:
    return [
        f"{kind}/{name}"
        for kind in ("inputs", "outputs")
        for name, info in signature[kind].items()
        if info["shape"] is not None and info["shape"][:1] != [-1]
    ]

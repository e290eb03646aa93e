"""Verify an export in a process without Keras and keras_tl."""

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
    """Result of the verification of an export.

    Attributes:
        path: Folder of the verified version.
        tensorflow: TensorFlow release of the process that checked the export, or an empty text if
            no process ran or the process failed.
        problems: A sentence, without full stop, for each problem. A correct export has no problems.
        notes: Sentences, without full stop, about facts that are no errors.
        signatures: Inputs and outputs of each signature, with dtypes and shapes (-1: any size;
            `None`: any rank).
        methods: Method name of each signature, for example `tensorflow/serving/predict`.
        text_operations: Operations of tensorflow_text that the export uses.
        differences: Largest difference from the recorded outputs, by signature and output, relative
            for values above 1. If a difference is `None`, `problems` has the reason.
        warmup_records: Number of warm-up requests in the export. `notes` names requests that the
            verification cannot replay.
        timings: By signature: `latency_seconds`, the median for one item, and `items_per_second` by
            batch size (`"1"`, `"8"`, `"32"`). `timings` is empty if the verification measured no
            times.
        peak_bytes: Largest resident memory of the process that ran the export, in bytes.
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
        """Whether the verification found no problem."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """Convert the result of the verification to JSON types."""
        return {"ok": self.ok} | dataclasses.asdict(self)


def version_folder(path: Path) -> Path:
    """Return `path` if it is a version folder, else the folder of the latest version in `path`.

    Raises:
        ExportError: There is no SavedModel at the path.
        ConfigError: The path belongs to an unsupported file system.
    """
    path = local_path(path)
    if (path / "saved_model.pb").is_file():
        return path
    versions = [f for f in path.glob("*") if f.name.isdecimal() and f.is_dir()]
    if not versions:
        raise ExportError(
            f"No export at {quoted(str(path))}: expected a folder with saved_model.pb, or a folder "
            f"with numbered versions. Write an export: learner.export({quoted(str(path))}), or "
            "keras-tl export on the command line."
        )
    return max(versions, key=lambda f: int(f.name))


def verify(path: Path, timings: bool = True, python: str = sys.executable) -> Verification:
    """Check any SavedModel export: its files, graph, outputs and warm-up requests.

    The TF1 loader loads the export into a session, as TF Serving does. A SavedModel is a program,
    and the verification runs this program.

    Args:
        path: Folder of a version, or model folder, of which the function verifies the latest
            version.
        timings: Whether to also measure latency and throughput, for a few seconds.
        python: Python interpreter of an environment with TensorFlow, which loads the export.

    Raises:
        ExportError: There is no export at the path, or the interpreter does not exist.
    """
    folder = version_folder(path)
    if shutil.which(python) is None:
        raise ExportError(
            f"No interpreter {quoted(python)}. Expected the Python of an environment with "
            "TensorFlow, such as /srv/tf/bin/python."
        )
    # Skip the load error: the checksum error already names the changed file.
    if problems := _changes(folder):
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
        reason = (done.stderr.strip().splitlines() or ["no error message"])[-1]
        problem = f"The process that loads the export ended with status {done.returncode}: {reason}"
        return Verification(str(folder), (problem,))
    found = json.loads(done.stdout.splitlines()[-1])
    lists = {name: tuple(found.pop(name, ())) for name in ("problems", "notes", "text_operations")}
    return _judged(Verification(str(folder), **lists, **found), (folder / CHECKSUMS).is_file())


def _changes(folder: Path) -> tuple[str, ...]:
    """Compare files with their checksums. Return a sentence for each changed or missing file."""
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


def _judged(found: Verification, ours: bool) -> Verification:
    """Return `found` with further problems and notes, which follow from the fields of `found`.

    A defect that only affects serving is a problem if keras_tl wrote the export (`ours`), else only
    a note.
    """
    problems = [
        f"{signature}/{output} differs from the model by {difference:g} (allowed: {TOLERANCE:g})"
        for signature, outputs in found.differences.items()
        for output, difference in outputs.items()
        if difference is not None and difference > TOLERANCE
    ]
    lacks = [
        f"{name} cannot be batched: the first dimension of {', '.join(fixed)} is fixed"
        for name, signature in found.signatures.items()
        if (fixed := _not_batchable(signature))
    ]
    lacks += [
        f"{name} has the method name {quoted(method)}, which no API of TensorFlow Serving uses"
        for name, method in found.methods.items()
        if method not in _METHODS
    ]
    if found.signatures and "serving_default" not in found.signatures:
        lacks.append(
            "The export has no signature serving_default: clients must name another signature"
        )
    notes = []
    if not found.problems:
        if not found.signatures:
            problems.append("The export has no signature: clients have nothing to call")
        if not found.differences:
            notes.append("The export has no recorded examples: its outputs were not compared")
        if not found.warmup_records:
            notes.append("The export has no warm-up requests: the first responses will be slow")
    (problems if ours else notes).extend(lacks)
    return dataclasses.replace(
        found, problems=(*found.problems, *problems), notes=(*found.notes, *notes)
    )


def _not_batchable(signature: dict[str, Any]) -> list[str]:
    return [
        f"{kind}/{name}"
        for kind in ("inputs", "outputs")
        for name, info in signature[kind].items()
        if info["shape"] is not None and info["shape"][:1] != [-1]
    ]

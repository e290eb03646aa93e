"""Verifies an export in a process that has neither Keras nor keras_tl."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from keras_tl.errors import ExportError

TOLERANCE = 1e-5


@dataclasses.dataclass(frozen=True)
class Verification:
    """What a verification found.

    Attributes:
        path: the version's folder.
        problems: one sentence each; none means that the export is right.
        signatures: name to inputs and outputs with their dtypes and shapes (-1: any).
        differences: for each signature and output, the largest difference (relative
            above 1) between what it answers and what the model answered when it was exported.
    """

    path: str
    problems: tuple[str, ...]
    signatures: dict[str, Any]
    differences: dict[str, dict[str, float]]

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
    """
    if (path / "saved_model.pb").is_file():
        return path
    versions = [f for f in path.glob("*") if f.name.isdecimal() and f.is_dir()]
    if not versions:
        raise ExportError(
            f"No export at {str(path)!r}: expected a folder with saved_model.pb, or one with "
            "numbered versions as learner.export() and keras-tl export write."
        )
    return max(versions, key=lambda f: int(f.name))


def verify(path: Path) -> Verification:
    """Loads an export as TF Serving does and asks it its recorded examples.

    Args:
        path: a version's folder, or the folder of the versions (the latest is taken).

    Raises:
        ExportError: there is no export at the path.
    """
    folder = version_folder(path)
    done = subprocess.run(
        [sys.executable, "-P", str(Path(__file__).with_name("replay.py")), str(folder)],
        capture_output=True,
        text=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        check=False,
    )
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return Verification(str(folder), (f"It does not load or answer: {reason}",), {}, {})
    found = json.loads(done.stdout.splitlines()[-1])
    problems = [
        f"{signature}/{output} differs from the model by {difference:g} (at most {TOLERANCE:g})"
        for signature, outputs in found["differences"].items()
        for output, difference in outputs.items()
        if not difference <= TOLERANCE
    ]
    if "serving_default" not in found["signatures"]:
        problems.append("It has no signature serving_default")
    return Verification(str(folder), tuple(problems), found["signatures"], found["differences"])

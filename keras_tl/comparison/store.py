"""The folder of a comparison. An interrupted comparison continues from the runs in this folder.

plan.json             facts of the comparison, seeds and sizes of the last call, LogME, "groups"
                      (the group of each test item, or null), and "looks": seeds and sizes of each
                      analysis (a call that gave verdicts)
runs/NAME.npy         skills of a finished run, see `keras_tl.comparison.running.Run`
runs/NAME.json        other facts of the run, written last: this file marks it as finished
"""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from keras_tl.base.files import json_text, remove_leftovers, sha256, whole_file
from keras_tl.errors import RunError, quoted

_PLAN, _RUNS = "plan.json", "runs"
# Increase this number with every change that earlier versions of keras_tl cannot read.
_FORMAT = 1


class Store:
    """The finished runs of a comparison, in an existing or new folder."""

    def __init__(self, folder: Path):
        self.folder = folder

    def check(self, what: dict[str, Any]) -> None:
        """Raise `RunError` if the folder holds another comparison or other files.

        `what` holds the facts that all runs of a comparison have in common, as JSON types.
        """
        if self.is_begun:
            differs = _first_difference(self.plan()["what"], json.loads(json_text(what)))
            if differs is not None:
                raise RunError(
                    f"{self.folder} holds another comparison: {differs}. Choose another folder, or "
                    "remove this folder."
                )
        elif self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise RunError(
                f"{self.folder} exists and is not a comparison. Choose another folder, or remove "
                "this path."
            )

    @property
    def is_begun(self) -> bool:
        """Whether the folder holds a comparison."""
        return (self.folder / _PLAN).is_file()

    def begin(self, what: dict[str, Any], asked: dict[str, Any]) -> None:
        """Check the folder with `check`, then write the plan of the comparison.

        `asked` holds the entries of the plan that may differ between calls, such as the seeds.
        """
        self.check(what)
        remove_leftovers(self.folder / _RUNS)
        before = self.plan() if self.is_begun else {"looks": []}
        self._write_plan(before | {"format": _FORMAT, "what": what, **asked})

    @property
    def look(self) -> int:
        """Number of the analysis, from 1. Calls with the same seeds and sizes are one analysis."""
        plan = self.plan()
        asked, looks = _looked_at(plan), plan["looks"]
        return 1 + (looks.index(asked) if asked in looks else len(looks))

    def note_look(self) -> None:
        """Record that the user has received verdicts for the seeds and sizes of the plan."""
        plan = self.plan()
        if _looked_at(plan) not in plan["looks"]:
            self._write_plan(plan | {"looks": [*plan["looks"], _looked_at(plan)]})

    def plan(self) -> dict[str, Any]:
        """Read the plan of the comparison, which `begin` wrote.

        Raises:
            RunError: There is no comparison, or a later version of keras_tl wrote the comparison.
        """
        if not self.is_begun:
            raise RunError(
                f"No comparison at {quoted(str(self.folder))}. Expected a folder that "
                "keras_tl.compare() or keras-tl compare wrote."
            )
        plan = json.loads((self.folder / _PLAN).read_text("utf-8"))
        if plan["format"] > _FORMAT:
            raise RunError(f"A later version of keras_tl wrote {self.folder}. Update keras_tl.")
        return plan

    def is_finished(self, arm: str, size: int | None, seed: int) -> bool:
        """Return whether the folder has the finished run of an arm, training set size and seed."""
        return self._path(arm, size, seed, "json").is_file()

    def write(
        self, arm: str, size: int | None, seed: int, skills: np.ndarray, about: dict[str, Any]
    ) -> None:
        """Save a finished run: the array `Run.skills`, and other facts as JSON types (`about`)."""
        buffer = io.BytesIO()
        np.save(buffer, skills, allow_pickle=False)
        path = self._path(arm, size, seed, "npy")
        _write(path, buffer.getvalue())
        _write(path.with_suffix(".json"), json_text({**about, "sha256": sha256(path)}).encode())

    def read(self, arm: str, size: int | None, seed: int) -> tuple[np.ndarray, dict[str, Any]]:
        """Read a finished run: the skills, float32 array (epochs, items), and the other facts.

        Raises:
            RunError: A file of the run is missing or has changed.
        """
        path = self._path(arm, size, seed, "json")
        about, skills = json.loads(path.read_text("utf-8")), path.with_suffix(".npy")
        if not skills.is_file() or sha256(skills) != about["sha256"]:
            raise RunError(
                f"{skills} is missing or has changed since the run. Remove this file and "
                f"{path.name} beside it, then call keras_tl.compare() again to repeat the run."
            )
        return np.load(skills, allow_pickle=False).astype(np.float32), about

    def _write_plan(self, plan: dict[str, Any]) -> None:
        _write(self.folder / _PLAN, json_text(plan).encode())

    def _path(self, arm: str, size: int | None, seed: int, suffix: str) -> Path:
        items = "all" if size is None else size
        return self.folder / _RUNS / f"{arm}-{items}-seed{seed}.{suffix}"


def _looked_at(plan: dict[str, Any]) -> dict[str, Any]:
    return {"seeds": sorted(plan["seeds"]), "sizes": sorted(plan["sizes"], key=str)}


def _write(path: Path, content: bytes) -> None:
    with whole_file(path) as temporary:
        temporary.write_bytes(content)


def _first_difference(there: Any, here: Any, name: str = "") -> str | None:
    if isinstance(there, dict) and isinstance(here, dict):
        for key in {**there, **here}:
            found = _first_difference(there.get(key), here.get(key), f"{name}.{key}".lstrip("."))
            if found is not None:
                return found
        return None
    if there == here:
        return None
    return f"{name} is {quoted(there)} in the folder, and {quoted(here)} in this call"

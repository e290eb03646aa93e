"""A saved run: JSON and weights with checksums, written whole or not at all.

run.json        what the model is, what was done to it, what the data were
model.weights.h5
module/         a TF-Hub module, as it was found; it is a program, and loaded only from here
preprocessor/   what makes tokens of texts
results/        what was measured of it item by item, for reports
checksums.json  SHA-256 of every other file
report.html     a report that was written there; it has no checksum, nor have the user's own files
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from keras_tl.backbones.layer import Backbone
from keras_tl.backbones.texts import load_preprocessor
from keras_tl.base.files import (
    CHECKSUMS,
    first_changed,
    manifest,
    whole_folder,
    write_checksums,
    write_json,
)
from keras_tl.base.overwriting import check_new, keep_other_files
from keras_tl.errors import RunError, quoted

_RUN, _WEIGHTS = "run.json", "model.weights.h5"
_MODULE, _PREPROCESSOR, _RESULTS = "module", "preprocessor", "results"
REPORT = "report.html"


def check_target(path: Path, overwrite: bool = False) -> None:
    """Check before training that a run can be saved at a path.

    Raises:
        ConfigError: there is a run, and it may not be overwritten.
        RunError: there is something else.
    """
    if path.exists() and not (path / _RUN).exists():
        raise RunError(f"{path} exists and is not a run. Choose another folder or remove it.")
    check_new(path, overwrite=overwrite)


def write_run(
    path: Path,
    about: dict[str, Any],
    model: keras.Model,
    backbone: Backbone,
    results: Mapping[str, bytes],
    report: str | None = None,
) -> None:
    """Save a run where `check_target` allows it.

    An earlier run is replaced in one step. The user's own files in its folder are kept: those
    that its checksums do not list.

    Args:
        path: the run's folder.
        about: JSON types.
        model: all of its weights are saved.
        backbone: inside the model; its TF-Hub module and its preprocessor are copied.
        results: names of files in `results/`, and what they hold.
        report: the new page of a report in the folder.
    """
    with whole_folder(path, replace=True) as folder:
        write_json(folder / _RUN, about)
        model.save_weights(folder / _WEIGHTS)
        if backbone.module is not None:
            shutil.copytree(backbone.module, folder / _MODULE)
        if backbone.preprocessor is not None:
            backbone.preprocessor.save(folder / _PREPROCESSOR)
        if results:
            (folder / _RESULTS).mkdir()
        for name, content in results.items():
            (folder / _RESULTS / name).write_bytes(content)
        write_checksums(folder)
        if report is not None:
            (folder / REPORT).write_text(report, "utf-8")
        keep_other_files(path, folder)


def read_run(path: Path) -> dict[str, Any]:
    """Reads what a run says of itself, after checking that all of it is as it was written.

    Raises:
        RunError: there is no run, or it is incomplete or damaged.
    """
    if not (path / CHECKSUMS).is_file():
        raise RunError(
            f"No run at {quoted(str(path))}: expected a folder written by learner.save() or by "
            "keras-tl train --out."
        )
    changed = first_changed(path)
    if changed is not None:
        raise RunError(
            f"The run at {quoted(str(path))} is damaged: {changed} is not as it was written. "
            "Restore it from a copy, or train again."
        )
    return json.loads((path / _RUN).read_text("utf-8"))


def run_files(path: Path) -> dict[str, Any]:
    """Return `module` and `preprocessor` of the `Backbone` of a run that `read_run` has checked."""
    folders = {name.split("/")[0] for name in manifest(path)}
    saved = _PREPROCESSOR in folders
    return {
        "module": path / _MODULE if _MODULE in folders else None,
        "preprocessor": load_preprocessor(path / _PREPROCESSOR) if saved else None,
    }


def run_results(path: Path) -> dict[str, bytes]:
    """The files in `results/` of a run that `read_run` has checked; earlier runs have none."""
    found = (path / name for name in manifest(path) if name.startswith(f"{_RESULTS}/"))
    return {file.name: file.read_bytes() for file in found}


def load_run_weights(path: Path, model: keras.Model) -> None:
    """Loads the weights of a run that `read_run` has checked."""
    model.load_weights(path / _WEIGHTS)

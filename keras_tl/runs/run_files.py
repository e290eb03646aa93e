"""Files of saved runs: JSON and weights with checksums, written completely or not at all.

run.json        configuration of the model, its training, its data
model.weights.h5
module/         copy of the TF-Hub module, a program that keras_tl loads only from this folder
preprocessor/   files of the preprocessor, which converts texts to tokens
results/        prediction records of evaluations, item by item, for reports
checksums.json  SHA-256 of every other file
report.html     optional report; it has no checksum, like the user's own files
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
        ConfigError: A run exists at the path and `overwrite` is false.
        RunError: The path exists and is not a run.
    """
    if path.exists() and not (path / _RUN).exists():
        raise RunError(
            f"{path} exists, but is not a run. Pass another path, or first remove the existing "
            "file or folder."
        )
    check_new(path, overwrite=overwrite)


def write_run(
    path: Path,
    about: dict[str, Any],
    model: keras.Model,
    backbone: Backbone,
    results: Mapping[str, bytes],
    report: str | None = None,
) -> None:
    """Save a run to a path that `check_target` allows.

    This function replaces an earlier run in one step, but keeps the user's own files in the folder:
    all files that the checksums of the earlier run do not list.

    Args:
        model: Keras model whose weights are saved, including those of the backbone.
        results: Content of each file in `results/`, by file name.
        report: HTML of a new report, or `None` to keep the `report.html` of an earlier run.
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
    """Read the `run.json` of a run, after a check that the files of the run are unchanged.

    Raises:
        RunError: There is no run at this path, or the run is incomplete or damaged.
    """
    if not (path / CHECKSUMS).is_file():
        raise RunError(
            f"No run at {quoted(str(path))}. Expected a folder that learner.save() or keras-tl "
            "train --out wrote."
        )
    changed = first_changed(path)
    if changed is not None:
        raise RunError(
            f"The run at {quoted(str(path))} is damaged: {changed} is missing or has changed. "
            "Restore the folder from a copy, or train again."
        )
    return _with_new_names(json.loads((path / _RUN).read_text("utf-8")))


def _with_new_names(run: dict[str, Any]) -> dict[str, Any]:
    """Rename settings that keras_tl 0.1.0 stored under an older name of the argument."""
    settings = (run.get("data") or {}).get("split_settings", {})
    if "check" in settings:
        settings["check_files"] = settings.pop("check")
    return run


def run_files(path: Path) -> dict[str, Any]:
    """Return `Backbone.module` and `Backbone.preprocessor` of a run that `read_run` has checked."""
    folders = {name.split("/")[0] for name in manifest(path)}
    saved = _PREPROCESSOR in folders
    return {
        "module": path / _MODULE if _MODULE in folders else None,
        "preprocessor": load_preprocessor(path / _PREPROCESSOR) if saved else None,
    }


def run_results(path: Path) -> dict[str, bytes]:
    """Return the content of each file in `results/` of a run that `read_run` has checked.

    Runs that older versions of keras_tl saved have no folder `results/`.
    """
    found = (path / name for name in manifest(path) if name.startswith(f"{_RESULTS}/"))
    return {file.name: file.read_bytes() for file in found}


def load_run_weights(path: Path, model: keras.Model) -> None:
    """Load the weights of a run that `read_run` has checked."""
    model.load_weights(path / _WEIGHTS)

"""A saved run: JSON and weights with checksums, written whole or not at all.

run.json        what the model is, what was done to it, what the data were
model.weights.h5
module/         a TF-Hub module, as it was found; it is a program, and loaded only from here
preprocessor/   what makes tokens of texts
results/        what was measured of it item by item, for reports
checksums.json  SHA-256 of every other file
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from keras_tl.backbones.loading import BackboneFiles
from keras_tl.backbones.texts import load_preprocessor
from keras_tl.errors import RunError, quoted
from keras_tl.files import CHECKSUMS, first_changed, whole_folder, write_checksums, write_json

_RUN, _WEIGHTS = "run.json", "model.weights.h5"
_MODULE, _PREPROCESSOR, _RESULTS = "module", "preprocessor", "results"


def check_target(path: Path) -> None:
    """Raises `RunError` if a run cannot be saved there, for it to be known before training."""
    if path.exists() and not (path / _RUN).exists():
        raise RunError(f"{path} exists and is not a run. Choose another folder or remove it.")


def write_run(
    path: Path,
    about: dict[str, Any],
    model: keras.Model,
    files: BackboneFiles,
    results: Mapping[str, bytes],
) -> None:
    """Saves a run; an earlier run at the same path is replaced in one step.

    Args:
        path: the run's folder.
        about: JSON types.
        model: all of its weights are saved.
        files: what belongs to its backbone; copied.
        results: names of files in `results/`, and what they hold.

    Raises:
        RunError: the path holds something that is not a run.
    """
    check_target(path)
    with whole_folder(path, replace=True) as folder:
        write_json(folder / _RUN, about)
        model.save_weights(folder / _WEIGHTS)
        if files.module is not None:
            shutil.copytree(files.module, folder / _MODULE)
        if files.preprocessor is not None:
            files.preprocessor.save(folder / _PREPROCESSOR)
        if results:
            (folder / _RESULTS).mkdir()
        for name, content in results.items():
            (folder / _RESULTS / name).write_bytes(content)
        write_checksums(folder)


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


def run_files(path: Path) -> BackboneFiles:
    """What belongs to the backbone of a run that `read_run` has checked."""
    module, preprocessor = path / _MODULE, path / _PREPROCESSOR
    return BackboneFiles(
        module if module.is_dir() else None,
        load_preprocessor(preprocessor) if preprocessor.is_dir() else None,
    )


def run_results(path: Path) -> dict[str, bytes]:
    """The files in `results/` of a run that `read_run` has checked; earlier runs have none."""
    folder = path / _RESULTS
    found = sorted(folder.iterdir()) if folder.is_dir() else ()
    return {file.name: file.read_bytes() for file in found}


def load_run_weights(path: Path, model: keras.Model) -> None:
    """Loads the weights of a run that `read_run` has checked."""
    model.load_weights(path / _WEIGHTS)

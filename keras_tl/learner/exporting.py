"""Export a learner as a SavedModel, LiteRT or ONNX model."""

import os
from collections.abc import Mapping
from pathlib import Path

from keras_tl.base.files import local_path
from keras_tl.errors import ConfigError, quoted
from keras_tl.export.runtimes.file_export import export_file, find_runtime
from keras_tl.export.runtimes.numeric_model import NumericModel
from keras_tl.export.saved_model import export_version
from keras_tl.export.server_configuration import check_serving, write_serving
from keras_tl.learner.reporting import facts
from keras_tl.learner.state import State
from keras_tl.report.card import write_card


def export(
    state: State,
    path: str | os.PathLike[str],
    format: str,
    precision: str,
    serving: bool,
    card: Mapping[str, str] | None,
    overwrite: bool,
) -> Path:
    """See `Learner.export`."""
    path, say = local_path(path), state.reporter.say
    if runtime := find_runtime(path, format, precision):
        if serving or card is not None:
            raise ConfigError(
                "Only a SavedModel has a folder for servers and a model card. With "
                f"format={quoted(format)}, leave out serving= and card=, or export a SavedModel."
            )
        model = NumericModel(state.serving_model, state.twin, state.task, state.parts.modality)
        worst = export_file(model, path, runtime, precision, overwrite)
        say(f"Exported {path}. Its outputs differ from the model by at most {worst:.1e}.")
        return path
    if serving:
        check_serving(path)
    example_inputs, names = state.parts.modality.example_inputs(), state.config.class_names
    texts = write_card(facts(state), path.resolve().name, card)
    version, found = export_version(state.serving_model, example_inputs, names, path, texts)
    worst = max(d for outputs in found.differences.values() for d in outputs.values())
    say(
        f"Exported and verified {version}. Its outputs differ from the model by at most "
        f"{worst:.1e}."
    )
    if serving:
        folder, kept = write_serving(version)
        changed = f" Kept the files that you changed or added: {', '.join(kept)}." if kept else ""
        say(f"Wrote {folder}.{changed}")
    return version

"""Write a LiteRT or ONNX file and its companion file. A failed check leaves no new files."""

from pathlib import Path

from keras_tl.base.config import EXPORT_FORMATS, EXPORT_PRECISIONS, SAVED_MODEL, check_choice
from keras_tl.base.files import remove_leftovers, whole_file, whole_folder, write_json
from keras_tl.base.overwriting import check_new
from keras_tl.errors import ConfigError, ExportError, quoted
from keras_tl.export.runtimes.base import FLOAT16, Runtime
from keras_tl.export.runtimes.companion import companion_path, describe, tokenizer_path
from keras_tl.export.runtimes.litert import LiteRT
from keras_tl.export.runtimes.numeric_model import NumericModel
from keras_tl.export.runtimes.onnx import Onnx
from keras_tl.export.runtimes.parity import TOLERANCES, compare
from keras_tl.export.without_keras.errors import first_line

RUNTIMES: dict[str, Runtime] = {"litert": LiteRT(), "onnx": Onnx()}


def find_runtime(path: Path, kind: str, precision: str) -> Runtime | None:
    """Return the runtime of an export format, or `None` for a SavedModel.

    Raises:
        ConfigError: Path, format or precision is invalid, or a package for the format is missing.
    """
    check_choice("format", kind, EXPORT_FORMATS)
    check_choice("precision", precision, EXPORT_PRECISIONS)
    if kind == SAVED_MODEL:
        if precision == FLOAT16:
            raise ConfigError(
                "A SavedModel is float32. precision='float16' is for "
                f"format={' and '.join(map(repr, RUNTIMES))}."
            )
        return None
    runtime = RUNTIMES[kind]
    if path.suffix != runtime.suffix or path.is_dir():
        raise ConfigError(
            f"format={quoted(kind)} writes one file whose name ends with {runtime.suffix}. "
            f"Received: {quoted(str(path))}."
        )
    runtime.import_packages()
    return runtime


def export_file(
    model: NumericModel, path: Path, runtime: Runtime, precision: str, overwrite: bool = False
) -> float:
    """Convert a model to a file. Keep the file only if its outputs match those of the model.

        photos.onnx              the model
        photos.onnx.json         the companion, see `keras_tl.export.runtimes.companion`
        texts.onnx.tokenizer/    vocabulary and settings, saved by the text preprocessor

    With `overwrite`, the function replaces existing files. It replaces the model file last.

    Returns:
        The largest difference between the outputs of the file and of the model. Differences of
        values above 1 are relative.

    Raises:
        ConfigError: A file that the function would write exists, and `overwrite` is false.
        ExportError: The conversion failed, or the outputs of the file differ from those of the
            model. The function leaves no new files.
    """
    written = [path, companion_path(path)]
    if model.modality.preprocessor is not None:
        written.append(tokenizer_path(path))
    check_new(*written, overwrite=overwrite)
    content = runtime.convert(model, precision)
    remove_leftovers(path.parent)
    with whole_file(path) as file, whole_file(companion_path(path)) as companion:
        file.write_bytes(content)
        try:
            answers = runtime.ask(file, model.questions)
        except Exception as error:  # Each runtime raises different exceptions.
            reason = f"{runtime.name} cannot run the file ({first_line(error)})"
            raise runtime.refuse((), reason) from error
        differences, problems = compare(answers, model.answers(), precision, model.task.thresholds)
        if problems:
            advice = ' Try precision="float32".' if precision == FLOAT16 else ""
            raise ExportError(
                f"The outputs of the {runtime.name} file differ from those of the model, so "
                "the file was not kept: "
                f"{'; '.join(problems)}.{advice}"
            )
        parity = {"tolerance": TOLERANCES[precision], "largest_difference": differences}
        write_json(companion, describe(model, runtime, precision, answers, parity, file))
        if model.modality.preprocessor is not None:
            with whole_folder(tokenizer_path(path), replace=True) as folder:
                model.modality.preprocessor.save(folder)
    return max(differences.values())

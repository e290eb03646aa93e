"""Access to data sets of TensorFlow Datasets (https://www.tensorflow.org/datasets)."""

import contextlib
import difflib
import os
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from keras_tl.base.files import local_path
from keras_tl.errors import DataError, quoted, unknown

_OFFLINE = (
    "Run this once on a machine with a network. Or copy the prepared data set of another machine "
    "into the folder data_dir."
)


def tfds_module() -> ModuleType:
    """Import TensorFlow Datasets as late as possible, because the import is slow."""
    import tensorflow_datasets

    return tensorflow_datasets


@contextlib.contextmanager
def _explained(what: str, hint: str) -> Iterator[None]:
    """Replace any error from the code of a data set by a `DataError` with advice."""
    try:
        yield
    except ImportError as error:
        raise DataError(f"{what}: {error}. Install the missing package with pip.") from error
    except Exception as error:
        lines = str(error).splitlines() or [type(error).__name__]
        raise DataError(f"{what}: {lines[0].rstrip('.')}. {hint}") from error


def open_builder(name: str, data_dir: str | os.PathLike[str] | None) -> Any:
    """Return the `tfds.core.DatasetBuilder` of a data set, which need not be prepared yet.

    Raises:
        DataError: The data set does not exist, or the code of the data set fails.
        ConfigError: The folder is in a file system that is not supported.
    """
    tfds = tfds_module()
    if data_dir is not None:
        # Accept paths of Google Cloud Storage: tfds reads through TensorFlow, which supports them.
        is_remote = os.fspath(data_dir).startswith("gs://")
        data_dir = os.fspath(data_dir if is_remote else local_path(data_dir))
    with _explained(
        f"Cannot open the data set {quoted(name)}",
        "See https://www.tensorflow.org/datasets/catalog/overview for the known data sets.",
    ):
        try:
            return tfds.builder(name, data_dir=data_dir)
        except tfds.core.registered.DatasetNotFoundError:
            pass
    is_folder = data_dir is not None and os.path.isdir(data_dir)
    # Leave out community data sets, because their list would need the network.
    builders = tfds.list_builders(with_community_datasets=False)
    known = sorted({*(os.listdir(data_dir) if is_folder else []), *builders})
    near = difflib.get_close_matches(name.partition("/")[0].partition(":")[0], known, n=5)
    if near:
        problem = unknown("data set", name, near)
    else:
        problem = (
            f"Unknown data set {quoted(name)}. tensorflow_datasets.list_builders() lists the known "
            "data sets."
        )
    folder = data_dir or tfds.core.constants.DATA_DIR
    raise DataError(f"{problem} Prepared data sets must be in {quoted(str(folder))}.")


def prepare(builder: Any, name: str, download: bool) -> None:
    """Download and prepare a data set if it is not on disk yet, or raise `DataError`."""
    if builder.is_prepared():
        return
    if not download:
        raise DataError(
            f"The data set {quoted(name)} is not in {quoted(str(builder.data_path))}, and "
            f"download=False. {_OFFLINE}"
        )
    # tfds prints its progress on standard output, but the commands of keras_tl print only results
    # on standard output.
    with (
        _explained(f"Cannot fetch the data set {quoted(name)}", _OFFLINE),
        contextlib.redirect_stdout(sys.stderr),
    ):
        builder.download_and_prepare()

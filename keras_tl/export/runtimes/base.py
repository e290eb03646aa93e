"""Interface to a runtime other than TensorFlow: convert a model to a file, and run the file."""

import abc
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from keras_tl.errors import ExportError
from keras_tl.export.runtimes.numeric_model import NumericModel

FLOAT16 = "float16"
# Names of the dimensions of inputs and outputs that have no fixed size.
AXES = ("batch", "length")


class Runtime(abc.ABC):
    """A file format, the converter to this format, and the runtime for this format.

    Attributes:
        name: Name of the runtime in messages.
        suffix: Suffix of the exported files, such as `".onnx"`.
        fixed: Whether an exported file takes exactly one item of a fixed size.
    """

    name: str
    suffix: str
    fixed: bool

    @abc.abstractmethod
    def import_packages(self) -> None:
        """Import the packages of the runtime, or raise `ConfigError` if a package is missing."""

    @abc.abstractmethod
    def convert(self, model: NumericModel, precision: str) -> bytes:
        """Convert a model to the bytes of a file. The file keeps all input and output names.

        With both precisions, `"float32"` and `"float16"`, inputs and outputs with floating-point
        numbers are float32.

        Raises:
            ExportError: The model uses an operation that the runtime lacks.
        """

    @abc.abstractmethod
    def ask(self, file: Path, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run an exported file on this CPU with arrays (n, ...), and return the outputs by name."""

    def refuse(self, operations: Iterable[str], said: str = "") -> ExportError:
        """Return the error for a model that the converter of the runtime cannot convert.

        The error message names the `operations` that the runtime lacks. If `operations` is empty,
        the error message gives `said` as the reason.
        """
        known = ", ".join(sorted(operations))
        reason = f"it uses TensorFlow's {known}, which {self.name} lacks" if known else said
        return ExportError(
            f"This model cannot be converted to {self.name}: {reason}. "
            'Export the model with format="savedmodel", or choose another backbone.'
        )

"""What is asked of another runtime: a converter, and something that runs the file."""

import abc
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from keras_tl.errors import ExportError
from keras_tl.export.runtimes.numeric import NumericModel

FLOAT16 = "float16"
# What the free dimensions of inputs and outputs are called.
AXES = ("batch", "length")


class Runtime(abc.ABC):
    """A format of files and what runs them.

    Attributes:
        name: for messages.
        suffix: what the name of a file ends with.
        fixed: whether a file takes one item of one size.
    """

    name: str
    suffix: str
    fixed: bool

    @abc.abstractmethod
    def import_packages(self) -> None:
        """Raises `ConfigError` if a package of the extra is missing."""

    @abc.abstractmethod
    def convert(self, model: NumericModel, precision: str) -> bytes:
        """The content of a file; inputs and outputs have the names of the model's.

        Args:
            model: what to convert.
            precision: `"float32"` or `"float16"`; inputs and outputs are float32 in both.

        Raises:
            ExportError: it uses an operation that the runtime has not.
        """

    @abc.abstractmethod
    def ask(self, file: Path, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What a file answers in its own runtime on this machine's processor, by output.

        Args:
            file: of this format.
            inputs: arrays by name, each of (n, ...).
        """

    def refuse(self, operations: Iterable[str], said: str = "") -> ExportError:
        """The error for a model that cannot be converted.

        Args:
            operations: TensorFlow's operations that the runtime has not, if they are known.
            said: what else the converter says.
        """
        known = ", ".join(sorted(operations))
        reason = f"it uses TensorFlow's {known}, which {self.name} has not" if known else said
        return ExportError(
            f"This model cannot be converted to {self.name}: {reason}. "
            'Export it with format="savedmodel", or take another backbone.'
        )

"""What both of TF Serving's interfaces do for a client."""

import abc
import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from keras_tl.errors import ServingError

Values = list[bytes] | list[str] | np.ndarray


class RefusedError(Exception):
    """The server answered that it does not do what was asked.

    Attributes:
        message: what it says.
        not_found: whether it says that there is no such model or version, or none that is loaded.
    """

    def __init__(self, message: str, not_found: bool = False):
        super().__init__(message)
        self.message = message
        self.not_found = not_found


@dataclasses.dataclass(frozen=True)
class Target:
    """A model on a server, and how to ask.

    Attributes:
        address: URL of the server.
        model: name of the model.
        version: number of one version; `None`: see `label`.
        label: label of one version; without either the server takes its latest.
        timeout: seconds to wait for an answer, and at most between two tries.
        retries: how many times to ask again.
    """

    address: str
    model: str
    version: int | None
    label: str | None
    timeout: float
    retries: int

    def late(self) -> ServingError:
        """The error of an answer that did not come in time."""
        return ServingError(
            f"The server at {self.address} did not answer within {self.timeout:g} seconds. Give a "
            "longer timeout=, or a smaller batch_size=."
        )

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Raise `ServingError` where a block that reads an answer meets another form."""
        try:
            yield
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            found = f"{type(error).__name__}: {error}"
            raise ServingError(
                f"{self.address} answers in another form than TF Serving ({found:.200}). Expected "
                "the answers of TF Serving about a model that learner.export() wrote. Is this the "
                "address of TF Serving?"
            ) from error

    def missing(self, reason: object, interface: str, port: int) -> ServingError:
        """The error of a server that does not answer.

        Args:
            reason: what was found out.
            interface: what was expected at the address.
            port: the one at which TF Serving has it unless told otherwise.
        """
        return ServingError(
            f"No answer from {self.address}: {reason}. Is the server running, and is this the port "
            f"of its {interface} interface (TF Serving's is {port} unless it was given another)?"
        )


class Transport(abc.ABC):
    """Asks one model, in one of the protocols.

    Every method that asks raises `RefusedError` if the server refuses, and `ServingError` if no
    server answers.
    """

    @abc.abstractmethod
    def status(self) -> dict[str, Any]:
        """A GetModelStatusResponse about all versions of the model, as JSON types."""

    @abc.abstractmethod
    def metadata(self) -> dict[str, Any]:
        """A GetModelMetadataResponse, as JSON types in the form of the REST interface."""

    @abc.abstractmethod
    def predict(
        self, signature: str, inputs: Mapping[str, Values], outputs: Mapping[str, str]
    ) -> dict[str, np.ndarray]:
        """Asks one signature about one batch.

        Args:
            signature: its name.
            inputs: arrays, or lists of strings, by name.
            outputs: the dtype of each output by name, such as `"float32"`.

        Returns:
            An array for each of the outputs that were given; strings are str in an array of
            objects.
        """

    @abc.abstractmethod
    def classify(self, signature: str, features: Mapping[str, bytes]) -> list[str]:
        """The names of the classes, from the answer of a classify signature to one example.

        Args:
            signature: its name.
            features: of the example.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Closes the connections."""

"""The common interface of the REST and the gRPC transport."""

import abc
import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from keras_tl.errors import ServingError

Values = list[bytes] | list[str] | np.ndarray


class RefusedError(Exception):
    """The server refuses the request.

    Attributes:
        message: Message of the server.
        not_found: Whether the server has no such model or version, or has not loaded it.
    """

    def __init__(self, message: str, not_found: bool = False):
        super().__init__(message)
        self.message = message
        self.not_found = not_found


@dataclasses.dataclass(frozen=True)
class Target:
    """A model on a server, and options of the requests.

    Attributes:
        address: URL of the server.
        model: Name of the model.
        version: Number of one version. `None`: see `label`.
        label: Label of one version. Without `version` and `label`, the server uses its latest.
        timeout: Seconds to wait for an answer, and the longest pause between two tries.
        retries: Number of further tries.
    """

    address: str
    model: str
    version: int | None
    label: str | None
    timeout: float
    retries: int

    def late(self) -> ServingError:
        """Return the error for an answer that did not arrive in time."""
        return ServingError(
            f"The server at {self.address} did not answer within {self.timeout:g} seconds. Pass a "
            "longer timeout=, or a smaller batch_size=."
        )

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Raise `ServingError` if the code in the block cannot read an answer."""
        try:
            yield
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            found = f"{type(error).__name__}: {error}"
            raise ServingError(
                f"The answer of {self.address} does not have the form of TF Serving "
                f"({found:.200}). Check that this is the address of TF Serving, and that "
                "learner.export() wrote the model."
            ) from error

    def missing(self, reason: object, interface: str, port: int) -> ServingError:
        """Return the error for a server that does not answer.

        Args:
            reason: Reason from the transport.
            interface: Interface that was expected at the address.
            port: TF Serving's default port for this interface.
        """
        return ServingError(
            f"No answer from {self.address}: {reason}. Check that the server is running, and that "
            f"this is the port of its {interface} interface. TF Serving's default port is {port}."
        )


class Transport(abc.ABC):
    """Requests to one model by one protocol.

    A request raises `RefusedError` if the server refuses it, and `ServingError` if no server
    answers.
    """

    @abc.abstractmethod
    def status(self) -> dict[str, Any]:
        """Return a GetModelStatusResponse for all versions of the model, as JSON types."""

    @abc.abstractmethod
    def metadata(self) -> dict[str, Any]:
        """Return a GetModelMetadataResponse, as JSON types in the form of the REST interface."""

    @abc.abstractmethod
    def predict(
        self, signature: str, inputs: Mapping[str, Values], outputs: Mapping[str, str]
    ) -> dict[str, np.ndarray]:
        """Send one batch to one signature.

        Args:
            signature: Name of the signature.
            inputs: Arrays, or lists of strings, by name.
            outputs: dtype of each output by name, such as `"float32"`.

        Returns:
            An array for each output in the answer. Strings are str in an array of objects.
        """

    @abc.abstractmethod
    def classify(self, signature: str, features: Mapping[str, bytes]) -> list[str]:
        """Return the class names from the answer of a classify signature to one example.

        Args:
            signature: Name of the signature.
            features: Features of the example by name.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Close the connections."""

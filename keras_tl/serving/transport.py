"""Common interface of the REST transport and the gRPC transport."""

import abc
import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from keras_tl.errors import ServingError

Values = list[bytes] | list[str] | np.ndarray
T = TypeVar("T")

# The first retry comes at once. The pause before retry n > 1 is `_PAUSE` seconds times 2 ** n.
_PAUSE = 0.1


class RefusedError(Exception):
    """Error for a request that the server refuses.

    Attributes:
        message: Error message that the server returned.
        not_found: Whether the server has no such model or version, or has not loaded the model.
    """

    def __init__(self, message: str, not_found: bool = False):
        super().__init__(message)
        self.message = message
        self.not_found = not_found


class NoAnswerError(Exception):
    """The server does not answer or is busy, so that a retry can succeed.

    Attributes:
        final: Error to raise if there is no retry left.
        pause: Seconds to wait before a retry, if the server names a time.
    """

    def __init__(self, final: Exception, pause: float | None = None):
        super().__init__(str(final))
        self.final = final
        self.pause = pause


@dataclasses.dataclass(frozen=True)
class Target:
    """Address of a model on a server, and options of the requests.

    Attributes:
        address: URL of the server, such as `"http://localhost:8501"`.
        model: Name of the model on the server.
        version: Number of the version to use, or `None` if `label` names the version.
        label: Label of the version to use. Without `version` and `label`, the server uses the
            latest version.
        timeout: Seconds to wait for an answer in each try, and the longest pause between two tries.
        retries: Number of retries after a failed request.
    """

    address: str
    model: str
    version: int | None
    label: str | None
    timeout: float
    retries: int

    def tried(self, send: Callable[[], T]) -> T:
        """Send a request, retry after each `NoAnswerError`, and return the answer.

        No request changes the model, so every request can be repeated.
        """
        number = 0
        while True:
            try:
                return send()
            except NoAnswerError as error:
                number += 1
                if number > self.retries:
                    raise error.final from error.__cause__
                pause = error.pause
            if pause is None:
                pause = _PAUSE * 2**number if number > 1 else 0.0
            time.sleep(min(pause, self.timeout))

    def late(self) -> ServingError:
        """Return the error for an answer that did not arrive in time."""
        return ServingError(
            f"The server at {self.address} did not answer within {self.timeout:g} seconds. Pass a "
            "longer timeout=, or a smaller batch_size=."
        )

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Raise `ServingError` if the code in the `with` block cannot read an answer."""
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
        """Return the error for a server that does not answer on `interface` (REST or gRPC)."""
        return ServingError(
            f"No answer from {self.address}: {reason}. Check that the server is running, and that "
            f"this is the port of its {interface} interface. TF Serving's default port is {port}."
        )


class Transport(abc.ABC):
    """Base class that sends requests to one model, by REST or by gRPC.

    A method raises `RefusedError` if the server refuses the request, and `ServingError` if no
    server answers.
    """

    @abc.abstractmethod
    def status(self) -> dict[str, Any]:
        """Request the status of all versions, and return GetModelStatusResponse as JSON types."""

    @abc.abstractmethod
    def metadata(self) -> dict[str, Any]:
        """Request the metadata, and return GetModelMetadataResponse as the JSON types of REST."""

    @abc.abstractmethod
    def predict(
        self, signature: str, inputs: Mapping[str, Values], outputs: Mapping[str, str]
    ) -> dict[str, np.ndarray]:
        """Send one batch to one signature. `outputs` maps each output name to its dtype.

        Returns:
            Dict from output name to array. Strings are str in an array of dtype object.
        """

    @abc.abstractmethod
    def classify(self, signature: str, features: Mapping[str, bytes]) -> list[str]:
        """Send `features` as a `tf.Example`, and return the class names in the answer."""

    @abc.abstractmethod
    def close(self) -> None:
        """Close the connections."""

"""`RemoteModel`: read the metadata and status of a model on a server, and call its signatures."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self
from urllib.parse import urlsplit

import numpy as np

from keras_tl.base.config import check_range
from keras_tl.errors import ConfigError, ServingError, quoted, unknown
from keras_tl.serving.models import ModelVersion, read_metadata, read_status
from keras_tl.serving.rest import RestTransport
from keras_tl.serving.transport import RefusedError, Target, Transport, Values


class RemoteModel:
    """A model on a server. The constructor sends no request to the server.

    Args:
        target: Address of the model, and options of the requests.

    Raises:
        ConfigError: The target is invalid, or the package tensorflow-serving-api is missing.
    """

    def __init__(self, target: Target):
        if target.version is not None and target.label is not None:
            raise ConfigError("Pass version= or label=, not both: a label names a version.")
        if target.version is not None:
            check_range("version", target.version, 0, whole=True)
        check_range("timeout", target.timeout, 1e-3)
        check_range("retries", target.retries, 0, 10, whole=True)
        if not isinstance(target.model, str) or not target.model:
            raise ConfigError(
                f"model must be the model's name on the server. Received: {quoted(target.model)}."
            )
        self._target = target
        self._transport = _transport(target)
        self._metadata: dict[str, Any] | None = None

    def ask(self, signature: str, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Send one batch to any signature, for example to a signature that takes tokens.

        Args:
            signature: Name of the signature, such as `"tokens"`.
            inputs: Dict from input name to an array, or to a list of bytes or str.

        Returns:
            Dict from output name to array. Strings are str in an array of dtype object.

        Raises:
            ServingError: There is no such signature, the signature takes different inputs, or the
                server does not answer.

        Example:
            >>> outputs = client.ask("pixels", {"pixels": np.zeros((1, 16, 16, 3))})
            >>> outputs["probabilities"].shape
            (1, 2)
        """
        if signature not in self._signatures:
            raise ServingError(unknown("signature", signature, self._signatures))
        takes, gives = (self._signatures[signature][kind] for kind in ("inputs", "outputs"))
        if set(inputs) != set(takes):
            raise ServingError(
                f"The signature {quoted(signature)} takes {_listed(takes)}. Received: "
                f"{_listed(inputs)}."
            )
        given = {name: _checked(name, inputs[name], takes[name]["dtype"]) for name in takes}
        with self._explaining():
            answer = self._transport.predict(
                signature, given, {name: spec["dtype"] for name, spec in gives.items()}
            )
        if set(answer) != set(gives):
            self._forget()
            raise ServingError(
                f"Expected {_listed(gives)} from the signature {quoted(signature)}. Received: "
                f"{_listed(answer)}. The server has switched to another version: repeat the call."
            )
        return answer

    def metadata(self) -> dict[str, Any]:
        """Request the names, dtypes and shapes of the model's inputs and outputs from the server.

        Returns:
            A dict with `version` (a number) and `signatures` (a dict by name). Each signature is a
            dict with `inputs`, `outputs` and `method` (name of TF Serving's API). Each input or
            output is a dict with `dtype`, such as `"float32"`, and `shape`. A shape is a list with
            -1 for any length, or `None` if the shape is unknown.

        Raises:
            ServingError: The server does not answer, or has no such model.

        Example:
            >>> metadata = client.metadata()
            >>> metadata["version"], metadata["signatures"]["pixels"]["inputs"]
            (3, {'pixels': {'dtype': 'float32', 'shape': [-1, -1, -1, 3]}})
        """
        with self._explaining():
            told = self._transport.metadata()
        with self._target.reading():
            self._metadata = read_metadata(told)
        return self._metadata

    def status(self) -> tuple[ModelVersion, ...]:
        """Return all versions of the model on the server and their states, the newest first.

        Raises:
            ServingError: The server does not answer, or has no such model.

        Example:
            >>> print(client.status()[0])
            version 3 is AVAILABLE
        """
        with self._explaining():
            told = self._transport.status()
        with self._target.reading():
            return read_status(told)

    def close(self) -> None:
        """Close the connections. The end of a `with` block also closes the connections.

        Example:
            >>> with ktl.serving.Client("http://localhost:8501", "photos") as other:
            ...     pass
            >>> other.close()  # The connections are closed already.
        """
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def _signatures(self) -> dict[str, Any]:
        return (self._metadata or self.metadata())["signatures"]

    def _forget(self) -> None:
        """Delete the stored metadata, so that the next call requests the metadata again."""
        self._metadata = None

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except RefusedError as refused:
            reason = self._why_not_found(refused) if refused.not_found else refused.message
            # TensorFlow's messages have several lines: join them to one line.
            reason = " ".join(reason.split())
            raise ServingError(f"{self._target.address} refuses the request: {reason}") from refused

    def _why_not_found(self, refused: RefusedError) -> str:
        """Return the reason why the server did not find the model.

        TF Serving sends the same message for an unknown model, an unknown version, and a model that
        is not loaded yet.
        """
        model, version = self._target.model, self._target.version
        try:
            told = self._transport.status()
        except RefusedError:
            return (
                f"the server has no model {quoted(model)}. Expected a name in the server's "
                "configuration."
            )
        with self._target.reading():
            versions = read_status(told)
        asked = [found for found in versions if version in (None, found.number)]
        if not asked:
            has = "; ".join(map(str, versions))
            return f"the model {quoted(model)} has no version {version}. The server reports: {has}."
        if not any(found.state == "AVAILABLE" for found in asked):
            return (
                f"the model {quoted(model)} is not loaded: {'; '.join(map(str, asked))}. Repeat "
                "the call later."
            )
        return refused.message


def _transport(target: Target) -> Transport:
    parts = urlsplit(target.address)
    if parts.scheme in ("http", "https") and parts.hostname:
        return RestTransport(target)
    if parts.scheme == "grpc" and parts.hostname:
        # Import `rpc` only here, because `rpc` imports TensorFlow.
        from keras_tl.serving.rpc import GrpcTransport

        return GrpcTransport(target)
    raise ConfigError(
        "Expected the server's address as http://HOST:PORT (REST) or grpc://HOST:PORT. Received: "
        f"{quoted(target.address)}."
    )


def _checked(name: str, values: Any, dtype: str) -> Values:
    """Check the values of an input, and return them in the form that `Transport` takes."""
    if dtype == "string":
        values = list(values)
        if all(isinstance(value, bytes | str) for value in values):
            return values
        raise ServingError(
            f"Expected a list of bytes or str for {quoted(name)}. Received: {quoted(values)}."
        )
    try:
        return np.asarray(values, dtype)
    except (TypeError, ValueError) as error:
        raise ServingError(
            f"Expected numbers of dtype {dtype} for {quoted(name)}: {error}."
        ) from error


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, sorted(names))) or "nothing"

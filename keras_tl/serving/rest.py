"""Send requests to TF Serving's REST API, see https://www.tensorflow.org/tfx/serving/api_rest."""

import base64
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import numpy as np
import requests
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from keras_tl.errors import ServingError, quoted
from keras_tl.serving.transport import NoAnswerError, RefusedError, Target, Transport, Values

_NOT_FOUND = 404
# HTTP status if the server is overloaded or starting, or if a proxy gets no answer from the server.
_BUSY = (429, 502, 503, 504)
_CREDENTIALS = (
    "The server requires a valid user name and password. Write both to the file ~/.netrc, which "
    "the client reads."
)
_BEHIND = (
    "A proxy at this address gets no answer from TF Serving. Check that TF Serving is running and "
    "has loaded the model, or repeat the call later."
)
# Advice by HTTP status, for answers of a proxy in front of TF Serving.
_ADVICE = {
    401: _CREDENTIALS,
    403: _CREDENTIALS,
    413: "The request is too large for the server. Pass a smaller batch_size=, or smaller files.",
    429: "The server is overloaded. Repeat the call later, or send fewer requests.",
    **dict.fromkeys((502, 503, 504), _BEHIND),
}


class RestTransport(Transport):
    """Transport that sends JSON to a server with an address `http://...` or `https://...`."""

    def __init__(self, target: Target):
        self._target = target
        self._model = f"{target.address}/v1/models/{quote(target.model, safe='')}"
        self._version = self._model
        if target.version is not None:
            self._version += f"/versions/{target.version}"
        elif target.label is not None:
            self._version += f"/labels/{quote(target.label, safe='')}"
        self._session = requests.Session()

    def status(self) -> dict[str, Any]:
        return self._ask(self._model)

    def metadata(self) -> dict[str, Any]:
        return self._ask(f"{self._version}/metadata")

    def predict(
        self, signature: str, inputs: Mapping[str, Values], outputs: Mapping[str, str]
    ) -> dict[str, np.ndarray]:
        body = {
            "signature_name": signature,
            # Use the columnar format, because client and server both keep the inputs as arrays.
            "inputs": {name: _encoded(values) for name, values in inputs.items()},
        }
        answer = self._ask(f"{self._version}:predict", body)
        with self._target.reading():
            found = answer["outputs"]
            if len(outputs) == 1:
                # The server leaves out the output's name if there is only one output.
                (name,) = outputs
                found = {name: found}
            return {
                name: np.array(found[name], object if dtype == "string" else dtype)
                for name, dtype in outputs.items()
                if name in found
            }

    def classify(self, signature: str, features: Mapping[str, bytes]) -> list[str]:
        example = {name: _encoded([value])[0] for name, value in features.items()}
        body = {"signature_name": signature, "examples": [example]}
        answer = self._ask(f"{self._version}:classify", body)
        with self._target.reading():
            ((*pairs,),) = answer["results"]
            return [label for label, _ in pairs]

    def close(self) -> None:
        self._session.close()

    def _ask(self, url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send a GET request, or a POST request with a body, and return the JSON object."""
        return self._target.tried(lambda: self._sent(url, body))

    def _sent(self, url: str, body: dict[str, Any] | None) -> dict[str, Any]:
        """Send the request of `_ask` once. Raise `NoAnswerError` if a retry can succeed."""
        try:
            response = self._session.request(
                "GET" if body is None else "POST",
                url,
                data=None if body is None else json.dumps(body),
                headers={"Content-Type": "application/json"},
                timeout=self._target.timeout,
            )
        except (requests.ConnectionError, requests.Timeout) as error:
            raise NoAnswerError(self._explained(error)) from error
        except requests.RequestException as error:
            raise self._explained(error) from error
        try:
            return self._read(response)
        except (RefusedError, ServingError) as error:
            if response.status_code in _BUSY:
                raise NoAnswerError(error, _pause(response)) from error.__cause__
            raise

    def _read(self, response: requests.Response) -> dict[str, Any]:
        """Return the JSON object in a response, or raise an error if the response reports one."""
        try:
            answer = response.json()
        except ValueError:
            answer = None
        code = response.status_code
        if not isinstance(answer, dict) or (not response.ok and "error" not in answer):
            if code in _ADVICE:
                raise ServingError(
                    f"{self._target.address} answers with HTTP status {code} "
                    f"({HTTPStatus(code).phrase}). {_ADVICE[code]}"
                )
            raise ServingError(
                f"The server at {self._target.address} is not TF Serving: HTTP status {code}, "
                f"{quoted(response.text[:80])}. Expected the REST interface of TF Serving. Check "
                "the address and the port."
            )
        if not response.ok:
            raise RefusedError(str(answer["error"]), code == _NOT_FOUND)
        return answer

    def _explained(self, error: requests.RequestException) -> ServingError:
        if isinstance(error, requests.Timeout):
            return self._target.late()
        # Some exceptions of the `requests` package wrap the original connection error.
        reason = getattr(error.args[0] if error.args else None, "reason", None) or error
        # Remove the description of the connection from the beginning of the message.
        return self._target.missing(str(reason).split("): ", 1)[-1], "REST", 8501)


def _pause(response: requests.Response) -> float | None:
    """Return the seconds in the header `Retry-After`, or `None` if it is missing or invalid."""
    after = response.headers.get("Retry-After")
    try:
        return None if after is None else Retry().parse_retry_after(after)
    except InvalidHeader:
        return None


def _encoded(values: Values) -> list:
    if isinstance(values, np.ndarray):
        return values.tolist()
    return [
        {"b64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value
        for value in values
    ]

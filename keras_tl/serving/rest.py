"""TF Serving's REST interface, see https://www.tensorflow.org/tfx/serving/api_rest."""

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import numpy as np
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ReadTimeoutError
from urllib3.util import Retry

from keras_tl.errors import ServingError, quoted
from keras_tl.serving.transport import RefusedError, Target, Transport, Values

_NOT_FOUND = 404
# What the server says of itself while it has too much to do, or is starting.
_BUSY = (429, 503)
_BACKOFF = 0.2


class RestTransport(Transport):
    """Speaks JSON over HTTP.

    Args:
        target: what to ask; its address is `http://` or `https://`.
    """

    def __init__(self, target: Target):
        self._target = target
        self._model = f"{target.address}/v1/models/{quote(target.model, safe='')}"
        self._version = self._model
        if target.version is not None:
            self._version += f"/versions/{target.version}"
        elif target.label is not None:
            self._version += f"/labels/{quote(target.label, safe='')}"
        self._session = requests.Session()
        retry = Retry(
            target.retries,
            backoff_factor=_BACKOFF,
            status_forcelist=_BUSY,
            # Asking a model changes nothing, so a POST too can be sent again.
            allowed_methods=None,
            raise_on_status=False,
        )
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retry))

    def status(self) -> dict[str, Any]:
        """See `Transport`."""
        return self._ask(self._model)

    def metadata(self) -> dict[str, Any]:
        """See `Transport`."""
        return self._ask(f"{self._version}/metadata")

    def predict(
        self, signature: str, inputs: Mapping[str, Values], outputs: Mapping[str, str]
    ) -> dict[str, np.ndarray]:
        """See `Transport`."""
        body = {
            "signature_name": signature,
            # By columns, as inputs and outputs are arrays on either side.
            "inputs": {name: _encoded(values) for name, values in inputs.items()},
        }
        answer = self._ask(f"{self._version}:predict", body)["outputs"]
        if len(outputs) == 1:
            # The server leaves out the name of an only output.
            (name,) = outputs
            answer = {name: answer}
        return {
            name: np.array(answer[name], object if dtype == "string" else dtype)
            for name, dtype in outputs.items()
            if name in answer
        }

    def classify(self, signature: str, features: Mapping[str, bytes]) -> list[str]:
        """See `Transport`."""
        example = {name: _encoded([value])[0] for name, value in features.items()}
        body = {"signature_name": signature, "examples": [example]}
        ((*pairs,),) = self._ask(f"{self._version}:classify", body)["results"]
        return [label for label, _ in pairs]

    def close(self) -> None:
        """See `Transport`."""
        self._session.close()

    def _ask(self, url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """GET, or POST of a body; the JSON object of the answer."""
        try:
            response = self._session.request(
                "GET" if body is None else "POST",
                url,
                data=None if body is None else json.dumps(body),
                headers={"Content-Type": "application/json"},
                timeout=self._target.timeout,
            )
        except requests.RequestException as error:
            raise self._explained(error) from error
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or (not response.ok and "error" not in answer):
            raise ServingError(
                f"What answers at {self._target.address} is not TF Serving: HTTP status "
                f"{response.status_code}, {quoted(response.text[:80])}. Expected its REST "
                "interface."
            )
        if not response.ok:
            raise RefusedError(str(answer["error"]), response.status_code == _NOT_FOUND)
        return answer

    def _explained(self, error: requests.RequestException) -> ServingError:
        # Behind the error that requests raises after the last try is the one of that try.
        reason = getattr(error.args[0] if error.args else None, "reason", None) or error
        if isinstance(error, requests.Timeout) or isinstance(reason, ReadTimeoutError):
            return self._target.late()
        # Without the connection that it begins with.
        return self._target.missing(str(reason).split("): ", 1)[-1], "REST", 8501)


def _encoded(values: Values) -> list:
    if isinstance(values, np.ndarray):
        return values.tolist()
    return [
        {"b64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value
        for value in values
    ]

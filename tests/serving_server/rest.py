"""The REST interface, see https://www.tensorflow.org/tfx/serving/api_rest."""

import base64
import json
import re
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import numpy as np
import tensorflow as tf
from google.protobuf.json_format import MessageToDict

from tests.serving_server import messages
from tests.serving_server.models import FailedError, Models, classify, predict, regress

_NAME = r"/v1/models/(?P<name>[^/:]+)(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
_POST = re.compile(_NAME + r":(?P<verb>classify|regress|predict)")
_GET = re.compile(_NAME + r"(?:/(?P<metadata>metadata))?")
_STATUSES = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
_KINDS = {"f": (int, float), "i": (int,), "u": (int,), "b": (bool,)}


def make_server(models: Models, port: int) -> ThreadingHTTPServer:
    """The server, still to be started.

    Args:
        models: what to serve.
        port: 0 for any that is free.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self._answer(_GET, lambda found, _: _describe(models, **found))

        def do_POST(self):
            self._answer(_POST, lambda found, body: _ask(models, body, **found))

        def log_message(self, *_):
            pass

        def _answer(self, pattern: re.Pattern, answer: Callable[[dict, bytes], dict]) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            try:
                found = pattern.fullmatch(self.path)
                if not found:
                    raise FailedError(
                        "INVALID_ARGUMENT", f"Malformed request: {self.command} {self.path}"
                    )
                result = answer(_decoded(found.groupdict()), body)
                # NaN would not be JSON.
                status, text = 200, json.dumps(result, allow_nan=False)
            except FailedError as error:
                status = _STATUSES.get(error.code, 500)
                text = json.dumps({"error": str(error)})
            except Exception as error:
                status, text = 500, json.dumps({"error": f"{type(error).__name__}: {error}"})
            content = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def _decoded(found: dict[str, str | None]) -> dict[str, Any]:
    decoded = {key: value and unquote(value) for key, value in found.items()}
    return decoded | {"version": int(found["version"]) if found["version"] else None}


def _describe(models: Models, name: str, version: int | None, label: str | None, metadata):
    if not metadata:
        # A label says nothing to TF Serving here.
        return _as_json(messages.status(models.status(name, version)))
    found = models.find(name, version, label)
    spec, signatures = messages.metadata(name, found)
    return {
        "model_spec": _as_json(spec) | {"signature_name": ""},
        "metadata": {"signature_def": _as_json(signatures)},
    }


def _as_json(message) -> dict[str, Any]:
    return MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def _ask(models: Models, body: bytes, name: str, version: int | None, label: str | None, verb: str):
    try:
        request = json.loads(body)
    except ValueError as error:
        raise FailedError("INVALID_ARGUMENT", f"JSON Parse error: {error}") from error
    if not isinstance(request, dict):
        raise FailedError("INVALID_ARGUMENT", "JSON Value: Is not object")
    found = models.find(name, version, label)
    signature = request.get("signature_name", "serving_default")
    if verb == "predict":
        return _predict(found, signature, request)
    if not isinstance(request.get("examples"), list) or not request["examples"]:
        raise FailedError("INVALID_ARGUMENT", f"When method is {verb}, key 'examples' is expected")
    context = request.get("context", {})
    examples = [_example(context | features) for features in request["examples"]]
    return {"results": {"classify": classify, "regress": regress}[verb](found, signature, examples)}


def _example(features: dict[str, Any]) -> bytes:
    example = tf.train.Example()
    for name, value in features.items():
        feature = example.features.feature[name]
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str | dict):
                feature.bytes_list.value.append(_bytes(item))
            elif isinstance(item, float):
                feature.float_list.value.append(item)
            else:
                feature.int64_list.value.append(int(item))
    return example.SerializeToString()


def _predict(version, signature: str, request: dict[str, Any]) -> dict[str, Any]:
    if signature not in version.signatures:
        raise FailedError(
            "INVALID_ARGUMENT",
            f'Serving signature name: "{signature}" not found in signature def',
        )
    infos = version.signatures[signature].inputs
    if ("instances" in request) == ("inputs" in request):
        raise FailedError("INVALID_ARGUMENT", "Expected one of 'inputs' or 'instances' keys")
    by_rows = "instances" in request
    columns = _columns(request["instances"], infos) if by_rows else request["inputs"]
    if not isinstance(columns, dict) or _is_base64(columns):
        if len(infos) > 1:
            raise FailedError("INVALID_ARGUMENT", "inputs is a plain value/list, expecting object")
        columns = {next(iter(infos)): columns}
    for name in infos:
        if name not in columns:
            raise FailedError(
                "INVALID_ARGUMENT", f"Missing named input: {name} in 'inputs' object."
            )
    feeds = {name: _array(columns[name], infos[name].dtype) for name in infos}
    outputs = {name: _values(name, a) for name, a in predict(version, signature, feeds).items()}
    if not by_rows:
        return {"outputs": outputs if len(outputs) > 1 else next(iter(outputs.values()))}
    if len(outputs) == 1:
        return {"predictions": next(iter(outputs.values()))}
    rows = zip(*outputs.values(), strict=True)
    return {"predictions": [dict(zip(outputs, row, strict=True)) for row in rows]}


def _columns(rows: Any, infos) -> dict[str, list]:
    if not isinstance(rows, list) or not rows:
        raise FailedError("INVALID_ARGUMENT", "No values in 'instances' array")
    named = [isinstance(row, dict) and not _is_base64(row) for row in rows]
    if not any(named):
        if len(infos) > 1:
            raise FailedError(
                "INVALID_ARGUMENT", "instances is a plain list, but expecting list of objects"
            )
        return {next(iter(infos)): rows}
    for number, row in enumerate(rows):
        if not named[number] or set(row) != set(infos):
            raise FailedError(
                "INVALID_ARGUMENT",
                f"Failed to process element: {number} of 'instances' list. Keys must be equal to: "
                f"{','.join(sorted(infos))}",
            )
    return {name: [row[name] for row in rows] for name in infos}


def _array(value: Any, dtype: int) -> np.ndarray:
    wanted = tf.dtypes.as_dtype(dtype)

    def read(item: Any):
        if isinstance(item, list):
            return [read(part) for part in item]
        if wanted == tf.string:
            return _bytes(item)
        kinds = _KINDS[np.dtype(wanted.as_numpy_dtype).kind]
        if not isinstance(item, kinds) or (isinstance(item, bool) and bool not in kinds):
            raise FailedError(
                "INVALID_ARGUMENT",
                f"JSON Value: {json.dumps(item)} is not of expected type: {wanted.name}",
            )
        return item

    try:
        return np.array(read(value), wanted.as_numpy_dtype)
    except ValueError as error:
        raise FailedError(
            "INVALID_ARGUMENT", f"Encountered list at unexpected size: {error}"
        ) from error


def _is_base64(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"b64"} and isinstance(value["b64"], str)


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if not _is_base64(value):
        raise FailedError(
            "INVALID_ARGUMENT",
            f"JSON Value: {json.dumps(value)} not formatted correctly for base64 data",
        )
    try:
        return base64.b64decode(value["b64"], validate=True)
    except ValueError as error:
        raise FailedError("INVALID_ARGUMENT", "Unable to base64 decode") from error


def _values(name: str, array: np.ndarray) -> Any:
    if array.dtype != object:
        return array.tolist()
    write = (
        (lambda value: {"b64": base64.b64encode(value).decode()})
        if name.endswith("_bytes")
        else bytes.decode
    )
    if array.ndim == 0:
        return write(array.item())
    return [write(item) if array.ndim == 1 else _values(name, item) for item in array]

"""Send requests by gRPC, with the official protocol buffers of tensorflow-serving-api.

The protocol buffers of the package tensorflow-serving-api import TensorFlow.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from keras_tl.base.extras import import_extra
from keras_tl.serving.transport import NoAnswerError, RefusedError, Target, Transport, Values

_SIGNATURES = "signature_def"
# Accept answers of any size. `Target.tried` decides about retries, as for REST.
_OPTIONS = {"grpc.max_receive_message_length": -1, "grpc.enable_retries": 0}
_CREDENTIALS = (
    "The client sends no credentials by gRPC. Use a server or a proxy that needs no credentials, "
    "or the REST interface: for REST, the client reads the file ~/.netrc."
)
# Advice by gRPC status code, because the messages of a proxy contain no advice.
_ADVICE = {
    "UNAUTHENTICATED": _CREDENTIALS,
    "PERMISSION_DENIED": _CREDENTIALS,
    "RESOURCE_EXHAUSTED": "Pass a smaller batch_size=, or repeat the call later.",
}


class GrpcTransport(Transport):
    """Transport by gRPC, without encryption, to a server with an address `grpc://HOST:PORT`.

    Raises:
        ConfigError: tensorflow-serving-api is not installed.
    """

    def __init__(self, target: Target):
        apis = ("classification", "get_model_metadata", "get_model_status", "predict")
        self._protos = {name: _api(f"{name}_pb2") for name in apis}
        # tensorflow-serving-api installs grpc. If both are missing, `_api` has raised an error.
        import grpc

        self._target = target
        self._errors = grpc.RpcError
        self._channel = grpc.insecure_channel(
            target.address.removeprefix("grpc://"), list(_OPTIONS.items())
        )
        self._models = _api("model_service_pb2_grpc").ModelServiceStub(self._channel)
        self._predictions = _api("prediction_service_pb2_grpc").PredictionServiceStub(self._channel)

    def status(self) -> dict[str, Any]:
        request = self._protos["get_model_status"].GetModelStatusRequest()
        request.model_spec.name = self._target.model
        return _as_json(self._ask(self._models.GetModelStatus, request))

    def metadata(self) -> dict[str, Any]:
        messages = self._protos["get_model_metadata"]
        request = self._addressed(messages.GetModelMetadataRequest(metadata_field=[_SIGNATURES]))
        response = self._ask(self._predictions.GetModelMetadata, request)
        signatures = messages.SignatureDefMap()
        response.metadata[_SIGNATURES].Unpack(signatures)
        return {
            "model_spec": _as_json(response.model_spec),
            "metadata": {_SIGNATURES: _as_json(signatures)},
        }

    def predict(
        self, signature: str, inputs: Mapping[str, Values], outputs: Mapping[str, str]
    ) -> dict[str, np.ndarray]:
        import tensorflow as tf

        request = self._addressed(self._protos["predict"].PredictRequest(), signature)
        for name, values in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(_encoded(values)))
        response = self._ask(self._predictions.Predict, request)
        with self._target.reading():
            arrays = {
                name: tf.make_ndarray(response.outputs[name])
                for name in outputs
                if name in response.outputs
            }
            return {name: _as_text(a) if a.dtype == object else a for name, a in arrays.items()}

    def classify(self, signature: str, features: Mapping[str, bytes]) -> list[str]:
        request = self._addressed(self._protos["classification"].ClassificationRequest(), signature)
        example = request.input.example_list.examples.add()
        for name, value in features.items():
            example.features.feature[name].bytes_list.value.append(value)
        response = self._ask(self._predictions.Classify, request)
        with self._target.reading():
            return [found.label for found in response.result.classifications[0].classes]

    def close(self) -> None:
        self._channel.close()

    def _addressed(self, request, signature: str = ""):
        spec = request.model_spec
        spec.name, spec.signature_name = self._target.model, signature
        if self._target.version is not None:
            spec.version.value = self._target.version
        elif self._target.label is not None:
            spec.version_label = self._target.label
        return request

    def _ask(self, method: Callable, request):
        return self._target.tried(lambda: self._sent(method, request))

    def _sent(self, method: Callable, request):
        """Send a request once. Raise `NoAnswerError` if a retry can succeed."""
        try:
            return method(request, timeout=self._target.timeout)
        except self._errors as error:
            code, details = error.code().name, error.details()
        if code == "DEADLINE_EXCEEDED":
            raise NoAnswerError(self._target.late())
        if code == "UNAVAILABLE":
            raise NoAnswerError(self._target.missing(details, "gRPC", 8500))
        if code == "UNIMPLEMENTED":
            raise self._target.missing(details, "gRPC", 8500)
        advice = f" {_ADVICE[code]}" if code in _ADVICE else ""
        refused = RefusedError(f"{details}{advice}", code == "NOT_FOUND")
        if code == "RESOURCE_EXHAUSTED":  # The same rule as for HTTP status 429.
            raise NoAnswerError(refused)
        raise refused


def _api(name: str):
    return import_extra(f"tensorflow_serving.apis.{name}", "tensorflow-serving-api", "grpc")


def _as_json(message) -> dict[str, Any]:
    from google.protobuf.json_format import MessageToDict

    return MessageToDict(message, preserving_proto_field_name=True)


def _encoded(values: Values) -> Values:
    # TensorFlow takes a list of str or a list of bytes, but not both in one list.
    if isinstance(values, np.ndarray):
        return values
    return [value.encode() if isinstance(value, str) else value for value in values]


def _as_text(array: np.ndarray) -> np.ndarray:
    return np.array([value.decode() for value in array.ravel()], object).reshape(array.shape)

"""The gRPC interface."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from tests.serving_server import messages
from tests.serving_server.models import FailedError, Models, Version, classify, predict, regress


def start_server(models: Models, port: int) -> tuple[grpc.Server, int]:
    """The started server, and its port.

    Args:
        models: what to serve.
        port: 0 for any that is free.
    """
    # TF Serving takes messages of any size.
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    server = grpc.server(ThreadPoolExecutor(4), options=options)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        _Predictions(models), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(_Models(models), server)
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server, port


def _with_codes(method: Callable) -> Callable:
    def answer(self, request, context):
        try:
            return method(self, request)
        except FailedError as error:
            context.abort(grpc.StatusCode[error.code], str(error))

    return answer


class _Models(model_service_pb2_grpc.ModelServiceServicer):
    def __init__(self, models: Models):
        self._models = models

    @_with_codes
    def GetModelStatus(self, request):  # noqa: N802
        spec = request.model_spec
        number = spec.version.value if spec.HasField("version") else None
        return messages.status(self._models.status(spec.name, number))


class _Predictions(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, models: Models):
        self._models = models

    @_with_codes
    def Predict(self, request):  # noqa: N802
        version, signature = self._found(request)
        feeds = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
        response = predict_pb2.PredictResponse()
        for name, array in predict(version, signature, feeds).items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(array))
        response.model_spec.CopyFrom(messages.spec(request.model_spec.name, version, signature))
        return response

    @_with_codes
    def Classify(self, request):  # noqa: N802
        version, signature = self._found(request)
        response = classification_pb2.ClassificationResponse()
        for pairs in classify(version, signature, _examples(request)):
            found = response.result.classifications.add()
            for label, score in pairs:
                found.classes.add(label=label, score=score)
        response.model_spec.CopyFrom(messages.spec(request.model_spec.name, version, signature))
        return response

    @_with_codes
    def Regress(self, request):  # noqa: N802
        version, signature = self._found(request)
        response = regression_pb2.RegressionResponse()
        for value in regress(version, signature, _examples(request)):
            response.result.regressions.add(value=value)
        response.model_spec.CopyFrom(messages.spec(request.model_spec.name, version, signature))
        return response

    @_with_codes
    def GetModelMetadata(self, request):  # noqa: N802
        if list(request.metadata_field) != ["signature_def"]:
            raise FailedError("INVALID_ARGUMENT", "GetModelMetadataRequest must ask signature_def")
        version, _ = self._found(request)
        spec, signatures = messages.metadata(request.model_spec.name, version)
        response = get_model_metadata_pb2.GetModelMetadataResponse(model_spec=spec)
        response.metadata["signature_def"].Pack(signatures)
        return response

    def _found(self, request) -> tuple[Version, str]:
        spec = request.model_spec
        number = spec.version.value if spec.HasField("version") else None
        version = self._models.find(spec.name, number, spec.version_label)
        return version, spec.signature_name or "serving_default"


def _examples(request) -> list[bytes]:
    given = request.input
    if given.HasField("example_list_with_context"):
        context = given.example_list_with_context.context
        examples = given.example_list_with_context.examples
    else:
        context, examples = tf.train.Example(), given.example_list.examples
    if not examples:
        raise FailedError("INVALID_ARGUMENT", "Input is empty.")
    made = []
    for example in examples:
        whole = tf.train.Example()
        whole.MergeFrom(context)
        whole.MergeFrom(example)
        made.append(whole.SerializeToString())
    return made

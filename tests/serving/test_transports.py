"""Servers that are away, late, busy, or no TF Serving."""

import contextlib
import json
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from tensorflow_serving.apis import get_model_status_pb2

from keras_tl.errors import ConfigError, ServingError
from keras_tl.serving import Client, ModelVersion
from keras_tl.serving.transport import NoAnswerError, Target
from tests.raw_servers import rest_server

STATUS = {"model_version_status": [{"version": "1", "state": "AVAILABLE"}]}
FOUND = (ModelVersion(1, "AVAILABLE"),)


OK = (200, json.dumps(STATUS))
BUSY = (503, '{"error": "The batch scheduling queue is full"}')


@pytest.mark.parametrize(
    ("answers", "retries", "said"),
    [
        ([OK], 0, None),
        ([BUSY, (429, '{"error": "too many"}'), OK], 2, None),
        (["hang up", "hang up", OK], 2, None),
        ([BUSY, BUSY], 1, "refuses the request: The batch scheduling queue is full"),
        ([BUSY], 0, "refuses the request: The batch scheduling queue is full"),
        (
            ["hang up", "hang up"],
            1,
            "Check that the server is running, and that this is the port of its REST",
        ),
        # Nothing to be gained by asking again.
        ([(400, '{"error": "no,\\n  of\\tcourse"}')], 3, "refuses the request: no, of course"),
        ([(500, '{"error": "broken"}')], 3, "refuses the request: broken"),
        ([(404, "<html>")], 3, "is not TF Serving: HTTP status 404, '<html>'"),
        ([(200, "[]")], 3, "is not TF Serving: HTTP status 200"),
    ],
)
def test_rest_asks_again_where_it_may_help(answers, retries, said):
    with rest_server(*answers) as (address, asked), Client(address, "m", retries=retries) as client:
        if said is None:
            assert client.status() == FOUND
        else:
            with pytest.raises(ServingError) as error:
                client.status()
            assert said in str(error.value)
    assert asked == ["/v1/models/m"] * len(answers)


def test_rest_asks_about_items_again_too():
    tensor = {"dtype": "DT_FLOAT", "tensor_shape": {"dim": [{"size": "-1"}]}}
    signature = {"inputs": {"x": tensor}, "outputs": {"y": tensor}, "method_name": ""}
    metadata = {
        "model_spec": {"version": "1"},
        "metadata": {"signature_def": {"signature_def": {"double": signature}}},
    }
    answers = [(200, json.dumps(metadata)), BUSY, "hang up", (200, '{"outputs": [2.0, 4.0]}')]
    with rest_server(*answers) as (address, asked), Client(address, "m") as client:
        assert client.ask("double", {"x": [1, 2]})["y"].tolist() == [2, 4]
    assert asked == ["/v1/models/m/metadata"] + ["/v1/models/m:predict"] * 3


def test_rest_does_not_wait_for_ever():
    with (
        rest_server("wait") as (address, _),
        Client(address, "m", timeout=0.05, retries=0) as client,
        pytest.raises(ServingError, match=r"did not answer within 0.05 seconds. Pass a longer"),
    ):
        client.status()


@contextlib.contextmanager
def grpc_server(failures, code=grpc.StatusCode.UNAVAILABLE, wait=None):
    """A gRPC server that fails first and counts the questions."""
    asked = []

    def answer(_, context):
        asked.append(None)
        if wait is not None:
            wait.wait()
        if len(asked) <= failures:
            context.abort(code, "not now")
        response = get_model_status_pb2.GetModelStatusResponse()
        state = get_model_status_pb2.ModelVersionStatus.AVAILABLE
        response.model_version_status.add(version=1, state=state)
        return response

    message = get_model_status_pb2
    method = grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=message.GetModelStatusRequest.FromString,
        response_serializer=message.GetModelStatusResponse.SerializeToString,
    )
    server = grpc.server(ThreadPoolExecutor(1))
    service = grpc.method_handlers_generic_handler(
        "tensorflow.serving.ModelService", {"GetModelStatus": method}
    )
    server.add_generic_rpc_handlers([service])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"grpc://127.0.0.1:{port}", asked
    finally:
        server.stop(None).wait()


@pytest.mark.parametrize(
    ("failures", "retries", "questions"), [(0, 0, 1), (2, 2, 3), (2, 10, 3), (2, 1, 2), (1, 0, 1)]
)
def test_grpc_asks_again(failures, retries, questions):
    with (
        grpc_server(failures) as (address, asked),
        Client(address, "m", retries=retries) as client,
    ):
        if questions > failures:
            assert client.status() == FOUND
        else:
            with pytest.raises(ServingError, match=r"No answer from grpc.*not now.*its gRPC inter"):
                client.status()
    assert len(asked) == questions


@pytest.mark.parametrize(("failures", "retries"), [(2, 2), (2, 1)])
def test_an_overloaded_server_is_asked_again_by_grpc_as_by_rest(failures, retries):
    exhausted = grpc.StatusCode.RESOURCE_EXHAUSTED
    with (
        grpc_server(failures, exhausted) as (address, asked),
        Client(address, "m", retries=retries) as client,
    ):
        if retries >= failures:
            assert client.status() == FOUND
        else:
            with pytest.raises(ServingError, match="refuses the request: not now Pass a smaller"):
                client.status()
    assert len(asked) == 1 + min(retries, failures)


def test_grpc_asks_again_as_often_as_rest():
    with grpc_server(6) as (address, asked), Client(address, "m", timeout=0.2, retries=6) as client:
        assert client.status() == FOUND
    assert len(asked) == 7


def test_a_late_answer_is_asked_for_again():
    with rest_server("wait", OK) as (address, asked):
        with Client(address, "m", timeout=0.2, retries=1) as client:
            assert client.status() == FOUND
        assert len(asked) == 2
    over = threading.Event()
    threading.Timer(0.3, over.set).start()
    with (
        grpc_server(0, wait=over) as (address, asked),
        Client(address, "m", timeout=0.2, retries=1) as client,
    ):
        assert client.status() == FOUND
    assert len(asked) == 2


def test_one_rule_decides_about_pauses(monkeypatch):
    waited = []
    monkeypatch.setattr("keras_tl.serving.transport.time.sleep", waited.append)
    target = Target("http://localhost", "m", None, None, timeout=2.0, retries=5)
    wanted = [None, None, None, 9.0, 0.5]  # Seconds that the server names.
    failures = [NoAnswerError(ServingError("late"), pause) for pause in wanted]

    def send():
        if failures:
            raise failures.pop(0)
        return "found"

    assert target.tried(send) == "found"
    assert waited == [0.0, 0.4, 0.8, 2.0, 0.5]
    failures += [NoAnswerError(ServingError(f"late {number}")) for number in range(6)]
    with pytest.raises(ServingError, match="late 5"):
        target.tried(send)


def test_grpc_does_not_ask_again_what_is_refused():
    with (
        grpc_server(1, grpc.StatusCode.INVALID_ARGUMENT) as (address, asked),
        Client(address, "m") as client,
        pytest.raises(ServingError, match="refuses the request: not now"),
    ):
        client.status()
    assert len(asked) == 1


def test_grpc_does_not_wait_for_ever():
    over = threading.Event()
    with grpc_server(0, wait=over) as (address, _), Client(address, "m", timeout=0.2) as client:
        with pytest.raises(ServingError, match=r"did not answer within 0.2 seconds"):
            client.status()
        over.set()


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_nobody_there(protocol):
    with socket.socket() as free:
        # Bound, so that nobody else takes it, and not listening.
        free.bind(("127.0.0.1", 0))
        address = f"{protocol}://127.0.0.1:{free.getsockname()[1]}"
        with (
            Client(address, "m", retries=1) as client,
            pytest.raises(
                ServingError, match=f"No answer from {address}: .*Check that the server is running"
            ),
        ):
            client.predict(b"image")


def test_the_wrong_port():
    with (
        grpc_server(0) as (address, _),
        Client(address.replace("grpc", "http"), "m", retries=0) as client,
        pytest.raises(ServingError, match=r"its REST interface\. .* default port is 8501"),
    ):
        client.status()
    with (
        rest_server(OK) as (address, _),
        Client(address.replace("http", "grpc"), "m", retries=0) as client,
        pytest.raises(ServingError, match=r"its gRPC interface\. .* default port is 8500"),
    ):
        client.status()


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        (("localhost:8501", "m"), {}, "address as http://HOST:PORT .REST. or grpc://HOST:PORT"),
        (("ftp://localhost", "m"), {}, "Received: 'ftp://localhost'"),
        (("http://", "m"), {}, "Received: 'http:"),
        (("http://localhost", ""), {}, "model must be the model's name"),
        (("http://localhost", None), {}, "model must be the model's name"),
        (("http://localhost", "m"), {"version": 1, "label": "a"}, "version= or label=, not both"),
        (("http://localhost", "m"), {"version": "1"}, "version must be a whole number"),
        (("http://localhost", "m"), {"timeout": 0}, "timeout must be a number"),
        (("http://localhost", "m"), {"retries": -1}, "retries must be a whole number"),
    ],
)
def test_arguments_are_checked(arguments, options, said):
    with pytest.raises(ConfigError, match=said):
        Client(*arguments, **options)


def test_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis.predict_pb2", None)
    with pytest.raises(ConfigError, match=r'pip install "grpcio>='):
        Client("grpc://localhost:8500", "m")


def test_names_are_quoted():
    with rest_server(OK) as (address, asked), Client(f"{address}/", "a/b c") as client:
        client.status()
    assert asked == ["/v1/models/a%2Fb%20c"]

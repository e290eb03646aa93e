"""Answers that TF Serving, or a proxy before it, may give and that are no predictions."""

import contextlib
import json
import time

import grpc
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf.json_format import ParseDict
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    predict_pb2,
)

from keras_tl.errors import ServingError
from keras_tl.serving import Client
from tests.raw_servers import grpc_server, rest_server

OUTPUTS = ("probabilities", "class_id", "label")
SPECS = {
    "probabilities": {"dtype": "DT_FLOAT", "tensor_shape": {"dim": [{"size": -1}, {"size": -1}]}},
    "class_id": {"dtype": "DT_INT64", "tensor_shape": {"dim": [{"size": -1}]}},
    "label": {"dtype": "DT_STRING", "tensor_shape": {"dim": [{"size": -1}]}},
    "features": {"dtype": "DT_FLOAT", "tensor_shape": {"dim": [{"size": -1}, {"size": 2}]}},
}
ABOUT = {"model_spec": {"version": "1"}, "metadata": {"signature_def": {"signature_def": {}}}}
TEXT = {"text": {"dtype": "DT_STRING", "tensor_shape": {"dim": [{"size": -1}]}}}


def metadata(**signatures):
    """What both protocols say of a model for texts with these outputs of its signatures."""
    return {
        name: {"inputs": TEXT, "outputs": {output: SPECS[output] for output in outputs}}
        for name, outputs in signatures.items()
    }


def answers_of(rows, names):
    """The outputs for texts, by lists of probabilities."""
    best = [int(np.argmax(row)) for row in rows]
    return {"probabilities": rows, "class_id": best, "label": [names[number] for number in best]}


TWO = answers_of([[0.9, 0.1]] * 2, "ab")
THREE = answers_of([[0.1, 0.2, 0.7]] * 2, "abc")
ONE = {name: values[:1] for name, values in TWO.items()}


@contextlib.contextmanager
def by_rest(signatures, answers):
    """The address of a REST server that gives these answers."""
    about = ABOUT | {"metadata": {"signature_def": {"signature_def": signatures}}}
    # The name of an only output is left out.
    outputs = [answer if len(answer) > 1 else next(iter(answer.values())) for answer in answers]
    replies = [about, *({"outputs": output} for output in outputs)]
    with rest_server(*((200, json.dumps(reply)) for reply in replies)) as (address, _):
        yield address


def by_grpc(signatures, answers):
    """The same of a gRPC server."""
    about = get_model_metadata_pb2.GetModelMetadataResponse()
    about.model_spec.version.value = 1
    told = ParseDict({"signature_def": signatures}, get_model_metadata_pb2.SignatureDefMap())
    about.metadata["signature_def"].Pack(told)
    replies = []
    for answer in answers:
        replies.append(predict_pb2.PredictResponse())
        for name, values in answer.items():
            dtype = {"probabilities": np.float32, "features": np.float32}.get(name)
            replies[-1].outputs[name].CopyFrom(tf.make_tensor_proto(np.array(values, dtype)))
    return grpc_server(GetModelMetadata=[about], Predict=replies)


PROTOCOLS = {"rest": by_rest, "grpc": by_grpc}
# The signatures, the answers to the batches, and what is said of them.
ODD = {
    "other-classes-in-the-second-batch": (
        {"serving_default": OUTPUTS},
        [TWO, THREE],
        "switched to another version between two batches",
    ),
    "one-answer-for-two": ({"serving_default": OUTPUTS}, [ONE], "Expected 2 rows of 'class_id'"),
    "no-row": (
        {"serving_default": OUTPUTS},
        [TWO | {"class_id": 1}],
        "Expected 2 rows of 'class_id', one row per sent item. Received an array of",
    ),
    "no-list-of-probabilities": (
        {"serving_default": OUTPUTS},
        [TWO | {"probabilities": [0.5, 0.5]}] * 2,
        "Expected 'probabilities' (items, classes)",
    ),
    "class-number-too-large": (
        {"serving_default": OUTPUTS},
        [TWO | {"class_id": [5, 0]}] * 2,
        "classes do not have these 2 names",
    ),
    "no-probabilities": (
        {"serving_default": ("features",)},
        [{"features": [[1, 2]] * 2}] * 2,
        "Received: 'features' (4, 2). Use client.embed(items)",
    ),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", ODD)
def test_what_is_no_prediction_is_said(protocol, name):
    signatures, answers, said = ODD[name]
    with PROTOCOLS[protocol](metadata(**signatures), answers) as address:
        names = None if name == "other-classes-in-the-second-batch" else ("a", "b")
        client = Client(address, "m", class_names=names, retries=0)
        with client, pytest.raises(ServingError) as error:
            client.predict(["one", "two", "three", "four"], batch_size=2)
    assert said in str(error.value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_two_batches_of_one_version_are_put_together(protocol):
    with (
        PROTOCOLS[protocol](metadata(serving_default=OUTPUTS), [TWO, TWO]) as address,
        Client(address, "m", class_names="ab", retries=0) as client,
    ):
        assert client.predict(["a text"] * 4, batch_size=2).labels == ["a"] * 4


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_signature_embed_without_features_is_said(protocol):
    with (
        PROTOCOLS[protocol](metadata(embed=("probabilities",)), [{"probabilities": [[1, 0]]}]) as a,
        Client(a, "m", retries=0) as client,
        pytest.raises(ServingError, match="features"),
    ):
        client.embed("a text")


KNOWN = json.dumps(
    ABOUT
    | {"metadata": {"signature_def": {"signature_def": metadata(serving_default=OUTPUTS, x=())}}}
)


def status(client):
    return client.status()


def predict(client):
    return client.predict("a text")


# Replies to requests in turn, what is asked, and what is said.
REPLIES = {
    "status-of-nothing": (["{}"], status, "KeyError: 'model_version_status'"),
    "status-without-number": (['{"model_version_status": [{}]}'], status, "KeyError: 'version'"),
    "status-of-another-kind": (['{"model_version_status": 3}'], status, "TypeError"),
    "metadata-of-nothing": (["{}"], predict, "KeyError: 'metadata'"),
    "metadata-without-version": ([json.dumps(ABOUT | {"model_spec": {}})], predict, "'version'"),
    "no-outputs": ([KNOWN, '{"predictions": [1]}'], predict, "KeyError: 'outputs'"),
    "outputs-of-another-kind": ([KNOWN, '{"outputs": 3}'], predict, "TypeError"),
    "numbers-that-are-none": (
        [KNOWN, '{"outputs": {"probabilities": [["a"]], "class_id": [0], "label": ["a"]}}'],
        predict,
        "ValueError",
    ),
}


@pytest.mark.parametrize("name", REPLIES)
def test_replies_without_the_expected_keys_are_said(name):
    replies, ask, said = REPLIES[name]
    with (
        rest_server(*((200, reply) for reply in replies)) as (address, _),
        Client(address, "m", retries=0) as client,
        pytest.raises(ServingError) as error,
    ):
        ask(client)
    assert "does not have the form of TF Serving" in str(error.value)
    assert said in str(error.value)


def test_classes_that_classify_does_not_tell_are_said():
    signatures = metadata(serving_default=OUTPUTS, classify=())
    about = ABOUT | {"metadata": {"signature_def": {"signature_def": signatures}}}
    replies = (json.dumps(about), json.dumps({"outputs": ONE}), '{"results": []}')
    with (
        rest_server(*((200, reply) for reply in replies)) as (address, _),
        Client(address, "m", retries=0) as client,
        pytest.raises(ServingError, match="does not have the form of TF Serving"),
    ):
        client.predict("a text")


def classify(client):
    return client._transport.classify("classify", {"text": b""})


EMPTY = {
    "metadata": ("GetModelMetadata", get_model_metadata_pb2.GetModelMetadataResponse, predict),
    "classify": ("Classify", classification_pb2.ClassificationResponse, classify),
}


@pytest.mark.parametrize("name", EMPTY)
def test_by_grpc_replies_without_the_expected_fields_are_said(name):
    method, message, ask = EMPTY[name]
    with (
        grpc_server(**{method: [message()]}) as address,
        Client(address, "m", retries=0) as client,
        pytest.raises(ServingError, match="does not have the form of TF Serving"),
    ):
        ask(client)


# What a proxy before TF Serving answers, how often it is asked, and what is said.
PROXIES = {
    "bad-gateway": (
        502,
        2,
        "HTTP status 502 (Bad Gateway). A proxy at this address gets no answer from TF",
    ),
    "gateway-timeout": (
        504,
        2,
        "HTTP status 504 (Gateway Timeout). A proxy at this address gets no answer",
    ),
    "unavailable": (
        503,
        2,
        "HTTP status 503 (Service Unavailable). A proxy at this address gets no answer",
    ),
    "too-many": (429, 2, "HTTP status 429 (Too Many Requests). The server is overloaded."),
    "too-large": (413, 1, "The request is too large for the server. Pass a smaller batch_size="),
    "no-login": (
        401,
        1,
        "HTTP status 401 (Unauthorized). The server requires a valid user name and password",
    ),
    "forbidden": (
        403,
        1,
        "HTTP status 403 (Forbidden). The server requires a valid user name and password",
    ),
    "not-found": (404, 1, "is not TF Serving: HTTP status 404, '<html>'"),
    "broken": (500, 1, "is not TF Serving: HTTP status 500, '<html>'"),
}


@pytest.mark.parametrize("name", PROXIES)
def test_a_proxy_is_not_said_to_be_another_server(name):
    code, asked, said = PROXIES[name]
    with (
        rest_server(*[(code, "<html>")] * asked) as (address, paths),
        Client(address, "m", retries=1) as client,
        pytest.raises(ServingError) as error,
    ):
        client.status()
    assert said in str(error.value)
    assert len(paths) == asked


CODES = {
    "UNAUTHENTICATED": "refuses the request: no. The client sends no credentials by gRPC.",
    "PERMISSION_DENIED": "refuses the request: no. The client sends no credentials by gRPC.",
    "RESOURCE_EXHAUSTED": "refuses the request: no. Pass a smaller batch_size=",
    "INTERNAL": "refuses the request: no.",
    "UNIMPLEMENTED": "Check that the server is running, and that this is the port of its gRPC",
}


@pytest.mark.parametrize("code", CODES)
def test_by_grpc_it_is_said_what_to_do(code):
    with (
        grpc_server(GetModelMetadata=[(grpc.StatusCode[code], "no.")]) as address,
        Client(address, "m", retries=0) as client,
        pytest.raises(ServingError) as error,
    ):
        client.metadata()
    assert CODES[code] in str(error.value)


@pytest.mark.parametrize("after", ["20", "Fri, 01 Jan 2100 00:00:00 GMT", "soon"])
def test_it_waits_no_longer_than_its_timeout(after):
    busy = (503, '{"error": "busy"}', {"Retry-After": after})
    found = (200, json.dumps({"model_version_status": []}))
    began = time.monotonic()
    with (
        rest_server(busy, found) as (address, paths),
        Client(address, "m", timeout=0.3, retries=1) as client,
    ):
        assert client.status() == ()
    assert time.monotonic() - began < 2
    assert len(paths) == 2


def test_intervals_do_not_grow_beyond_the_timeout():
    # Doubled each time they would be 12 seconds in all.
    busy = (503, '{"error": "busy"}')
    began = time.monotonic()
    with (
        rest_server(*[busy] * 7) as (address, _),
        Client(address, "m", timeout=0.1, retries=6) as client,
        pytest.raises(ServingError, match="busy"),
    ):
        client.status()
    assert time.monotonic() - began < 2

"""The test server itself: what TF Serving documents of its protocols.

See https://www.tensorflow.org/tfx/serving/api_rest, and the sources for codes and messages.
"""

import base64
import io
import json

import grpc
import numpy as np
import pytest
import requests
import tensorflow as tf
from PIL import Image
from tensorflow_serving.apis import (
    classification_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from tests.served_models import COLOURS, expected


def png(*colour):
    buffer = io.BytesIO()
    Image.new("RGB", (2, 2), colour).save(buffer, "PNG")
    return buffer.getvalue()


COLOUR = (200, 100, 0)
FILE = png(*COLOUR)
B64 = {"b64": base64.b64encode(FILE).decode()}
SCORES = expected([COLOUR])[0]


@pytest.fixture(scope="module")
def post(made_server):
    def send(path, body):
        content = body if isinstance(body, str) else json.dumps(body)
        response = requests.post(f"{made_server['rest']}/v1/models/{path}", content, timeout=60)
        assert response.headers["Content-Type"] == "application/json"
        return response.status_code, response.json()

    return send


ROW = {"probabilities": SCORES, "class_id": 0, "label": "red", "valid": True}
PIXEL = [[list(COLOUR)]]


@pytest.mark.parametrize(
    ("path", "body", "answer"),
    [
        ("photos:predict", {"instances": [B64]}, {"predictions": [ROW]}),
        ("photos:predict", {"instances": [{"image_bytes": B64}] * 2}, {"predictions": [ROW] * 2}),
        (
            "photos/versions/12:predict",
            {"inputs": [B64]},
            {"outputs": {name: [value] for name, value in ROW.items()}},
        ),
        (
            "photos/labels/new:predict",
            {"signature_name": "serving_default", "inputs": {"image_bytes": [B64]}},
            {"outputs": {name: [value] for name, value in ROW.items()}},
        ),
        (
            "photos:predict",
            {"signature_name": "pixels", "instances": [PIXEL]},
            {"predictions": [{name: ROW[name] for name in ROW if name != "valid"}]},
        ),
        (
            # An only output has no name.
            "pairs:predict",
            {"signature_name": "embed", "instances": [{"text": "a", "text_pair": "bc"}]},
            {"predictions": [[1, 2, 3]]},
        ),
        (
            "pairs:predict",
            {"signature_name": "embed", "inputs": {"text": ["a"], "text_pair": ["\u2603"]}},
            {"outputs": [[1, 3, 4]]},
        ),
        (
            "photos:classify",
            {"signature_name": "classify", "examples": [{"image_bytes": B64}]},
            {"results": [[*zip(COLOURS, SCORES, strict=True)]]},
        ),
        (
            "pairs:classify",
            {
                "signature_name": "classify",
                "context": {"text": "a"},
                "examples": [{"text_pair": "bc"}],
            },
            {
                "results": [
                    [*zip(("short", "long", "longer"), expected([[1, 2, 3]])[0], strict=True)]
                ]
            },
        ),
        (
            "prices:regress",
            {"signature_name": "regress", "examples": [{"image_bytes": B64}] * 2},
            {"results": [200, 200]},
        ),
    ],
)
def test_answers(post, path, body, answer):
    status, found = post(path, body)
    assert status == 200, found
    assert flat(found) == pytest.approx(flat(answer), abs=1e-6)


def flat(value, path=()):
    """Leaves by their places."""
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list | tuple | np.ndarray):
        items = enumerate(value)
    else:
        return {path: value}
    return {key: leaf for name, part in items for key, leaf in flat(part, (*path, name)).items()}


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("cats:predict", {"instances": [B64]}, 404, "Servable not found for request: Latest(cats)"),
        (
            "photos/versions/3:predict",
            {"instances": [B64]},
            404,
            "Servable not found for request: Specific(photos, 3)",
        ),
        ("photos/labels/old:predict", {"instances": [B64]}, 400, "Unrecognized servable version"),
        ("photos:guess", {"instances": [B64]}, 400, "Malformed request: POST"),
        ("photos:predict", "{", 400, "JSON Parse error"),
        ("photos:predict", [], 400, "Is not object"),
        ("photos:predict", {}, 400, "'inputs' or 'instances'"),
        ("photos:predict", {"instances": []}, 400, "No values in 'instances'"),
        (
            "photos:predict",
            {"instances": [B64], "signature_name": "no"},
            400,
            'name: "no" not found',
        ),
        (
            "photos:predict",
            {"instances": [{"image": B64}]},
            400,
            "Keys must be equal to: image_byt",
        ),
        ("photos:predict", {"inputs": {"image": [B64]}}, 400, "Missing named input: image_bytes"),
        ("photos:predict", {"instances": [{"b64": "?"}]}, 400, "Unable to base64 decode"),
        ("photos:predict", {"instances": [3]}, 400, "not formatted correctly for base64 data"),
        ("pairs:predict", {"instances": ["text"]}, 400, "is a plain list"),
        (
            "photos:predict",
            {"signature_name": "pixels", "instances": [[[["a", 0, 0]]]]},
            400,
            "is not of expected type: float",
        ),
        (
            "photos:predict",
            {"signature_name": "pixels", "instances": [[[[1, 2, 3], [1, 2]]]]},
            400,
            "unexpected size",
        ),
        ("photos:predict", {"signature_name": "pixels", "instances": [1.0]}, 400, "shape"),
        # Not a number makes no JSON.
        (
            "photos:predict",
            '{"signature_name": "pixels", "instances": [[[[NaN, 0, 0]]]]}',
            500,
            "not JSON compliant",
        ),
        (
            "photos:classify",
            {"examples": [{"image_bytes": B64}]},
            400,
            "Was: tensorflow/serving/pred",
        ),
        ("photos:classify", {"signature_name": "classify"}, 400, "key 'examples'"),
        (
            "photos:regress",
            {"signature_name": "no", "examples": [{}]},
            400,
            "No signature was found",
        ),
    ],
)
def test_errors(post, path, body, status, said):
    code, answer = post(path, body)
    assert (code, set(answer)) == (status, {"error"})
    assert said in answer["error"]


@pytest.fixture(scope="module")
def stub(made_server):
    with grpc.insecure_channel(made_server["grpc"].removeprefix("grpc://")) as channel:
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel)


def filled(request, model, signature, example=True):
    request.model_spec.name, request.model_spec.signature_name = model, signature
    if example:
        feature = request.input.example_list.examples.add().features.feature["image_bytes"]
        feature.bytes_list.value.append(FILE)
    return request


def test_grpc(stub):
    found = stub.Classify(filled(classification_pb2.ClassificationRequest(), "photos", "classify"))
    (classes,) = found.result.classifications
    assert [each.label for each in classes.classes] == [*COLOURS]
    np.testing.assert_allclose([each.score for each in classes.classes], SCORES, atol=1e-6)
    assert found.model_spec.version.value == 12
    found = stub.Regress(filled(regression_pb2.RegressionRequest(), "prices", "regress"))
    assert [each.value for each in found.result.regressions] == [200]
    request = filled(predict_pb2.PredictRequest(), "photos", "", example=False)
    request.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto([FILE]))
    found = stub.Predict(request)
    assert found.model_spec.signature_name == "serving_default"
    np.testing.assert_allclose(tf.make_ndarray(found.outputs["probabilities"]), [SCORES], atol=1e-6)


@pytest.mark.parametrize(
    ("model", "signature", "code"),
    [
        ("cats", "", grpc.StatusCode.NOT_FOUND),
        ("photos", "no", grpc.StatusCode.FAILED_PRECONDITION),
        ("pairs", "", grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
def test_grpc_errors(stub, model, signature, code):
    request = filled(predict_pb2.PredictRequest(), model, signature, example=False)
    with pytest.raises(grpc.RpcError) as error:
        stub.Predict(request)
    assert error.value.code() is code

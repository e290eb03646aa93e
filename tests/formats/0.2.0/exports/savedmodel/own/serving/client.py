"""Send items to own and print the outputs of each item as one line of JSON.

    python client.py http://localhost:8501 [IMAGE ...]
    python client.py grpc://localhost:8500 [IMAGE ...]

An address with http:// or https:// uses the REST interface of TensorFlow Serving, which needs the
package `requests`. An address with grpc:// uses the gRPC interface, which needs the package
`tensorflow-serving-api`.
"""

import base64
import json
import sys
from pathlib import Path

MODEL = "own"
OUTPUTS = ["class_id", "label", "probabilities", "valid"]
EXAMPLES = [str(Path(__file__).with_name("example.png"))]
TIMEOUT = 60  # seconds


def read_items(given: list[str]) -> list[dict]:
    """Return the inputs of each item, by input name."""
    return [{"image_bytes": Path(file).read_bytes()} for file in given]


def ask_rest(address: str, items: list[dict]) -> list[dict]:
    """Return the outputs of each item, by output name."""
    import requests

    rows = [{name: as_json(value) for name, value in item.items()} for item in items]
    url = f"{address}/v1/models/{MODEL}:predict"
    response = requests.post(url, json={"instances": rows}, timeout=TIMEOUT)
    if not response.ok:
        sys.exit(f"{url} answers {response.status_code}: {response.text}")
    # The server omits the name of a single output.
    answers = response.json()["predictions"]
    return [row if isinstance(row, dict) else {OUTPUTS[0]: row} for row in answers]


def as_json(value: str | bytes) -> str | dict:
    """Return a value for JSON: bytes as base64."""
    return value if isinstance(value, str) else {"b64": base64.b64encode(value).decode()}


def ask_grpc(address: str, items: list[dict]) -> list[dict]:
    """Return the outputs of each item, by output name."""
    import grpc
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    request = predict_pb2.PredictRequest()
    request.model_spec.name = MODEL
    for name in items[0]:
        request.inputs[name].CopyFrom(tf.make_tensor_proto([item[name] for item in items]))
    with grpc.insecure_channel(address.removeprefix("grpc://")) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        response = stub.Predict(request, timeout=TIMEOUT)
    columns = {name: tf.make_ndarray(tensor).tolist() for name, tensor in response.outputs.items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def main(address: str = "http://localhost:8501", *given: str) -> None:
    """Send the given items, or the examples, and print the outputs."""
    ask = ask_grpc if address.startswith("grpc://") else ask_rest
    for answer in ask(address.rstrip("/"), read_items(list(given) or EXAMPLES)):
        print(json.dumps(answer, default=bytes.decode, ensure_ascii=False))


if __name__ == "__main__":
    main(*sys.argv[1:])

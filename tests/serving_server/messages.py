"""Answers about models, as the official protocol buffers."""

from collections.abc import Iterable

from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, model_pb2

from tests.serving_server.models import Version

_UNKNOWN = 2


def status(versions: Iterable[Version]) -> get_model_status_pb2.GetModelStatusResponse:
    """The states of versions: those that could not be loaded have ended."""
    response = get_model_status_pb2.GetModelStatusResponse()
    states = get_model_status_pb2.ModelVersionStatus.State
    for version in versions:
        state = states.END if version.error else states.AVAILABLE
        found = response.model_version_status.add(version=version.number, state=state)
        found.status.error_code = _UNKNOWN if version.error else 0
        found.status.error_message = version.error
    return response


def spec(name: str, version: Version, signature: str = "") -> model_pb2.ModelSpec:
    """Which model answered."""
    made = model_pb2.ModelSpec(name=name, signature_name=signature)
    made.version.value = version.number
    return made


def metadata(
    name: str, version: Version
) -> tuple[model_pb2.ModelSpec, get_model_metadata_pb2.SignatureDefMap]:
    """The model and its signatures."""
    signatures = get_model_metadata_pb2.SignatureDefMap()
    for key, signature in version.signatures.items():
        signatures.signature_def[key].CopyFrom(signature)
    return spec(name, version), signatures

"""The configuration for a server: what the programs that read it make of it."""

import ast
import io
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)
from PIL import Image
from tensorflow_serving.config import model_server_config_pb2

from keras_tl.errors import ConfigError
from keras_tl.export.export_facts import Exported
from keras_tl.export.server_files import server_files

FILES = {"image_bytes": ("string", (-1,))}
SCORES = {"probabilities": ("float32", (-1, 3)), "label": ("string", (-1,))}
EXAMPLES = {"inputs": ("string", (-1,))}
KINDS = {
    "images": {"item": ("image_bytes",), "pixels": ("float32", (-1, -1, -1, 3))},
    "texts": {"item": ("text",), "standard": "regress", "labels": ()},
    "pairs": {"item": ("text", "text_pair"), "tokens": ("int32", (-1, 64))},
}
# How a model's folder may be called, and what Compose and Kubernetes call it.
NAMES = {
    "photos": "photos",
    "Photos_of.2024": "photos-of-2024",
    "2024": "model-2024",
    "null": "null",
    "1e5": "model-1e5",
    "true": "true",
    "a--__..": "a",
    "x" * 100: "x" * 40,
    "x" * 39 + "-y": "x" * 39,
}
NO_NAMES = [
    "my photos",
    "a'b",
    'a"b',
    "a:b",
    "a$b",
    "a\nb",
    "photos\n",
    "-rf",
    ".hidden",
    "фото",
    "é",
]


def exported(kind="images", name="photos", version=2, others=(1,), size=10**6):
    given = dict(KINDS[kind])
    item, standard = given.pop("item"), given.pop("standard", "classify")
    labels = given.pop("labels", ("red", "green", 'blue "x" `y` {{name}} \u2603'))
    taken = dict.fromkeys(item, ("string", (-1,)))
    signatures = {"serving_default": (taken, SCORES), standard: (EXAMPLES, SCORES)}
    signatures |= {number: ({number: shape}, SCORES) for number, shape in given.items()}
    return Exported(
        base=Path("/models") / name,
        version=version,
        others=others,
        tensorflow="2.21.3",
        signatures=signatures,
        item=item,
        standard=standard,
        labels=labels,
        size=size,
    )


def made(kind="images", name="photos", cores=6, **options):
    files = server_files(exported(kind, name, **options), cores)
    return {name: content.decode() for name, content in files.items() if name != "example.png"}


def uncommented(text, *beginnings):
    """With the comments that begin so as parts of the text."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        content = line.strip().removeprefix("# ")
        if content.startswith(beginnings) and line.strip().startswith("#"):
            lines[number] = content
    return "\n".join(lines)


def model_config(text):
    parsed = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    (config,) = parsed.model_config_list.config
    return config


def serving_message(messages):
    """The last of messages of TensorFlow Serving that no package has.

    Args:
        messages: of each by name the fields, of each its number and type, by name.
    """
    file = descriptor_pb2.FileDescriptorProto(
        name="serving.proto", package="serving", dependency=[wrappers_pb2.DESCRIPTOR.name]
    )
    for name, fields in messages.items():
        declared = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            added = declared.field.add(name=field, number=number, label=1)
            if kind.startswith("."):
                added.type, added.type_name = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE, kind
            else:
                added.type = descriptor_pb2.FieldDescriptorProto.Type.Value(f"TYPE_{kind}")
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"serving.{name}"))()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_name_gives_valid_files(kind, name):
    files = made(kind, name)
    config = model_config(files["models.config"])
    assert (config.name, config.base_path) == (name, f"/models/{name}")
    compose = yaml.safe_load(files["docker-compose.yml"])
    assert compose["name"] == NAMES[name]
    service = compose["services"]["tf-serving"]
    assert service["volumes"][0]["target"] == config.base_path
    assert f"--model_config_file=/models/{name}/serving/models.config" in service["command"]
    kserve = yaml.safe_load(files["inference_service.yaml"])
    assert kserve["metadata"]["name"] == NAMES[name]
    assert kserve["spec"]["predictor"]["model"]["storageUri"].endswith(f"/{name}")
    assert f'MODEL = "{name}"' in files["client.py"]
    ast.parse(files["client.py"])
    checked = subprocess.run(["sh", "-n"], input=files["curl.sh"], text=True, check=False)
    assert checked.returncode == 0
    assert not any("{{" in content.replace("{{name}} \u2603", "") for content in files.values())


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_name_that_no_server_takes_is_said(name):
    with pytest.raises(ConfigError, match="beginning with a letter or a digit") as error:
        made(name=name)
    assert repr(name) in str(error.value)


@pytest.mark.parametrize(
    ("version", "others", "versions"),
    [(1, (), [1, 2]), (3, (1, 2), [2, 3]), (3, (3, 7), [3, 4]), (12, (2, 5, 20), [5, 12])],
)
def test_versions(version, others, versions):
    text = made(version=version, others=others)["models.config"]
    config = model_config(text)
    assert config.model_platform == "tensorflow"
    assert config.model_version_policy.latest.num_versions == 1
    assert not config.version_labels
    latest = "model_version_policy { latest { num_versions: 1 } }"
    config = model_config(uncommented(text.replace(latest, ""), "model_version", "version_labels"))
    assert list(config.model_version_policy.specific.versions) == versions
    assert dict(config.version_labels) == dict(zip(("stable", "canary"), versions, strict=True))


def test_batching_parameters():
    """By the numbers and types of TensorFlow Serving's session_bundle_config.proto."""
    value = ".google.protobuf.Int64Value"
    names = ("max_batch_size", "batch_timeout_micros", "max_enqueued_batches", "num_batch_threads")
    fields = {name: (number, value) for number, name in enumerate(names, 1)}
    message = serving_message({"BatchingParameters": fields})
    text = made(cores=6)["batching_parameters.txt"]
    text_format.Parse(text, message)
    found = {field.name: value.value for field, value in message.ListFields()}
    assert found == {
        "max_batch_size": 32,
        "batch_timeout_micros": 0,
        "max_enqueued_batches": 24,
        "num_batch_threads": 6,
    }
    assert "6 CPU core(s)" in text


@pytest.mark.parametrize(("kind", "warned"), [("images", True), ("texts", False), ("pairs", False)])
def test_arrays_of_any_size_are_warned_of(kind, warned):
    assert ("# pixels: arrays of any size" in made(kind)["batching_parameters.txt"]) == warned


def test_monitoring():
    """By TensorFlow Serving's monitoring_config.proto."""
    message = serving_message(
        {
            "PrometheusConfig": {"enable": (1, "BOOL"), "path": (2, "STRING")},
            "MonitoringConfig": {"prometheus_config": (1, ".serving.PrometheusConfig")},
        }
    )
    found = text_format.Parse(made()["monitoring.config"], message).prometheus_config
    assert (found.enable, found.path) == (True, "/monitoring/prometheus/metrics")


def test_the_image_is_of_the_release_that_exported():
    service = yaml.safe_load(made()["docker-compose.yml"])["services"]["tf-serving"]
    assert service["image"] == "tensorflow/serving:${TF_SERVING_VERSION:-2.21.0}"
    model = yaml.safe_load(made()["inference_service.yaml"])["spec"]["predictor"]["model"]
    assert model["runtimeVersion"] == "2.21.0"


def test_compose_takes_it(tmp_path):
    """By the schema of the Compose specification."""
    files = [tmp_path / f"{kind}.yml" for kind in KINDS]
    for file in files:
        file.write_text(made(file.stem)["docker-compose.yml"])
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    files[0].write_text(files[0].read_text().replace("start_period:", "started:"))
    assert subprocess.run([*command, *files], capture_output=True, check=False).returncode == 1


@pytest.mark.parametrize(
    ("cores", "size", "memory"), [(1, 10**6, "2Gi"), (4, 10**6, "4Gi"), (2, 2 * 2**30, "6Gi")]
)
def test_resources(cores, size, memory):
    text = made(cores=cores, size=size)["inference_service.yaml"]
    resources = yaml.safe_load(text)["spec"]["predictor"]["model"]["resources"]
    assert resources["requests"] == resources["limits"] == {"cpu": str(cores), "memory": memory}


@pytest.mark.slow
def test_kserve_takes_it():
    """By KServe's own models, in an environment of their own: they do not go with our protobuf."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = Path(folder) / "bin" / "python"
        command = [python, "-m", "pip", "install", "--quiet", "kserve"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if "(from versions: none)" in done.stderr:
            pytest.skip("pip reaches no package registry to install kserve from")
        assert done.returncode == 0, done.stderr
        service = json.dumps(yaml.safe_load(made()["inference_service.yaml"]))
        wrong = {
            service: "",
            service.replace("storageUri", "storageURI"): "storageURI",
            re.sub(r'"\d+Gi"', "4", service): "memory",
            service.replace('"modelFormat"', '"protocol"'): "protocol",
        }
        assert len(wrong) == 4
        check = Path(__file__).with_name("kserve_check.py")
        for text, said in wrong.items():
            done = subprocess.run(
                [python, "-P", check], input=text, capture_output=True, text=True, check=False
            )
            assert (done.returncode == 0) == (not said), done.stderr
            assert said in done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_readme(kind):
    files = made(kind)
    text = files["README.md"]
    for name in server_files(exported(kind), 1):
        assert name in {"README.md", "example.png"} or f"`{name}`" in text
    assert (r'["red", "green", "blue \"x\" `y` {{name}} ☃"]' in text) == (kind != "texts")
    (code,) = [part.split("```")[0] for part in text.split("```python\n")[1:]]
    ast.parse(code)
    section = text.split("## Rollback and canary\n")[1]
    assert [line[:3] for line in section.splitlines() if line[:1].isdigit()] == [
        f"{number}. " for number in range(1, 6)
    ]


def test_many_classes_are_not_all_told():
    export = exported()
    labels = tuple(f"class {number}" for number in range(1000))
    many = Exported(**{**vars(export), "labels": labels})
    text = server_files(many, 1)["README.md"].decode()
    assert '"class 19"]' in text
    assert "the first 20, and 980 more" in text


def test_the_example_image_is_one():
    files = server_files(exported(), 1)
    image = Image.open(io.BytesIO(files["example.png"]))
    assert (image.format, image.mode, image.size) == ("PNG", "RGB", (32, 32))
    assert len(np.unique(np.asarray(image).reshape(-1, 3), axis=0)) == 32 * 32
    assert len(files["predict.json"]) < 1000

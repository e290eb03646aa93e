"""What stands in `serving/`, run as it is against a server."""

import json
import os
import runpy
import shutil
import subprocess
import sys

import numpy as np
import pytest
import yaml
from PIL import Image

from keras_tl.export.server_configuration import write_serving
from tests.served_models import COLOURS, expected

PIXELS = np.random.default_rng(0).integers(0, 255, (3, 20, 30, 3)).astype(np.uint8)
TEXTS = ["An example of a text.", "Another text."]
GIVEN_TEXTS = ['"quoted" \u2603', "$HOME `x`", "", "b"]


@pytest.fixture(scope="module")
def folders(made_models):
    """The folders `serving/` by the names of the models."""
    return {model.name: write_serving(model)[0] for model in made_models.iterdir()}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Files, one of them of a name that asks for quotes."""
    folder = tmp_path_factory.mktemp("my photos")
    files = [folder / f"{number} 'a'.png" for number in range(len(PIXELS))]
    for file, pixels in zip(files, PIXELS, strict=True):
        Image.fromarray(pixels).save(file)
    return files


def logits(*texts):
    lengths = [len(text.encode()) for text in texts]
    pairs = zip(lengths[::2], lengths[1::2], strict=True)
    return [[one, other, one + other] for one, other in pairs]


def means(*files):
    """(n, 3), the mean colours."""
    return np.array([np.asarray(Image.open(file)).mean((0, 1)) for file in files])


def answers_to(model, given, folder):
    """Outputs for each item, by their names."""
    if model == "pairs":
        found = expected(logits(*(given or TEXTS)))
        names = ("short", "long", "longer")
    else:
        found = means(*(given or [folder / "example.png"]))
        if model == "prices":
            return [{"value": value, "valid": True} for value in found[:, 0]]
        found, names = expected(found), COLOURS
    valid = {"valid": True} if model == "photos" else {}
    return [
        {"probabilities": row, "class_id": row.argmax(), "label": names[row.argmax()], **valid}
        for row in found
    ]


def assert_equal(found, wanted):
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert set(one) == set(other)
        for name, value in other.items():
            if isinstance(value, str):
                assert one[name] == value
            else:
                np.testing.assert_allclose(one[name], value, atol=1e-5, rtol=1e-5)


def run(*command, **environment):
    done = subprocess.run(
        [*map(str, command)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("model", ["photos", "prices", "pairs"])
def test_python(folders, made_server, photos, capsys, model, own, protocol):
    given = (GIVEN_TEXTS if model == "pairs" else [*map(str, photos)]) if own else []
    client = runpy.run_path(str(folders[model] / "client.py"))
    client["main"](made_server[protocol] + "/" * own, *given)
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert_equal(found, answers_to(model, given, folders[model]))


def test_python_needs_little(folders, made_server, photos, tmp_path):
    """By REST `client.py` runs where there is no TensorFlow and no keras_tl."""
    for name in ("tensorflow", "grpc", "keras_tl", "numpy"):
        (tmp_path / f"{name}.py").write_text("raise ImportError")
    command = [sys.executable, folders["photos"] / "client.py", made_server["rest"], *photos]
    status, out, err = run(*command, PYTHONPATH=str(tmp_path))
    assert (status, err) == (0, "")
    found = [json.loads(line) for line in out.splitlines()]
    assert_equal(found, answers_to("photos", photos, folders["photos"]))
    # A model that is not there.
    away = tmp_path / "client.py"
    away.write_text((folders["photos"] / "client.py").read_text().replace('"photos"', '"away"'))
    status, out, err = run(sys.executable, away, made_server["rest"], *photos)
    assert (status, out) == (1, "")
    assert "answers 404" in err


@pytest.mark.parametrize("model", ["photos", "prices", "pairs"])
def test_curl(folders, made_server, model):
    status, out, err = run("sh", folders[model] / "curl.sh", HOST=made_server["rest"])
    assert (status, err) == (0, "")
    answers = [json.loads(line) for line in out.splitlines() if line[:1] != "#"]
    versions, metadata, predicted, standard, *own = answers
    states = {row["state"] for row in versions["model_version_status"]}
    assert states == {"AVAILABLE"}
    assert "serving_default" in metadata["metadata"]["signature_def"]["signature_def"]
    wanted = answers_to(model, [], folders[model])
    assert_equal(predicted["predictions"], wanted)
    if model == "prices":
        np.testing.assert_allclose(standard["results"], [wanted[0]["value"]])
    else:
        scores = [score for _, score in standard["results"][0]]
        np.testing.assert_allclose(scores, wanted[0]["probabilities"], atol=1e-5)
    assert own == ([] if model == "pairs" else [predicted])


def test_curl_with_a_file(folders, made_server, photos, tmp_path):
    large = tmp_path / "large.png"
    # Larger than an argument of a command may be.
    noise = np.random.default_rng(0).integers(0, 255, (300, 400, 3)).astype(np.uint8)
    Image.fromarray(noise).save(large)
    assert large.stat().st_size > 2**17
    for file in (photos[0], large):
        script = folders["photos"] / "curl.sh"
        status, out, _ = run("sh", script, file, HOST=made_server["rest"])
        assert status == 0
        found = json.loads(out.splitlines()[-1])["predictions"]
        assert_equal(found, answers_to("photos", [file], folders["photos"]))
    status, _, err = run("sh", script, tmp_path / "no.png", HOST=made_server["rest"])
    assert status != 0
    assert "no.png" in err


def test_curl_fails_where_the_server_refuses(folders, made_server, tmp_path):
    script = shutil.copytree(folders["photos"], tmp_path / "serving") / "curl.sh"
    script.write_text(script.read_text().replace("/photos", "/away"))
    status, out, _ = run("sh", script, HOST=made_server["rest"])
    assert status != 0
    assert '"error"' in out


def test_the_lines_of_the_readme(folders, made_server, monkeypatch, capsys):
    """Those that ask by curl, and the Python code."""
    folder = folders["photos"]
    text = (folder / "README.md").read_text().replace("http://localhost:8501", made_server["rest"])
    block = text[text.index("    MODEL=") :].split("\n\n")[0]
    monkeypatch.chdir(folder)
    status, out, _ = run("sh", "-euc", block.replace("curl ", "curl --fail --silent "))
    assert status == 0
    assert out.count('"AVAILABLE"') == 1
    assert out.count('"predictions"') == out.count('"results"') == 1
    code = text.split("```python\n")[1].split("```")[0]
    exec(compile(code, "README.md", "exec"), {})
    first, second = capsys.readouterr().out.splitlines()
    (wanted,) = answers_to("photos", [], folder)
    assert f"'label': '{wanted['label']}'" in first
    assert second == "(1, 3)"


@pytest.mark.parametrize("name", ["photos", "away"])
def test_the_health_check(folders, made_server, name):
    """As Compose runs it, of a model that is loaded and of one that is not."""
    compose = yaml.safe_load((folders["photos"] / "docker-compose.yml").read_text())
    kind, *command = compose["services"]["tf-serving"]["healthcheck"]["test"]
    assert kind == "CMD"
    port = made_server["rest"].rsplit(":", 1)[1]
    command[-1] = command[-1].replace("8501", port).replace("/photos ", f"/{name} ")
    assert (run(*command)[0] == 0) == (name == "photos")

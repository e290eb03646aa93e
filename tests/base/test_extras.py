"""Optional packages: what the error about a missing package says."""

import configparser
import importlib.metadata
import re
from pathlib import Path

import pytest

import keras_tl
from keras_tl.base.extras import import_extra, install_command
from keras_tl.errors import ConfigError

PACKAGE = Path(keras_tl.__file__).parent
REQUIREMENTS = [
    "numpy>=1.26",
    'keras-hub>=0.30; extra == "kerashub"',
    'tensorflow-text>=2.20; extra == "kerashub"',
    'tensorflow-text>=2.20; extra == "text"',
    'uvloop>=1; python_version < "3" and extra == "text"',
    'numpy<3; python_version >= "3"',
]


@pytest.mark.parametrize(
    ("extra", "command"),
    [
        ("kerashub", 'pip install "keras-hub>=0.30" "tensorflow-text>=2.20"'),
        ("text", 'pip install "tensorflow-text>=2.20"'),
        ("unknown", 'pip install ".[unknown]"'),
    ],
)
def test_the_command_names_the_packages_of_an_extra(monkeypatch, extra, command):
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: REQUIREMENTS)
    assert install_command(extra) == command


def test_without_metadata_the_command_is_that_of_a_clone(monkeypatch):
    def fail(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", fail)
    assert install_command("text") == 'pip install ".[text]"'


def test_a_missing_package_gives_the_command_and_the_reason():
    with pytest.raises(ConfigError) as raised:
        import_extra("keras_tl_missing", "the package", "text")
    assert str(raised.value) == (
        f"Cannot import the package. Install with: {install_command('text')}. "
        "(ModuleNotFoundError: No module named 'keras_tl_missing')"
    )


def test_every_extra_that_the_package_names_exists():
    setup = PACKAGE.parent / "setup.cfg"
    parser = configparser.ConfigParser()
    parser.read_string(setup.read_text("utf-8"))
    named = {
        name
        for path in PACKAGE.rglob("*.py")
        for name in re.findall(r'import_extra\(.*"([a-z]+)"\)', path.read_text("utf-8"))
    }
    assert {"text", "kerashub", "onnx", "litert", "grpc", "pandas"} == named
    assert named <= {*parser["options.extras_require"]}

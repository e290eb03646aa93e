"""Networks that `tools/` converts: made once a process, skipped where a package is missing."""

import atexit
import functools
import importlib
import tempfile
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[1] / "tools"


@functools.cache
def tool(name):
    """A script, as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TOOLS))
        return importlib.import_module(name)


def package_file(package, suffix):
    """The one file of an installed package that has this suffix; skips without the package."""
    packages = tool("packages")
    try:
        return packages.weights_file(packages.find_package(package, None), suffix)
    except SystemExit as missing:
        pytest.skip(str(missing))


@functools.cache
def _folder():
    made = tempfile.TemporaryDirectory()
    atexit.register(made.cleanup)
    return Path(made.name)


@functools.cache
def vgg16_weights():
    """The path of the weights file of VGG16."""
    file = package_file(tool("convert_vgg16").PACKAGE, ".onnx")
    path = _folder() / "vgg16_imagenet.weights.h5"
    tool("convert_vgg16").convert(file, path)
    return str(path)


@functools.cache
def paraphrase_minilm():
    """The folder of paraphrase-MiniLM-L3-v2."""
    script = tool("convert_paraphrase_minilm")
    file = package_file(script.PACKAGE, ".onnx")
    model = package_file(script.VOCABULARY_PACKAGE, ".safetensors").parent
    path = _folder() / "paraphrase_minilm"
    script.convert(file, model / "vocab.txt", path)
    return str(path)

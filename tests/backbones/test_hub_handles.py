"""From handles to folders, without a network."""

import hashlib
import os
import subprocess
import sys
import types
import urllib.error
from pathlib import Path

import pytest

from keras_tl.backbones.hub import resolve
from keras_tl.errors import BackboneError

ROOT = Path(__file__).parents[2]


def test_a_folder_is_itself_and_needs_no_tensorflow_hub(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_hub", None)
    assert resolve(tmp_path) == tmp_path
    assert resolve(str(tmp_path)) == tmp_path


def test_a_url_is_left_to_tensorflow_hub(tmp_path, monkeypatch):
    asked = []
    stand_in = types.SimpleNamespace(resolve=lambda url: asked.append(url) or str(tmp_path))
    monkeypatch.setitem(sys.modules, "tensorflow_hub", stand_in)
    url = "https://tfhub.dev/google/nnlm-en-dim128/2"
    assert resolve(url) == tmp_path
    assert asked == [url]


IN_A_NEW_PROCESS = """
import sys
from keras_tl.backbones.hub.handles import resolve
assert "pkg_resources" not in sys.modules
assert str(resolve(sys.argv[1])) == sys.argv[2]
assert "tensorflow_hub" in sys.modules
assert "pkg_resources" not in sys.modules
"""


@pytest.mark.slow
def test_tensorflow_hub_itself_can_be_imported_and_finds_what_it_has_kept(tmp_path):
    """Also beside a setuptools that has no pkg_resources any more."""
    url = "https://tfhub.dev/somebody/something/1"
    kept = tmp_path / hashlib.sha1(url.encode()).hexdigest()
    kept.mkdir()
    (kept / "saved_model.pb").touch()
    done = subprocess.run(
        [sys.executable, "-c", IN_A_NEW_PROCESS, url, str(kept)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=os.environ | {"TFHUB_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr


def fail(error):
    def resolve_url(url):
        raise error

    return types.SimpleNamespace(resolve=resolve_url)


UNREACHABLE = {
    "no-network": urllib.error.URLError("Temporary failure in name resolution"),
    "not-a-module": OSError("https://example.com does not appear to be a valid module."),
    "unsupported": RuntimeError("Missing implementation that supports: resolver"),
}


@pytest.mark.parametrize("name", UNREACHABLE)
def test_what_cannot_be_downloaded_names_the_offline_way(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_hub", fail(UNREACHABLE[name]))
    with pytest.raises(BackboneError, match=r"Could not get .*download the module on another"):
        resolve("https://example.com/module")


@pytest.mark.parametrize("handle", ["no/such/folder", __file__])
def test_no_such_folder(handle):
    with pytest.raises(BackboneError, match=r"There is no folder .*pass the folder that contains"):
        resolve(handle)

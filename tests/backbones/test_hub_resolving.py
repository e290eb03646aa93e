"""From handles to folders, without a network."""

import sys
import types
import urllib.error

import pytest

from keras_tl.backbones.hub import resolve
from keras_tl.errors import BackboneError


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


@pytest.mark.filterwarnings("ignore:pkg_resources is deprecated as an API")
def test_tensorflow_hub_itself_can_be_imported_and_finds_what_it_has_kept(tmp_path, monkeypatch):
    import hashlib

    url = "https://tfhub.dev/somebody/something/1"
    kept = tmp_path / hashlib.sha1(url.encode()).hexdigest()
    kept.mkdir()
    (kept / "saved_model.pb").touch()
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    assert resolve(url) == kept


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
    with pytest.raises(BackboneError, match=r"Could not get .*download the module elsewhere"):
        resolve("https://example.com/module")


@pytest.mark.parametrize("handle", ["no/such/folder", __file__])
def test_no_such_folder(handle):
    with pytest.raises(BackboneError, match=r"There is no folder .*pass the folder that holds"):
        resolve(handle)

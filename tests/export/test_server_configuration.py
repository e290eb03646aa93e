"""The folder `serving/`: where it stands, what it replaces, and what it keeps."""

import pytest
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import saved_model_pb2

from keras_tl.base.files import CHECKSUMS, changed_files
from keras_tl.errors import ConfigError, ExportError
from keras_tl.export.export_facts import read_export
from keras_tl.export.server_configuration import check_serving, write_serving
from keras_tl.export.verification import version_folder
from tests.conditions import file_size_limit

INPUTS = {
    "serving_default": ("text", "text_pair"),
    "classify": ("inputs",),
    "embed": ("text", "text_pair"),
}
WRITTEN = {
    "README.md",
    "models.config",
    "batching_parameters.txt",
    "monitoring.config",
    "docker-compose.yml",
    "inference_service.yaml",
    "predict.json",
    "classify.json",
    "curl.sh",
    "client.py",
}


def save_graph(folder, inputs=INPUTS, classify="tensorflow/serving/classify"):
    """As much of a SavedModel as is read: the signatures."""
    saved = saved_model_pb2.SavedModel()
    graph = saved.meta_graphs.add()
    graph.meta_info_def.tensorflow_version = "2.21.0"
    for name, taken in inputs.items():
        signature = graph.signature_def[name]
        signature.method_name = classify if name == "classify" else "tensorflow/serving/predict"
        for kind, part in [*((signature.inputs, part) for part in taken), (signature.outputs, "x")]:
            kind[part].dtype = types_pb2.DT_STRING
            kind[part].tensor_shape.dim.add(size=-1)
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(saved.SerializeToString())
    return folder


@pytest.fixture
def base(tmp_path):
    base = tmp_path / "reviews"
    save_graph(base / "1")
    save_graph(base / "2")
    (base / "2" / "assets").mkdir()
    (base / "2" / "assets" / "labels.txt").write_text("good\u2028ish\nbad\n", "utf-8")
    return base


def contents(folder):
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_what_an_export_tells(base):
    (base / "3").touch()
    (base / "serving").mkdir()
    found = read_export(base / "2")
    assert (found.base, found.version, found.others) == (base, 2, (1,))
    assert (found.item, found.standard) == (("text", "text_pair"), "classify")
    assert found.labels == ("good\u2028ish", "bad")
    assert found.tensorflow == "2.21.0"
    assert found.signatures["classify"] == (
        {"inputs": ("string", (-1,))},
        {"x": ("string", (-1,))},
    )
    assert read_export(base / "1").labels == ()


@pytest.mark.parametrize("path", [".", "1", "2", "latest"])
def test_it_stands_beside_the_versions(base, path):
    (base / "latest").symlink_to("2")
    folder, kept = write_serving(base / path, cores=3)
    assert (folder, kept) == (base / "serving", ())
    assert set(contents(folder)) == WRITTEN | {CHECKSUMS}
    assert list(changed_files(folder)) == []
    assert {f.name for f in base.iterdir()} == {"1", "2", "latest", "serving"}
    assert version_folder(base) == base / "2"
    assert "num_batch_threads { value: 3 }" in (folder / "batching_parameters.txt").read_text()


def test_what_was_not_changed_is_written_anew(base):
    folder, _ = write_serving(base / "1")
    before = contents(folder)
    (folder / "curl.sh").unlink()
    assert write_serving(base) == (folder, ())
    after = contents(folder)
    assert set(after) == set(before)
    assert b"specific { versions: 1 versions: 2 }" in after["models.config"]
    assert b"for version 2," in after["README.md"]
    assert after["curl.sh"] == before["curl.sh"]


def test_what_was_changed_or_added_is_kept(base):
    folder, _ = write_serving(base / "1")
    mine = {"models.config": b"mine", "certificates/key.pem": b"key", ".env": b"A=1"}
    (folder / "certificates").mkdir()
    for name, content in mine.items():
        (folder / name).write_bytes(content)
    (folder / "curl.sh").chmod(0o755)
    (folder / ".env").chmod(0o600)
    # Also the second time, when it was kept before.
    for _ in range(2):
        assert write_serving(base) == (folder, tuple(sorted(mine)))
        after = contents(folder)
        assert set(after) == WRITTEN | {CHECKSUMS} | set(mine)
        assert {name: after[name] for name in mine} == mine
        assert b"for version 2," in after["README.md"]
        assert (folder / ".env").stat().st_mode & 0o777 == 0o600
    # What is deleted is written again.
    (folder / "models.config").unlink()
    assert write_serving(base) == (folder, (".env", "certificates/key.pem"))
    assert b"model_config_list" in contents(folder)["models.config"]


@pytest.mark.parametrize("checksums", [None, "", "[", "[]", "null"])
def test_where_nothing_is_known_all_is_kept(base, checksums):
    folder = base / "serving"
    folder.mkdir()
    (folder / "README.md").write_text("mine")
    if checksums is not None:
        (folder / CHECKSUMS).write_text(checksums)
    assert write_serving(base) == (folder, ("README.md",))
    assert (folder / "README.md").read_text() == "mine"
    assert set(contents(folder)) == WRITTEN | {CHECKSUMS}


def test_it_is_whole_or_not_there(base):
    folder, _ = write_serving(base)
    before = contents(base)
    largest = max(file.stat().st_size for file in folder.iterdir())
    with pytest.raises(OSError, match="File too large"), file_size_limit(largest // 2):
        write_serving(base / "1")
    assert contents(base) == before
    assert {f.name for f in base.iterdir()} == {"1", "2", "serving"}


def test_a_file_in_its_place_is_said(base):
    (base / "serving").write_text("mine")
    for writing in (check_serving, write_serving):
        with pytest.raises(ExportError, match=r"serving is a file\. Expected a folder"):
            writing(base)
    assert (base / "serving").read_text() == "mine"


def test_a_folder_whose_name_is_none_for_a_model_is_said(base):
    base = base.rename(base.with_name("my reviews"))
    for writing in (check_serving, write_serving):
        with pytest.raises(ConfigError, match="Received: 'my reviews'"):
            writing(base)
    assert {f.name for f in base.iterdir()} == {"1", "2"}


NOT_OURS = {
    "no default": {"classify": ("inputs",)},
    "other inputs": {"serving_default": ("x",), "classify": ("inputs",)},
    "more inputs": {"serving_default": ("text", "language"), "classify": ("inputs",)},
    "neither classify nor regress": {"serving_default": ("text",)},
    "none": {},
}


@pytest.mark.parametrize("name", NOT_OURS)
def test_what_is_no_export_of_ours_is_said(tmp_path, name):
    save_graph(tmp_path / "model" / "1", NOT_OURS[name])
    with pytest.raises(ExportError, match="Expected an export of keras_tl") as error:
        write_serving(tmp_path / "model")
    assert ", ".join(sorted(NOT_OURS[name])) in str(error.value)


def test_a_method_name_of_another_kind_is_no_classify(tmp_path):
    save_graph(tmp_path / "model" / "1", classify="tensorflow/serving/predict")
    with pytest.raises(ExportError, match="there is a signature classify or regress"):
        write_serving(tmp_path / "model")


def test_where_there_is_no_version_is_said(tmp_path):
    with pytest.raises(ExportError, match="No export at"):
        write_serving(tmp_path)
    with pytest.raises(ExportError, match="whose name is a number"):
        write_serving(save_graph(tmp_path / "model"))
    broken = save_graph(tmp_path / "broken" / "1") / "saved_model.pb"
    for content in (b"", b"no protocol buffer"):
        broken.write_bytes(content)
        with pytest.raises(ExportError, match=r"saved_model\.pb is damaged"):
            write_serving(tmp_path / "broken")

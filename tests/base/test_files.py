"""Files and folders appear whole or not at all, whatever happens in between."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from keras_tl.base.files import remove_leftovers, sha256, whole_file, whole_folder, write_json


@pytest.fixture(scope="module")
def dead_pid():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def contents(folder):
    """Every file and folder below, hidden ones too, with what the files hold."""
    return {
        str(path.relative_to(folder)): path.read_text() if path.is_file() else None
        for path in folder.rglob("*")
    }


def make_folder(path, text):
    path.mkdir(parents=True)
    (path / "file").write_text(text)
    return path


def test_a_whole_file_appears_at_the_end(tmp_path):
    path = tmp_path / "new" / "file.txt"
    with whole_file(path) as temporary:
        temporary.write_text("done")
        assert temporary.parent == path.parent
        assert not path.exists()
    assert contents(path.parent) == {"file.txt": "done"}


def test_a_whole_file_takes_the_place_of_an_older_one(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with whole_file(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert contents(tmp_path) == {"file.txt": "new"}


@pytest.mark.parametrize("before", [None, "old"])
def test_an_interrupted_file_changes_nothing(tmp_path, before):
    path = tmp_path / "file.txt"
    if before:
        path.write_text(before)

    def write_and_interrupt():
        with whole_file(path) as temporary:
            temporary.write_text("half of")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_and_interrupt()
    assert contents(tmp_path) == ({"file.txt": "old"} if before else {})


def test_a_file_that_was_never_written_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "file.txt"):
        pass
    assert contents(tmp_path) == {}


def test_a_whole_folder_appears_at_the_end(tmp_path):
    path = tmp_path / "new" / "folder"
    with whole_folder(path) as temporary:
        make_folder(temporary / "deep", "done")
        assert temporary.parent == path.parent
        assert not path.exists()
    assert contents(tmp_path / "new") == {
        "folder": None,
        "folder/deep": None,
        "folder/deep/file": "done",
    }


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("exists", [False, True])
def test_an_interrupted_folder_changes_nothing(tmp_path, exists, replace):
    path = tmp_path / "folder"
    if exists:
        make_folder(path, "old")
    before = contents(tmp_path)

    def write_and_interrupt():
        with whole_folder(path, replace) as temporary:
            (temporary / "file").write_text("half of")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_and_interrupt()
    assert contents(tmp_path) == before


def test_an_existing_folder_is_not_replaced_unasked(tmp_path):
    path = make_folder(tmp_path / "folder", "old")
    before = contents(tmp_path)
    with pytest.raises(FileExistsError), whole_folder(path) as temporary:
        (temporary / "file").write_text("new")
    assert contents(tmp_path) == before


def test_a_folder_that_appears_meanwhile_is_not_replaced(tmp_path):
    path = tmp_path / "folder"
    with pytest.raises(FileExistsError), whole_folder(path):
        make_folder(path, "theirs")
    assert contents(tmp_path) == {"folder": None, "folder/file": "theirs"}


def test_an_existing_folder_is_replaced_as_a_whole(tmp_path):
    path = make_folder(tmp_path / "folder", "old")
    (path / "only in the old one").touch()
    with whole_folder(path, replace=True) as temporary:
        (temporary / "file").write_text("new")
        assert (path / "file").read_text() == "old"
    assert contents(tmp_path) == {"folder": None, "folder/file": "new"}


def test_a_replacement_that_cannot_be_finished_keeps_the_old(tmp_path):
    path = make_folder(tmp_path / "folder", "old")
    before = contents(tmp_path)
    with pytest.raises(FileNotFoundError), whole_folder(path, replace=True) as temporary:
        temporary.rmdir()
    assert contents(tmp_path) == before


# A replacement killed between its two renames, by the number of the rename at which it dies.
KILLED = """
import os, pathlib, signal, sys
from keras_tl.base.files import whole_folder

rename, calls = os.rename, []

def rename_or_die(*arguments):
    calls.append(arguments)
    if len(calls) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    rename(*arguments)

os.rename = rename_or_die
with whole_folder(pathlib.Path(sys.argv[1]), replace=True) as temporary:
    (temporary / "file").write_text("new")
"""


@pytest.mark.parametrize("at_rename", [1, 2])
def test_after_a_kill_the_next_writer_finds_the_old_folder(tmp_path, at_rename):
    path = make_folder(tmp_path / "folder", "old")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(path), str(at_rename)], check=False, timeout=60
    )
    assert done.returncode == -signal.SIGKILL
    assert path.exists() == (at_rename == 1)
    assert len(list(tmp_path.iterdir())) == 2
    # The next folder beside it, whatever its name, clears up.
    with whole_folder(tmp_path / "other") as temporary:
        (temporary / "file").write_text("other")
    assert contents(tmp_path) == {
        "folder": None,
        "folder/file": "old",
        "other": None,
        "other/file": "other",
    }


def left_behind(folder, kind, pid, name, text):
    return make_folder(folder / f".{kind}-{pid}-0123abcd-{name}", text)


def test_what_dead_processes_left_is_cleared_and_restored(tmp_path, dead_pid):
    left_behind(tmp_path, "new", dead_pid, "half written", "half")
    left_behind(tmp_path, "old", dead_pid, "moved-aside", "old")
    left_behind(tmp_path, "old", dead_pid, "replaced", "old")
    make_folder(tmp_path / "replaced", "new")
    (tmp_path / f".new-{dead_pid}-0123abcd-file.txt").write_text("half")
    remove_leftovers(tmp_path)
    assert contents(tmp_path) == {
        "moved-aside": None,
        "moved-aside/file": "old",
        "replaced": None,
        "replaced/file": "new",
    }


@pytest.mark.parametrize("pid", [os.getpid(), os.getppid(), 1], ids=["own", "parent", "init"])
def test_what_belongs_to_living_processes_is_left_alone(tmp_path, pid):
    left_behind(tmp_path, "new", pid, "folder", "half")
    left_behind(tmp_path, "old", pid, "moved", "old")
    before = contents(tmp_path)
    remove_leftovers(tmp_path)
    assert contents(tmp_path) == before


def test_what_is_not_ours_is_left_alone(tmp_path, dead_pid):
    for name in (
        ".git",
        f".new-{dead_pid}-notes",
        f".newer-{dead_pid}-0123abcd-x",
        f"new-{dead_pid}-0123abcd-x",
        ".old-me-0123abcd-x",
        f".new-{dead_pid}-0123abcd-",
    ):
        make_folder(tmp_path / name, "theirs")
    before = contents(tmp_path)
    remove_leftovers(tmp_path)
    assert contents(tmp_path) == before
    remove_leftovers(tmp_path / "absent")


def test_writers_clear_up_before_they_write(tmp_path, dead_pid):
    left_behind(tmp_path, "old", dead_pid, "folder", "old")
    with pytest.raises(FileExistsError), whole_folder(tmp_path / "folder"):
        pass
    assert contents(tmp_path) == {"folder": None, "folder/file": "old"}


def test_relative_paths_are_written_where_they_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with whole_file(Path("file")) as temporary:
        temporary.write_text("a")
    with whole_folder(Path("folder")) as temporary:
        (temporary / "file").write_text("b")
    assert contents(tmp_path) == {"file": "a", "folder": None, "folder/file": "b"}


def test_json_is_written_in_full_precision(tmp_path):
    value = {"ü": [0.1 + 0.2, 1e-300, 2**53 + 1, None, True]}
    write_json(tmp_path / "a.json", value)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == value
    assert "ü" in text
    assert text.endswith("}\n")


def test_sha256_is_of_the_content(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    # The test vector of FIPS 180-4.
    assert sha256(tmp_path / "a") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )

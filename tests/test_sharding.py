"""The options for long runs, in small pytest runs of their own."""

import os
import shutil
import subprocess
import sys

import pytest

from tests import sharding

TESTS = """
import os, pathlib, pytest

@pytest.mark.parametrize("number", range(12))
def test_number(number):
    with open("ran", "a") as ran:
        ran.write(f"{number} ")
    if number == 6 and pathlib.Path("trouble").exists():
        os.kill(os.getpid(), 9)
"""


@pytest.fixture
def run(tmp_path):
    """Runs these tests in a folder with the plugin alone; gives exit status and tests that ran."""
    (tmp_path / "tests").mkdir()
    shutil.copy(sharding.__file__, tmp_path / "tests")
    (tmp_path / "tests" / "test_twelve.py").write_text(TESTS)
    (tmp_path / "pytest.ini").touch()

    def run_pytest(*options):
        (tmp_path / "ran").unlink(missing_ok=True)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "tests.sharding", "-q", *options],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            # The plugin is the copy beside the twelve tests, wherever this repository is found.
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        )
        ran = (tmp_path / "ran").read_text().split() if (tmp_path / "ran").exists() else []
        return done.returncode, sorted(map(int, ran)), done.stdout + done.stderr

    return run_pytest


def test_shards_share_out_the_tests(run):
    shares = [run(f"--shard={number}/3")[1] for number in (1, 2, 3)]
    assert sorted(number for share in shares for number in share) == list(range(12))
    assert all(len(share) < 12 for share in shares)


@pytest.mark.parametrize("share", ["0/4", "5/4", "2", "a/b"])
def test_a_wrong_shard_is_refused(run, share):
    status, ran, said = run(f"--shard={share}")
    assert (status, ran) == (4, [])
    assert "--shard" in said


@pytest.mark.parametrize("processes", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_a_killed_run_goes_on_where_it_was(run, tmp_path, processes):
    (tmp_path / "trouble").touch()
    options = ("--resume", "-n", processes, "--max-worker-restart=0")
    status, first, _ = run(*options)
    assert status != 0
    (tmp_path / "trouble").unlink()
    status, second, said = run(*options)
    assert status == 0, said
    assert "tests passed before" in said
    assert 6 in second
    assert len(first) + len(second) <= 14
    assert set(first) | set(second) == set(range(12))
    # Everything has passed: the next run begins anew.
    assert run(*options)[1] == list(range(12))


def test_what_passed_counts_only_for_the_same_sources(run, tmp_path):
    (tmp_path / "trouble").touch()
    run("--resume")
    (tmp_path / "trouble").unlink()
    (tmp_path / "tests" / "more.py").touch()
    assert run("--resume")[1] == list(range(12))


def test_a_fresh_run_begins_anew(run, tmp_path):
    (tmp_path / "trouble").touch()
    run("--resume")
    (tmp_path / "trouble").unlink()
    assert run("--resume", "--fresh")[1] == list(range(12))

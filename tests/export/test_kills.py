"""Kills of an export at every stage, by the script that does it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

# One of each kind; by itself the script kills at all stages that there are.
STAGES = (
    "os.mkdir NEW",
    "appears NEW/saved_model.pb",
    "verification",
    "os.rename NEW",
    "open BASE",
)
SCRIPT = Path(__file__).parents[2] / "benchmarks" / "export_kills.py"


@pytest.mark.slow
def test_no_kill_leaves_a_partial_version_or_loses_one():
    done = subprocess.run(
        [sys.executable, SCRIPT, "--stages", *STAGES, "--random", "1", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    named = [kill for kill in found["kills"] if "kill_at" in kill]
    assert all(kill["killed"] for kill in named)
    assert {kill["stage"] for kill in named} == {*STAGES}

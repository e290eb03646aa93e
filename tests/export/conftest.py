"""One tiny export, shared by the tests of this folder."""

import contextlib
import io
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from keras_tl.export import verification
from keras_tl.export.without_keras import replay
from tests.conftest import export_unverified, make_small_learner, make_tiny_data

# Of its model card.
SECTIONS = {"Intended use": "Telling red from green and blue. *Not* for traffic lights."}


@pytest.fixture(scope="session")
def learner():
    return make_small_learner(make_tiny_data())


@pytest.fixture(scope="session")
def exported_once(learner, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports") / "model"
    return export_unverified(learner, folder, card=SECTIONS)


@pytest.fixture
def verified_here(monkeypatch):
    """The program of a verification runs in this process: TensorFlow takes seconds to import."""

    def run(command, **_):
        _, _, _, folder, *seconds = command
        output = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(output):
            for name in ("keras", "keras_tl"):
                patch.setitem(sys.modules, name, None)
            replay.main(Path(folder), *map(float, seconds or [0]))
        return subprocess.CompletedProcess(command, 0, output.getvalue(), "")

    monkeypatch.setattr(verification.subprocess, "run", run)


@pytest.fixture
def exported(exported_once, tmp_path):
    """A copy of the first version of an export, to look at and to spoil."""
    return Path(shutil.copytree(exported_once, tmp_path / "model" / "1"))

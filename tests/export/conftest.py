"""One tiny export, shared by the tests of this folder."""

import shutil
from pathlib import Path

import pytest

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
def exported(exported_once, tmp_path):
    """A copy of the first version of an export, to look at and to spoil."""
    return Path(shutil.copytree(exported_once, tmp_path / "model" / "1"))

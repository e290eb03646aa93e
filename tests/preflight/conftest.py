"""What the tests of the preflight share: data without a fault, and a learner of them."""

import pytest

from tests.preflight_data import make_clean, make_learner


@pytest.fixture(scope="module")
def clean():
    return make_clean()


@pytest.fixture(scope="module")
def learner(clean):
    return make_learner(clean)

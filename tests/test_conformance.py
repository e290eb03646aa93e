"""The conformance suite on every backbone of the catalogue, and on models of a user's own."""

from keras_tl.backbones import CATALOGUE
from keras_tl.testing import CASES, Case, parametrize_with_checks
from tests.conftest import small_network

OWN = Case(small_network, preprocess="tf")


def test_every_backbone_has_a_row():
    assert sorted(case.name for case in CASES) == sorted(CATALOGUE)


@parametrize_with_checks([*CASES, OWN])
def test_backbone(case, check, tmp_path):
    check(case, tmp_path)

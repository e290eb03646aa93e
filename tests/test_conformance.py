"""The conformance suite on every backbone of the catalogue, and on models of a user's own.

The fast tier runs all checks on three backbones, and those of `FAST_CHECKS` on the cheapest of
each family. The full tier (`make test-full`) runs all checks on all, but on the giants, which it
only builds.
"""

import gc

import keras
import pytest

from keras_tl.backbones import CATALOGUE, get_spec
from keras_tl.backbones.building import get_builder
from keras_tl.testing import CASES, CHECKS, Case, parametrize_with_checks
from tests.conftest import small_network

OWN = Case(small_network, preprocess="tf")
WHOLE_JOURNEY = {"efficientnet_lite0", "mobilenet", "vgg16"}
CHEAPEST = {
    "convnext_tiny",
    "densenet121",
    "efficientnet_b0",
    "efficientnet_v2_b0",
    "inception_resnet_v2",
    "inception_v3",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "nasnet_mobile",
    "resnet50",
    "resnet50_v2",
    "vgg19",
    "xception",
}
FAST_CHECKS = {"check_record", "check_preprocessing"}
# Whose constructor builds another graph for "imagenet" than for a file of the same weights.
TWO_GRAPHS = {"efficientnet_b0"}


def tier(case, check):
    cheap = case.name in CHEAPEST and check.__name__ in FAST_CHECKS
    cheap |= case.name in TWO_GRAPHS and check.__name__ == "check_weights_file"
    fast = cheap or case.name in WHOLE_JOURNEY or case is OWN
    return () if fast else (pytest.mark.slow,)


@pytest.fixture(autouse=True)
def forget_networks():
    """Keeps a process that builds hundreds of networks small."""
    yield
    keras.backend.clear_session(free_memory=False)
    gc.collect()


def test_every_backbone_has_a_row():
    assert sorted(case.name for case in CASES) == sorted(CATALOGUE)


def test_the_fast_tier_has_every_family():
    def families(names):
        return {get_builder(get_spec(name)).__module__ for name in names}

    assert families(WHOLE_JOURNEY | CHEAPEST) == families(CATALOGUE)
    assert {check.__name__ for check in CHECKS if check.cheap} >= FAST_CHECKS


def test_only_giants_are_not_trained():
    assert {case.name for case in CASES if not case.trained} == {
        spec.name for spec in CATALOGUE.values() if spec.parameters > 80e6
    }


@parametrize_with_checks([*CASES, OWN], tier)
def test_backbone(case, check, tmp_path):
    check(case, tmp_path)

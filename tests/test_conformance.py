"""The conformance suite on every backbone of the catalogue, of other sources, and of a user's own.

The fast tier runs them on EfficientNet-Lite0 and on one backbone of each other source, and those
of `FAST_CHECKS` on the cheapest of each family of the catalogue. The full tier (`make test-full`)
trains and exports these too, and builds the others of each family.
"""

import atexit
import collections
import dataclasses
import functools
import gc
import importlib.util
import itertools
import tempfile
from pathlib import Path

import keras
import pytest

from keras_tl.backbones import CATALOGUE, get_spec
from keras_tl.backbones.building import get_builder
from keras_tl.testing import CASES, CHECKS, Case, parametrize_with_checks, word_pairs, words
from tests import converted, hub_modules, kerashub_presets, language_models
from tests.conftest import small_network


@functools.cache
def folder():
    """Where modules are made."""
    made = tempfile.TemporaryDirectory()
    atexit.register(made.cleanup)
    return Path(made.name)


@functools.cache
def vocabulary():
    return str(hub_modules.write_vocabulary(folder() / "vocab.txt"))


def row(kind, name, make, **options):
    """A row of a backbone in a folder, which is made once, by the first check."""

    @functools.cache
    def handle():
        return f"{kind}:{make(folder() / name)}"

    handle.__name__ = f"{kind}_{name}"
    return Case(handle, **options)


module = functools.partial(row, "tfhub")
preset = functools.partial(row, "kerashub")
language_model = functools.partial(row, "ulmfit")


def encoder(**options):
    # More than two layers, so that a pooler that the head does not use is a small part.
    return functools.partial(hub_modules.make_encoder, layers=4, **options)


OWN = Case(small_network, preprocess="tf")
MODULES = (
    module("encoder", encoder(seeded=True), task=words, preprocess=vocabulary),
    module(
        "fixed_length",
        encoder(length=10, types=False, outputs=("default",), dropout=0.0),
        task=words,
        preprocess=vocabulary,
        pooling="pooled",
    ),
    module("pairs", encoder(dropout=0.0, l2=0.1), task=word_pairs, preprocess=vocabulary),
    # It has a vocabulary of its own, and the dropout of Keras 2.
    module("keras2", hub_modules.make_keras2_encoder, task=words, repeatable=False),
    # It has dropout too, which is off together with the batch's statistics.
    module("image", hub_modules.make_image_module),
    module("strings", hub_modules.make_text_module, task=words),
    module(
        "frozen_strings",
        functools.partial(hub_modules.make_text_module, trainable=False),
        task=words,
        tunable=False,
    ),
)
PRESETS = (
    preset("bert", kerashub_presets.make_bert, task=words),
    preset("resnet", kerashub_presets.make_resnet),
)
LANGUAGE_MODELS = (
    language_model("awd_lstm", language_models.save_language_model, task=words, pooling="concat"),
)
HAS_KERAS_HUB = importlib.util.find_spec("keras_hub") is not None
# KerasHub needs a newer Keras than ours may be.
ELSEWHERE = (*MODULES, *LANGUAGE_MODELS, *(PRESETS if HAS_KERAS_HUB else ()))


def vgg16_imagenet():
    return "vgg16"


def paraphrase_minilm():
    return f"kerashub:{converted.paraphrase_minilm()}"


# Trained weights that are not in the package; the full tier only.
TRAINED = (
    Case(vgg16_imagenet, weights=converted.vgg16_weights),
    *((Case(paraphrase_minilm, task=words),) if HAS_KERAS_HUB else ()),
)
WHOLE_JOURNEY = {"efficientnet_lite0"}
CHEAPEST = {
    "convnext_tiny",
    "densenet121",
    "efficientnet_b0",
    "efficientnet_v2_b0",
    "inception_resnet_v2",
    "inception_v3",
    "mobilenet",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "nasnet_mobile",
    "resnet50",
    "resnet50_v2",
    "vgg16",
    "vgg19",
    "xception",
}
# Other rows, or tests/backbones, have what is particular to these.
DEAR = {
    "kerashub_bert",
    "kerashub_resnet",
    "tfhub_fixed_length",
    "tfhub_frozen_strings",
    "tfhub_keras2",
    "tfhub_pairs",
}
# What costs most, on few; texts are exported by tests/test_text_journey.py too.
FEW = {
    "check_export": {"small_network"},
    "check_frozen_phase": {"small_network"},
    "check_fine_tuning": {"small_network", "tfhub_encoder", "ulmfit_awd_lstm"},
    "check_same_seed": {"small_network"},
    "check_save_and_load": {"small_network", "tfhub_encoder"},
    "check_unfreeze": {"small_network"},
    # tests/backbones compare the features of weights files with published ones.
    "check_weights_file": set(),
}
FAST_CHECKS = {"check_record", "check_preprocessing"}
# A deeper variant of EfficientNet-Lite0 and 1, which are trained: this one is only built.
DEEPER = "efficientnet_lite2"
ROWS = [dataclasses.replace(x, trained=x.trained and x.name != DEEPER) for x in CASES]


def tier(case, check):
    cheap = case.name in CHEAPEST and check.__name__ in FAST_CHECKS
    whole = case.name in WHOLE_JOURNEY or case in (OWN, *ELSEWHERE)
    dear = case.name in DEAR or case.name not in FEW.get(check.__name__, {case.name})
    fast = cheap or (whole and not dear)
    return () if fast else (pytest.mark.slow,)


FINISHED = itertools.count(1)


@pytest.fixture(autouse=True)
def forget_networks():
    """Keeps a process that builds hundreds of networks small; it takes a second or two."""
    yield
    if next(FINISHED) % 20 == 0:
        keras.backend.clear_session(free_memory=False)
        gc.collect()


def test_every_backbone_has_a_row():
    assert sorted(case.name for case in CASES) == sorted(CATALOGUE)


def test_the_fast_tier_has_every_family():
    def families(names):
        return {get_builder(get_spec(name)).__module__ for name in names}

    assert families(WHOLE_JOURNEY | CHEAPEST) == families(CATALOGUE)
    assert {check.__name__ for check in CHECKS if check.cheap} >= FAST_CHECKS


def test_a_module_gets_the_checks_that_it_can_pass():
    def checks(**options):
        case = Case("tfhub:modules/some", task=words, **options)
        return {check.__name__ for check in CHECKS if check.applies(case)}

    every = {check.__name__ for check in CHECKS if check.applies(OWN)}
    assert checks() == every
    assert every - checks(tunable=False) == {"check_fine_tuning", "check_unfreeze"}
    assert not any(check.applies(case) and check.cheap for check in CHECKS for case in ELSEWHERE)


def test_the_smallest_of_each_constructor_s_networks_is_trained():
    families = collections.defaultdict(list)
    for case in CASES:
        families[case.reference].append(case)
    del families[None]  # Those of our own builder, whose weights are at hand.
    for cases in families.values():
        smallest = min(cases, key=lambda case: CATALOGUE[case.name].parameters)
        assert [case for case in cases if case.trained] == [smallest]


@parametrize_with_checks([*ROWS, OWN, *ELSEWHERE, *TRAINED], marks=tier)
def test_backbone(case, check, tmp_path):
    check(case, tmp_path)

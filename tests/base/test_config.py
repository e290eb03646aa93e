"""Configuration: JSON round trips, and what is said of unknown keys and wrong values."""

import dataclasses
import json

import pytest

from keras_tl.base.config import CacheConfig, HeadConfig, ModelConfig, Phase
from keras_tl.errors import ConfigError

MODEL = {
    "backbone": "resnet50",
    "image_size": (224, 192),
    "resize": "crop",
    "task": "multiclass",
    "class_names": ("a", "ü"),
}
CONFIGS = [
    HeadConfig(),
    HeadConfig(pooling="flatten", hidden=(64, 32), dropout=0),
    HeadConfig(hidden=[16]),
    HeadConfig("concat", hidden=(50,), batch_norm=True),
    CacheConfig(),
    CacheConfig(where="off", folder="a folder", full_hash=True, memory_limit=0, folder_limit=1),
    Phase("head", epochs=10, learning_rate=1e-3),
    Phase(
        name="all",
        epochs=1,
        learning_rate=0.1 + 0.2,
        unfreeze="block4",
        optimizer="adamw",
        weight_decay=0.05,
        schedule="cosine",
        warmup=0.1,
        batch_size=1,
        patience=1,
        batch_norm="frozen",
    ),
    Phase("two", epochs=3, learning_rate=1e-4, unfreeze=2),
    Phase(
        "in turn",
        epochs=3,
        learning_rate=1e-4,
        unfreeze="all",
        discriminative_factor=2.6,
        unfreeze_every="auto",
    ),
    Phase(
        "slowly",
        epochs=9,
        learning_rate=1e-4,
        unfreeze=3,
        discriminative_factor=1,
        unfreeze_every=2,
    ),
    Phase("pairs", epochs=4, learning_rate=5e-5, unfreeze="all", objective="contrastive"),
    Phase("cycle", epochs=3, learning_rate=1e-4, schedule="one_cycle", warmup=0.3),
    ModelConfig(**MODEL),
    ModelConfig(
        **MODEL,
        head=HeadConfig("max", hidden=(8,), dropout=0.5, batch_norm=True),
        precision="mixed_bfloat16",
        architecture={"class_name": "Functional", "config": {"layers": [1, [2, None]]}},
        output_block="block3",
    ),
]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: type(config).__name__)
def test_json_gives_the_same_back(config):
    text = json.dumps(config.to_json())
    again = type(config).from_json(json.loads(text))
    assert again == config
    assert json.dumps(again.to_json()) == text


def test_phases_of_earlier_runs_are_read():
    old = Phase("tune", epochs=1, learning_rate=1e-4, unfreeze="all")
    values = old.to_json()
    for new in ("discriminative_factor", "unfreeze_every", "objective"):
        del values[new]
    assert Phase.from_json(values) == old


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: type(config).__name__)
def test_a_configuration_cannot_be_changed(config):
    name = dataclasses.fields(config)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(config, name, getattr(config, name))


@pytest.mark.parametrize("config", [HeadConfig(), CacheConfig(), CONFIGS[7], ModelConfig(**MODEL)])
def test_an_unknown_key_lists_the_known(config):
    kind = type(config)
    with pytest.raises(ConfigError) as caught:
        kind.from_json(config.to_json() | {"qqqq": 1})
    assert f"Unknown key of {kind.__name__} 'qqqq'. Expected one of: " in str(caught.value)
    for field in dataclasses.fields(kind):
        assert repr(field.name) in str(caught.value)


def test_a_key_that_is_nearly_right_names_the_right_one():
    with pytest.raises(ConfigError, match=r"'learning_rates'\. Did you mean 'learning_rate'"):
        Phase.from_json({"name": "head", "epochs": 1, "learning_rates": 0.1})
    with pytest.raises(ConfigError, match=r"key of HeadConfig 'drop_out'\. Did you mean 'dropout'"):
        ModelConfig.from_json(MODEL | {"head": {"drop_out": 0.5}})


def head(**values):
    return lambda: HeadConfig(**values)


def cache(**values):
    return lambda: CacheConfig(**values)


def phase(**values):
    return lambda: Phase(**{"name": "head", "epochs": 1, "learning_rate": 1e-3} | values)


WRONG = [
    (head(pooling="sum"), r"Unknown pooling 'sum'.*'avg', 'max', 'flatten'"),
    (head(pooling=None), r"Unknown pooling None"),
    (cache(where="memory", folder="here"), r"writes no files, .*Received: folder='here'\. Leave"),
    (head(dropout=1), r"dropout must be a number from 0 to 0\.99\. Received: 1\."),
    (head(dropout=-0.1), r"dropout must be .*Received: -0\.1"),
    (head(dropout="0.5"), r"dropout must be .*Received: '0\.5'"),
    (head(dropout=True), r"dropout must be .*Received: True"),
    (head(dropout=float("nan")), r"dropout must be .*Received: nan"),
    (head(hidden=16), r"hidden must be a tuple of layer widths, such as \(256,\)\. Received: 16"),
    (
        head(hidden="16"),
        r"hidden must be a tuple of layer widths, such as \(256,\)\. Received: '16'",
    ),
    (head(hidden=(16, 0)), r"hidden width must be a whole number of at least 1\. Received: 0"),
    (head(hidden=(1.5,)), r"hidden width must be a whole number.*1\.5"),
    (cache(where="ram"), r"Unknown cache 'ram'.*'auto', 'memory', 'disk', 'off'"),
    (cache(where="of"), r"Unknown cache 'of'\. Did you mean 'off'"),
    (cache(memory_limit=-1), r"memory_limit must be a whole number of at least 0"),
    (cache(folder_limit=0.5), r"folder_limit must be a whole number"),
    (phase(epochs=0), r"epochs must be a whole number of at least 1\. Received: 0"),
    (phase(epochs=2.0), r"epochs must be a whole number.*2\.0"),
    (phase(epochs=True), r"epochs must be a whole number.*True"),
    (phase(epochs=None), r"epochs must be a whole number.*None"),
    (phase(learning_rate=-1e-3), r"learning_rate must be a number from 0 to 1000.*-0\.001"),
    (phase(learning_rate="1e-3"), r"learning_rate must be a number.*'1e-3'"),
    (phase(learning_rate=float("inf")), r"learning_rate must be a number.*inf"),
    (phase(weight_decay=2), r"weight_decay must be a number from 0 to 1\. Received: 2"),
    (phase(warmup=1.5), r"warmup must be a number from 0 to 1\. Received: 1\.5"),
    (phase(batch_size=0), r"batch_size must be a whole number of at least 1"),
    (phase(patience=0), r"patience must be a whole number of at least 1"),
    (phase(optimizer="adan"), r"Unknown optimizer 'adan'\. Did you mean 'adam'"),
    (phase(optimizer="rmsprop"), r"Unknown optimizer 'rmsprop'.*'adam', 'adamw', 'sgd'"),
    (
        phase(schedule="slanted-triangular"),
        r"Unknown schedule 'slanted-triangular'\. Did you mean 'slanted_triangular'",
    ),
    (phase(schedule="step"), r"Unknown schedule 'step'.*'constant', 'cosine'"),
    (phase(batch_norm="off"), r"Unknown batch_norm 'off'.*'affine', 'frozen', 'live'"),
    (phase(discriminative_factor=0.5), r"discriminative_factor must be a number from 1 .*0\.5"),
    (phase(unfreeze="all", unfreeze_every=0), r"unfreeze_every must be a whole number of at"),
    (phase(unfreeze="all", unfreeze_every=0.5), r"unfreeze_every must be a whole number"),
    (phase(unfreeze="all", unfreeze_every="all"), r"Unknown unfreeze_every 'all'.*'auto'"),
    (phase(unfreeze="all", l2=0.1), r"l2= works only in a phase that trains the head alone.*'all'"),
    (phase(unfreeze_every=1), r"unfreeze_every= needs a phase that unfreezes blocks"),
]


@pytest.mark.parametrize(
    ("make", "message"), WRONG, ids=lambda value: value[:30] if isinstance(value, str) else ""
)
def test_a_wrong_value_is_explained(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


RIGHT = [
    head(dropout=0),
    head(dropout=0.99),
    head(hidden=(1,)),
    cache(memory_limit=0, folder_limit=0),
    phase(learning_rate=0),
    phase(weight_decay=1, warmup=1, batch_size=1, patience=1),
    phase(patience=None),
]


@pytest.mark.parametrize("make", RIGHT, ids=range(len(RIGHT)))
def test_the_limits_themselves_are_accepted(make):
    assert isinstance(make().to_json(), dict)

"""TF-Hub modules as layers: shared variables, frozen and fine-tuned, saved and exported."""

import contextlib
import dataclasses
import shutil
from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_tl.backbones.hub import HubLayer, find_hub_layers, load_hub
from keras_tl.backbones.hub.module import HubModule
from keras_tl.backbones.hub.saved_model import open_saved_model
from keras_tl.base.keras_compat import eagerly
from keras_tl.errors import BackboneError
from keras_tl.models.device import choose_strategy
from tests import hub_modules

BATCH, LENGTH = 16, 6
ENCODER_BLOCKS = ["embeddings", "layer_0", "layer_1", "pooler"]


def tokens(names=hub_modules.TOKENS):
    rng = np.random.default_rng(0)
    mask = np.ones((BATCH, LENGTH), np.int32)
    mask[:, 4:] = rng.integers(0, 2, (BATCH, 1))
    words = rng.integers(0, hub_modules.VOCABULARY, (BATCH, LENGTH)).astype(np.int32)
    kinds = np.repeat([[0, 0, 0, 1, 1, 1]], BATCH, 0).astype(np.int32)
    given = {"input_word_ids": words, "input_mask": mask, "input_type_ids": kinds * mask}
    return {name: given[name] for name in names}


def pixels():
    return np.random.default_rng(0).uniform(0, 255, (BATCH, 8, 8, 3)).astype(np.float32)


def texts():
    return tf.constant(["good film", "bad", "the film zzz", "the the"] * (BATCH // 4))


@dataclasses.dataclass(frozen=True)
class Case:
    """A module, what to ask it, and what its network is."""

    make: Callable
    inputs: Callable
    blocks: list
    outputs: dict | tuple
    image_size: tuple | None = None
    moves_statistics: bool = False
    dropout: bool = True


def encoder_case(
    make, names=hub_modules.TOKENS, length=None, pooled=True, sequence=True, **options
):
    outputs = {"mask": (None, length)}
    if sequence:
        outputs["sequence_output"] = (None, length, hub_modules.WIDTH)
    if pooled:
        outputs["pooled_output"] = (None, hub_modules.WIDTH)
    blocks = ENCODER_BLOCKS if pooled else ENCODER_BLOCKS[:-1]
    return Case(make, lambda: tokens(names), blocks, outputs, **options)


def encoder(**options):
    return lambda folder: hub_modules.make_encoder(folder, **options)


def keras2(**options):
    return lambda folder: hub_modules.make_keras2_encoder(folder, **options)


def image(**options):
    return lambda folder: hub_modules.make_image_module(folder, **options)


VECTOR = (None, hub_modules.WIDTH)
CASES = {
    "encoder": encoder_case(encoder()),
    "fixed-length": encoder_case(encoder(length=LENGTH), length=LENGTH),
    "traced-with-none": encoder_case(encoder(traces=(True, None))),
    "no-types": encoder_case(encoder(types=False), hub_modules.TOKENS[:2]),
    "default-only": encoder_case(encoder(outputs=("default",)), sequence=False),
    "sequence-only": encoder_case(encoder(outputs=("sequence_output",)), pooled=False),
    "seeded-dropout": encoder_case(encoder(seeded=True)),
    "keras2": encoder_case(keras2()),
    "keras2-batch-norm": encoder_case(keras2(batch_norm=True), moves_statistics=True),
    "image": Case(image(size=8, batch_norm=False), pixels, ["module"], VECTOR),
    "image-batch-norm": Case(image(size=8), pixels, ["module"], VECTOR, None, True),
    "image-any-size": Case(
        image(maps=True, batch_norm=False), pixels, ["module"], (None, 4, 4, 8), (8, 8)
    ),
    "text": Case(hub_modules.make_text_module, texts, ["module"], VECTOR, dropout=False),
}
# Keras 2 builds its modules slowly: the fast tier has one of the two.
KERAS2 = pytest.param("keras2", marks=pytest.mark.slow)
ALL = [KERAS2 if name == "keras2" else name for name in CASES]
# Those that train differently: the others differ in what they take and give.
TRAINED = ["encoder", "seeded-dropout", KERAS2, "keras2-batch-norm", "image"]
TRAINED += ["image-batch-norm", "text"]
# One of each kind, and the one that Keras 2 saved, for what costs most.
FEW = ["encoder", KERAS2, "image-batch-norm", "text"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The folder of each case's module, made when first asked for."""
    made = {}

    def folder_of(name):
        if name not in made:
            made[name] = CASES[name].make(tmp_path_factory.mktemp("modules") / name)
        return made[name]

    return folder_of


def build(folder, image_size=None):
    """A module in the backbone layer, in a model with a Dense head."""
    backbone = load_hub(folder, image_size)
    inputs = keras.tree.map_structure(
        lambda x: keras.Input(x.shape[1:], dtype=x.dtype, name=x.name), backbone.network.input
    )
    features = backbone(inputs)
    if isinstance(features, dict):
        features = features.get("pooled_output", features.get("sequence_output"))
    if len(features.shape) > 2:
        features = keras.layers.Lambda(lambda x: keras.ops.mean(x, 1))(features)
        features = keras.layers.Flatten()(features)
    return backbone, keras.Model(inputs, keras.layers.Dense(1, dtype="float32")(features))


def compile_and_fit(model, inputs, rate=0.01, traced=False):
    """Train four steps, which take less time eagerly than tracing a step does."""
    with model.distribute_strategy.scope():
        model.compile(keras.optimizers.Adam(rate), "mse", jit_compile=False)
    data = tf.data.Dataset.from_tensor_slices((inputs, np.ones((BATCH, 1), np.float32)))
    with contextlib.nullcontext() if traced else eagerly():
        return model.fit(data.batch(8), epochs=2, shuffle=False, verbose=0)


def values(layer):
    return {variable.path: variable.numpy() for variable in layer.variables}


def moved(before, layer):
    return {path for path, now in values(layer).items() if not np.array_equal(before[path], now)}


@pytest.mark.parametrize("name", ALL)
def test_the_network_is_the_module_with_named_inputs(folders, name):
    case = CASES[name]
    loaded = load_hub(folders(name), case.image_size)
    inputs = case.inputs()
    names = list(inputs) if isinstance(inputs, dict) else [loaded.network.input.name]
    assert sorted(x.name for x in loaded.network.inputs) == sorted(names)
    assert list(loaded.blocks) == case.blocks
    shapes = keras.tree.map_structure(lambda x: tuple(x.shape), loaded.network.output)
    assert shapes == case.outputs
    answers = loaded.network(inputs, training=False)
    module = tf.saved_model.load(str(folders(name)))
    own = tf.constant(inputs / 255) if case.inputs is pixels else inputs
    options = {"training": None} if name == "traced-with-none" else {}
    raw = module(keras.tree.map_structure(tf.constant, own), **options)
    if not isinstance(answers, dict):
        np.testing.assert_allclose(answers, raw, atol=1e-6)
        return
    np.testing.assert_array_equal(answers.pop("mask"), inputs["input_mask"])
    for output, value in answers.items():
        np.testing.assert_allclose(value, raw.get(output, raw.get("default")), atol=1e-6)


@pytest.mark.parametrize("name", ALL)
def test_the_layer_s_variables_are_the_module_s_own(folders, name):
    layer = HubLayer(HubModule(open_saved_model(folders(name)), name))
    module = layer.module.loaded
    assert len(layer.variables) == len(module.variables)
    assert {id(v.value) for v in layer.variables} == {id(v) for v in module.variables}
    trainable = {id(v.value) for v in layer.trainable_variables}
    assert trainable == {id(v) for v in module.trainable_variables}
    layer.set_weights([np.full(v.shape, 0.25) for v in layer.weights])
    for variable in module.variables:
        expected = np.full(variable.shape, 0.25, variable.dtype.as_numpy_dtype)
        np.testing.assert_array_equal(variable, expected)


@pytest.mark.parametrize("name", TRAINED)
def test_a_frozen_phase_leaves_every_variable_as_it_was(folders, name):
    case = CASES[name]
    backbone, model = build(folders(name), case.image_size)
    before = values(backbone)
    compile_and_fit(model, case.inputs())
    assert moved(before, backbone) == set()
    assert len(model.trainable_variables) == 2


@pytest.mark.parametrize("name", TRAINED)
def test_fine_tuning_moves_what_may_be_trained_and_nothing_else(folders, name):
    case = CASES[name]
    backbone, model = build(folders(name), case.image_size)
    (layer,) = find_hub_layers(backbone.network)
    before = values(backbone)
    backbone.unfreeze(backbone.blocks)
    compile_and_fit(model, case.inputs(), traced=name in ("encoder", "image-batch-norm"))
    trainable = {variable.path for variable in layer.trainable_variables}
    assert len(trainable) == len(layer.module.loaded.trainable_variables)
    # A bias of the keys shifts all scores of a softmax: its gradient is 0 but for rounding.
    optional = {path for path in trainable if path.endswith("key/bias")}
    # The seed of live dropout moves by itself.
    changed = {path for path in moved(before, backbone) if not path.endswith("seed")}
    assert trainable - optional <= changed <= trainable
    assert layer.module.moves_statistics == case.moves_statistics
    slots = [v for v in model.optimizer.variables if len(v.shape)]
    assert len(slots) == 2 * len(model.trainable_variables) == 2 * (len(trainable) + 2)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        *(("encoder", count) for count in (1, 2, 3)),
        pytest.param("keras2", 2, marks=pytest.mark.slow),
    ],
)
def test_only_the_chosen_blocks_move(folders, name, count):
    backbone, model = build(folders(name))
    before = values(backbone)
    backbone.unfreeze(backbone.blocks[-count:])
    compile_and_fit(model, tokens())
    blocks = {"transformer/layer_0": "layer_0", "transformer/layer_1": "layer_1"}
    found = {
        blocks.get("/".join(path.split("/")[:2]), path.split("_")[0])
        for path in moved(before, backbone)
    }
    assert found == set(ENCODER_BLOCKS[-count:])
    assert {v.path for v in backbone.trainable_variables} >= moved(before, backbone)


@pytest.mark.parametrize("name", TRAINED)
def test_dropout_is_live_in_fine_tuning_only(folders, name):
    case = CASES[name]
    backbone, model = build(folders(name), case.image_size)
    inputs = case.inputs()
    still = model(inputs, training=False)
    np.testing.assert_array_equal(model(inputs, training=True), still)
    backbone.unfreeze(backbone.blocks)
    np.testing.assert_array_equal(model(inputs, training=False), still)
    np.testing.assert_array_equal(model(inputs), still)
    first, second = model(inputs, training=True), model(inputs, training=True)
    live = case.dropout and not case.moves_statistics
    assert np.array_equal(first, second) == (not live)
    assert np.array_equal(first, still) == (not live)


def test_regularization_losses_count_in_fine_tuning_only(tmp_path):
    backbone, model = build(hub_modules.make_encoder(tmp_path / "module", l2=1.0, dropout=0.0))
    model(tokens(), training=True)
    assert model.losses == []
    backbone.unfreeze(backbone.blocks[-1:])
    model(tokens(), training=False)
    assert model.losses == []
    model(tokens(), training=True)
    (kernel,) = backbone.trainable_variables
    np.testing.assert_allclose(model.losses, [np.sum(kernel.numpy() ** 2) / 2], rtol=1e-6)
    history = compile_and_fit(model, tokens(), rate=0.0, traced=True).history
    plain = model.evaluate(tokens(), np.ones((BATCH, 1)), verbose=0)
    np.testing.assert_allclose(
        history["loss"][1],
        plain + float(model.losses[0]) if model.losses else plain + np.sum(kernel.numpy() ** 2) / 2,
        rtol=1e-5,
    )


@pytest.mark.parametrize("name", FEW)
def test_weights_are_saved_and_loaded(folders, name, tmp_path):
    case = CASES[name]
    backbone, model = build(folders(name), case.image_size)
    backbone.unfreeze(backbone.blocks)
    compile_and_fit(model, case.inputs())
    model.save_weights(tmp_path / "model.weights.h5")
    _, other = build(folders(name), case.image_size)
    assert not np.array_equal(other(case.inputs()), model(case.inputs()))
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(other(case.inputs()), model(case.inputs()))


class Export(tf.Module):
    """What an export of a model tracks: variables, and what the hub layers say."""

    def __init__(self, model, inputs):
        super().__init__()
        self.model_variables = [variable.value for variable in model.variables]
        self.resources = [x for layer in find_hub_layers(model) for x in layer.resources]
        one = not isinstance(inputs, dict)

        def answer(**given):
            return {"y": model(given["x"] if one else given, training=False)}

        specs = {
            name: tf.TensorSpec((None, *value.shape[1:]), value.dtype, name)
            for name, value in ({"x": inputs} if one else inputs).items()
        }
        self.answer = tf.function(answer, autograph=False)
        self.signature = self.answer.get_concrete_function(**specs)


@pytest.mark.parametrize("name", FEW)
def test_an_export_answers_as_the_model_does(name, tmp_path):
    case = CASES[name]
    folder = case.make(tmp_path / "module")
    backbone, model = build(folder, case.image_size)
    backbone.unfreeze(backbone.blocks)
    inputs = case.inputs()
    compile_and_fit(model, inputs)
    export = Export(model, inputs)
    tf.saved_model.save(export, str(tmp_path / "export"), export.signature)
    expected = model(inputs).numpy()
    shutil.rmtree(folder)  # Vocabulary files included: nothing may point to them.
    feed = inputs if isinstance(inputs, dict) else {"x": inputs}
    signature = tf.saved_model.load(str(tmp_path / "export")).signatures["serving_default"]
    answers = signature(**{name: tf.constant(value) for name, value in feed.items()})
    np.testing.assert_allclose(answers["y"], expected, atol=1e-5)
    answers = hub_modules.ask_as_tf_serving_does(tmp_path / "export", feed)
    np.testing.assert_allclose(answers["y"], expected, atol=1e-5)


# Those whose layers have no statistics train there in the full tier.
@pytest.mark.parametrize(
    "name", [pytest.param(x, marks=pytest.mark.slow) if x == "encoder" else x for x in FEW]
)
def test_several_replicas_train_the_variables_made_in_their_scope(folders, name):
    case = CASES[name]
    strategy = choose_strategy("mirrored")
    with strategy.scope():
        backbone, model = build(folders(name), case.image_size)
        if name == "text":
            with pytest.raises(BackboneError, match=r"several replicas.*strategy='single'"):
                backbone.unfreeze(backbone.blocks)
            return
        backbone.unfreeze(backbone.blocks)
        before = values(backbone)
    compile_and_fit(model, case.inputs(), traced=True)
    trainable = {variable.path for variable in backbone.trainable_variables}
    optional = {path for path in trainable if path.endswith("key/bias")}
    assert trainable - optional <= moved(before, backbone) <= trainable


def test_modules_compute_in_float32_under_any_policy(folders):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        backbone, model = build(folders("encoder"))
    finally:
        keras.config.set_dtype_policy(before)
    _, plain = build(folders("encoder"))
    plain.set_weights(model.get_weights())
    assert {v.dtype for v in backbone.variables} == {"float32"}
    np.testing.assert_allclose(
        backbone(tokens())["pooled_output"],
        plain.get_layer("backbone")(tokens())["pooled_output"],
        atol=1e-7,
    )


def test_any_length_is_any_length(folders):
    backbone, _ = build(folders("encoder"))
    for length in (1, 3, 6):
        short = {name: value[:, :length] for name, value in tokens().items()}
        assert backbone(short)["sequence_output"].shape == (BATCH, length, hub_modules.WIDTH)


def test_the_identity_is_that_of_the_files(folders, tmp_path):
    copy = shutil.copytree(folders("encoder"), tmp_path / "copy")
    original = load_hub(folders("encoder")).identity
    assert load_hub(copy).identity == original
    (copy / "assets" / "more.txt").write_text("changed")
    assert load_hub(copy).identity != original


CANNOT_TRAIN = {
    "no-trainable-variables": (
        lambda folder: hub_modules.make_text_module(folder, trainable=False),
        r"cannot be fine-tuned, because it has no trainable variables\. Keep the module frozen",
    ),
    "no-training-trace": (
        encoder(traces=(False,)),
        r"cannot be fine-tuned, because it was saved without a trace for training=True",
    ),
}


@pytest.mark.parametrize("name", CANNOT_TRAIN)
def test_a_module_that_cannot_be_trained_says_so_and_stays_frozen(name, tmp_path):
    make, message = CANNOT_TRAIN[name]
    backbone, _ = build(make(tmp_path / "module"))
    for ask in (
        lambda: backbone.unfreeze(backbone.blocks),
        lambda: setattr(backbone, "trainable", True),
    ):
        with pytest.raises(BackboneError, match=message):
            ask()
        assert not backbone.trainable
        assert backbone.trainable_variables == []
    backbone.unfreeze(())


def test_the_publisher_decides_what_may_be_trained(tmp_path):
    backbone, _ = build(hub_modules.make_encoder(tmp_path / "module", trainable="transformer"))
    backbone.unfreeze(backbone.blocks)
    assert len(backbone.trainable_variables) == 4
    assert len(backbone.variables) == 7


def save(function, *specs, **children):
    def make(folder):
        root = tf.train.Checkpoint(**children)
        root.__call__ = tf.function(function)
        root.__call__.get_concrete_function(*specs)
        tf.saved_model.save(root, str(folder))
        return folder

    return make


def spec(*shape, dtype=tf.float32):
    return tf.TensorSpec(shape, dtype)


def signature_only(folder):
    root = tf.Module()
    root.f = tf.function(lambda x: {"y": x}, input_signature=[spec(None, 3)])
    tf.saved_model.save(root, str(folder), root.f)
    return folder


def counting(folder):
    counter = tf.Variable(0.0)

    def call(x):
        return tf.cond(counter < 3, lambda: x + counter.assign_add(1.0), lambda: x)

    return save(call, spec(None, 8, 8, 3), counter=counter)(folder)


def old_format(folder):
    folder.mkdir()
    (folder / "tfhub_module.pb").touch()
    (folder / "saved_model.pb").touch()
    return folder


def broken(folder):
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(b"no protocol buffer")
    return folder


def empty(folder):
    folder.mkdir()
    return folder


WRONG = {
    "numbers": (
        save(lambda x: x, spec(None, 3)),
        None,
        r"takes float32 \(None, 3\)\. Expected int32",
    ),
    "grey": (save(lambda x: x, spec(None, 8, 8, 1)), None, r"takes float32 \(None, 8, 8, 1\)\."),
    "list": (
        save(lambda x: x[0], [spec(None, 4, dtype=tf.int32)] * 3),
        None,
        r"takes a list of int32 \(None, 4\), int32 \(None, 4\), int32 \(None, 4\)\.",
    ),
    "other-dict": (
        save(lambda x: x["ids"], {"ids": spec(None, 4, dtype=tf.int32)}),
        None,
        r"takes a dict of ids: int32 \(None, 4\)\. Expected int32 tokens of a BERT encoder",
    ),
    "two-outputs": (
        save(lambda x: [x, x], spec(None, 8, 8, 3)),
        None,
        r"returns a list of .*Expected one tensor",
    ),
    "no-such-output": (
        encoder(outputs=()),
        None,
        r"returns an empty dict\. Expected sequence_output",
    ),
    "training-only": (
        encoder(traces=(True,)),
        None,
        r"takes no inputs in inference\. Expected int32",
    ),
    "signatures-only": (signature_only, None, r"has no function __call__"),
    "changes-itself": (counting, None, r"changes its own variables even in inference"),
    "old-format": (old_format, None, r"has the TF1 Hub format\. Expected a TF2 SavedModel"),
    "empty": (empty, None, r"No TF-Hub module in .*expected a saved_model\.pb"),
    "broken": (broken, None, r"cannot be loaded: "),
    "no-size": (image(), None, r"takes images of any size\. .*image_size="),
    "other-size": (image(size=8), (9, 8), r"takes \(8, 8\) pixels\. Received image_size=\(9, 8\)"),
    "size-of-text": (encoder(), (8, 8), r"image_size= is for images, but .* takes int32"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_used_gets_one_clear_sentence(name, tmp_path):
    make, image_size, message = WRONG[name]
    folder = make(tmp_path / "module")
    with pytest.raises(BackboneError, match=message) as caught:
        load_hub(folder, image_size)
    assert "\n" not in str(caught.value)


def test_a_program_is_not_put_into_a_configuration(folders):
    loaded = load_hub(folders("encoder"))
    with pytest.raises(BackboneError, match=r"A Keras configuration cannot contain"):
        loaded.network.to_json()
    assert isinstance(loaded.network.layers[-1], HubLayer)

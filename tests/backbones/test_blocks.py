"""The blocks of a network: branches, layers without names, and what is found to be wrong."""

import itertools

import keras
import pytest

from keras_tl.backbones.blocks import assign_blocks, default_blocks, output_of, stable_names, up_to
from keras_tl.backbones.catalogue import get_spec
from keras_tl.backbones.loading import load_spec
from keras_tl.backbones.spec import BlockSpec
from keras_tl.errors import BackboneError


def branched():
    """Two units; a short cut of the second lies beside the first in the order of the graph."""
    inputs = keras.Input((8, 8, 3))
    first = keras.layers.Conv2D(4, 3, padding="same", name="first")(inputs)
    x = first
    for _ in range(3):
        x = keras.layers.Conv2D(4, 3, padding="same")(x)
    x = keras.layers.Add()([x, first])
    short = keras.layers.Conv2D(4, 1, name="short")(first)
    x = keras.layers.Add()([x, short])
    return keras.Model(inputs, keras.layers.ReLU(name="out")(x), name="branched")


BLOCKS = (BlockSpec("stem", "first"), BlockSpec("block1", "add"), BlockSpec("block2"))


def test_a_block_holds_what_its_end_needs():
    network = branched()
    stable = stable_names(network)
    assigned = [
        (block, {stable[x] for x in found}) for block, found in assign_blocks(network, BLOCKS)
    ]
    assert assigned == [
        ("stem", {"first"}),
        ("block1", {"conv2d", "conv2d_1", "conv2d_2", "add"}),
        ("block2", {"short", "add_1", "out"}),
    ]


def test_names_do_not_depend_on_what_was_built_before():
    first, second = branched(), branched()
    assert [x.name for x in first.layers] != [x.name for x in second.layers]
    assert list(stable_names(first).values()) == list(stable_names(second).values())


@pytest.mark.parametrize(("last", "weights"), [("stem", 2), ("block1", 8), ("block2", 10)])
def test_a_cut_keeps_no_weights_of_later_blocks(last, weights):
    network = branched()
    kept, output = up_to(network, BLOCKS, last)
    part = keras.Model(network.input, output)
    assert kept[-1].name == last
    assert len(part.weights) == weights
    assert [name for name, _ in assign_blocks(part, kept)] == [block.name for block in kept]


def test_the_network_that_a_cut_made_can_be_cut_again():
    """Its layers have two outputs by then: the first network's, and its own."""
    network = branched()
    inner = keras.Model(network.get_layer("first").output, network.output)
    _, output = up_to(inner, (BlockSpec("short", "short"), BlockSpec("rest")), "short")
    assert len(keras.Model(inner.input, output).weights) == 2


FAST_CUTS = [
    ("convnext_tiny", "block1"),
    ("mobilenet_v3_small", "stem"),
    ("mobilenet_v3_small", "block3"),
]


@pytest.mark.parametrize(
    ("name", "block"),
    [
        pytest.param(*cut, marks=[pytest.mark.slow] * (cut not in FAST_CUTS))
        for cut in itertools.product(
            ["convnext_tiny", "mobilenet_v3_small"], ["stem", "block1", "block3"]
        )
    ],
)
def test_the_layers_of_the_first_blocks_give_what_the_last_of_them_gives(name, block):
    """Of units that end in a function without a layer, and of a network that was cut before."""
    spec = get_spec(name)
    whole = load_spec(spec, None, (32, 32))
    part = load_spec(spec, None, (32, 32), output_block=block)
    kept = [layer for name in part.blocks for layer in whole.block_layers(name)]
    inner = whole.network.layers[-1]
    found = keras.Model(inner.input, output_of(inner, kept))
    assert len(found.operations) == len(part.network.layers[-1].operations)
    assert found.output.shape == part.network.output.shape


def test_without_blocks_each_layer_with_weights_is_one():
    network = branched()
    names = [block.name for block in default_blocks(network)]
    assert names == ["first", "conv2d", "conv2d_1", "conv2d_2", "short"]
    assert [name for name, _ in assign_blocks(network, ())] == names


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ((BlockSpec("stem", "first"),), "No block of branched contains the layer 'conv2d.*'"),
        (
            (BlockSpec("a", "fist"), BlockSpec("b")),
            "'a' of branched should end at a layer named 'fist'",
        ),
        ((BlockSpec("a", "out"), BlockSpec("b")), "blocks of branched contain no layers: b"),
    ],
)
def test_wrong_blocks_are_found_out(blocks, message):
    with pytest.raises(BackboneError, match=message):
        assign_blocks(branched(), blocks)


def test_an_unknown_block_is_named():
    with pytest.raises(BackboneError, match=r"Unknown block of branched 'blok1'. Did you mean"):
        up_to(branched(), BLOCKS, "blok1")

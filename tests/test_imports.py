"""Imports go one way: a room may import from rooms to its left, and nothing else."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import keras_tl

PACKAGE = Path(keras_tl.__file__).parent
NAME = "keras_tl"

# The leaves, and what each of them may import.
LEAVES = {
    "errors": set(),
    "base": {"errors"},
}
# The other rooms from left to right; two at one place do not import each other. The package
# itself gives out the names of all the rooms before it.
ORDER = [
    {"tasks"},
    {"data", "backbones"},
    {"runs", "serving"},
    {"models"},
    {"features"},
    {"training"},
    {"ulmfit"},
    {"evaluation"},
    {"selection"},
    {"preflight"},
    {"export"},
    {"report"},
    {"learner"},
    {"comparison"},
    {"testing"},
    {NAME},
    {"cli"},
]
# The packages inside data, in the same way.
DATA_ORDER = [{"folders"}, {"tables"}, {"images", "texts"}, {"tfds"}]
PLACES = {room: place for place, rooms in enumerate(ORDER) for room in rooms}


def may_import(room):
    """The rooms from which a room may import, itself among them."""
    if room in LEAVES:
        return LEAVES[room] | {room}
    return {room, *LEAVES} | {other for other in PLACES if PLACES[other] < PLACES[room]}


def room_of(module, rooms):
    """The room of a dotted name: the package itself where its second part is not a room."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in rooms else NAME


def imported_modules(source, module, is_package):
    """Every module that a source text imports, wherever in the text and in whatever way."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = [*base, *([node.module] if node.module else [])]
            # Each name may be a module itself.
            yield from (".".join([*base, alias.name]) for alias in node.names)
        elif isinstance(node, ast.Call) and node.args:
            function, first = node.func, node.args[0]
            called = getattr(function, "attr", getattr(function, "id", None))
            literal = isinstance(first, ast.Constant) and isinstance(first.value, str)
            if called in ("import_module", "__import__") and literal:
                yield first.value


def wrong_imports(package):
    """The files below a folder of the package's name, and a line for each import not allowed."""
    files = sorted(package.rglob("*.py"))
    rooms = {path.relative_to(package).parts[0].removesuffix(".py") for path in files}
    problems = []
    for path in files:
        parts = path.relative_to(package.parent).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        module = ".".join(parts[:-1] if is_package else parts)
        room = room_of(module, rooms)
        if room not in LEAVES and room not in PLACES:
            problems.append(f"{module} is in a room without a place: {room}")
            continue
        for imported in imported_modules(path.read_text(encoding="utf-8"), module, is_package):
            if imported.split(".")[0] == NAME and room_of(imported, rooms) not in may_import(room):
                problems.append(f"{module} imports {imported}")
    return files, problems


def test_imports_go_one_way():
    files, problems = wrong_imports(PACKAGE)
    on_disk = [name for _, _, names in os.walk(PACKAGE) for name in names if name.endswith(".py")]
    assert len(files) == len(on_disk)
    assert len(files) > 20
    assert problems == []


def test_packages_of_data_go_one_way():
    places = {room: place for place, rooms in enumerate(DATA_ORDER) for room in rooms}
    problems, rooms = [], set()
    for path in sorted((PACKAGE / "data").glob("*/*.py")):
        room, module = path.parent.name, f"{NAME}.data.{path.parent.name}.{path.stem}"
        rooms.add(room)
        for imported in imported_modules(path.read_text(encoding="utf-8"), module, False):
            other = imported.removeprefix(f"{NAME}.data.").split(".")[0]
            if other != room and places.get(other, -1) >= places[room]:
                problems.append(f"{module} imports {imported}")
    assert rooms == places.keys()
    assert problems == []


def test_every_room_in_the_order_exists():
    found = {path.stem for path in PACKAGE.iterdir()}
    assert {*LEAVES, *PLACES} - {NAME} <= found


# A made-up module of a room, and whether what it does is wrong.
MADE_UP = {
    "left": ("models/heads.py", "from keras_tl.backbones.layer import Backbone", False),
    "leaf": ("data/images/image_split.py", "from keras_tl.base.files import sha256", False),
    "same-room": ("data/images/image_split.py", "from keras_tl.data.splits import take_out", False),
    "relative-same-room": ("data/images/image_split.py", "from .splits import take_out", False),
    "other-library": ("errors.py", "import keras.layers, numpy", False),
    "similar-name": ("errors.py", "import keras_tl_extras", False),
    "package-from-cli": ("cli.py", "import keras_tl", False),
    "right": ("models/heads.py", "from keras_tl.training.trainer import Trainer", True),
    "right-from-a-leaf": ("base/config.py", "from keras_tl.data import ImageData", True),
    "leaf-from-leaf": ("errors.py", "from keras_tl.base.config import check_choice", True),
    "neighbour": (
        "data/images/image_split.py",
        "from keras_tl.backbones.catalogue import CATALOGUE",
        True,
    ),
    "plain": ("data/images/image_split.py", "import keras_tl.learner", True),
    "plain-as": ("data/images/image_split.py", "import numpy, keras_tl.learner as facade", True),
    "room-itself": ("data/images/image_split.py", "from keras_tl import learner", True),
    "package": ("training/trainer.py", "import keras_tl", True),
    "name-of-package": ("training/trainer.py", "from keras_tl import Learner", True),
    "relative": ("data/images/image_split.py", "from ...learner import Learner", True),
    "relative-room": ("data/__init__.py", "from .. import learner", True),
    "in-a-function": ("models/heads.py", "def f():\n    from keras_tl import learner", True),
    "in-a-method": (
        "models/heads.py",
        "class A:\n    def f(self):\n        import keras_tl.cli",
        True,
    ),
    "type-checking": (
        "models/heads.py",
        "if TYPE_CHECKING:\n    from keras_tl.cli import main",
        True,
    ),
    "tried": (
        "models/heads.py",
        "try:\n    import keras_tl.cli\nexcept ImportError:\n    pass",
        True,
    ),
    "import-module": ("models/heads.py", "importlib.import_module('keras_tl.learner')", True),
    "deep": ("data/deep/er/module.py", "from keras_tl.learner import Learner", True),
    "new-room": ("novelty/__init__.py", "", True),
}


@pytest.mark.parametrize("name", MADE_UP)
def test_the_check_finds_what_is_wrong_and_only_that(tmp_path, name):
    file, source, is_wrong = MADE_UP[name]
    package = tmp_path / NAME
    for room in {*LEAVES, *PLACES} - {NAME}:
        (package / room).mkdir(parents=True)
        (package / room / "__init__.py").touch()
    assert wrong_imports(package)[1] == []
    (package / file).parent.mkdir(parents=True, exist_ok=True)
    (package / file).write_text(source)
    files, problems = wrong_imports(package)
    assert package / file in files
    assert len(problems) == int(is_wrong), problems


def foreign_private_names(path, own):
    """Private names of other packages in a module, and where."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            if {"src", "python"} & {*node.module.split(".")}:
                yield f"{path.relative_to(PACKAGE)}:{node.lineno} {node.module}"
        # `_replace` of a named tuple is not private.
        elif re.match("_[^_]", getattr(node, "attr", "")) and node.attr not in own | {"_replace"}:
            yield f"{path.relative_to(PACKAGE)}:{node.lineno} {node.attr}"


def own_names(tree):
    """What classes and modules of ours call `_something`: methods, functions, attributes."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                for part in ast.walk(target):
                    yield getattr(part, "attr", getattr(part, "id", ""))


def test_private_names_of_keras_stand_in_one_module():
    paths = sorted(PACKAGE.rglob("*.py"))
    own = {name for path in paths for name in own_names(ast.parse(path.read_text("utf-8")))}
    # That process has no keras_tl.
    elsewhere = {PACKAGE / "base/keras_compat.py", PACKAGE / "export/without_keras/operations.py"}
    found = [x for path in paths if path not in elsewhere for x in foreign_private_names(path, own)]
    assert not found
    assert list(foreign_private_names(PACKAGE / "base/keras_compat.py", own))


def test_only_tasks_know_the_names_of_tasks():
    from keras_tl.tasks import TASKS

    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).parts[0] != "tasks"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and node.value in TASKS
    ]
    assert not found


def switches_of_modality(source):
    """The lines that ask for the name of a modality, or whether something is of its classes."""
    from keras_tl.models.modalities import MODALITIES

    names = {*MODALITIES, *(f"{name}s" for name in MODALITIES)}
    classes = {f"{kind}{what}" for kind in ("Image", "Text") for what in ("Data", "Split", "Items")}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
            parts = [*ast.walk(node)]
            if any(isinstance(part, ast.Constant) and part.value in names for part in parts):
                yield node.lineno
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "isinstance":
            asked = {getattr(x, "attr", getattr(x, "id", "")) for x in ast.walk(node.args[1])}
            if asked & (classes | {"Images", "Texts"}):
                yield node.lineno


def test_only_modalities_and_data_switch_on_the_modality():
    found = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).parts[:1] != ("data",) and path.parent.name != "models"
        for line in switches_of_modality(path.read_text("utf-8"))
    ]
    assert not found


@pytest.mark.parametrize(
    ("source", "is_switch"),
    [
        ("config.item == 'text'", True),
        ("(policy, family) == ('standard', 'image')", True),
        ("isinstance(data, keras_tl.TextData)", True),
        ("isinstance(split, (ImageSplit, Split))", True),
        ("config.item == data.item", False),
        ("isinstance(data, LabelledData)", False),
        ("found = TextData.from_csv('text')", False),
    ],
)
def test_the_check_finds_switches_of_modality(source, is_switch):
    assert bool([*switches_of_modality(source)]) == is_switch


LAZY = """
import sys
import keras_tl, keras_tl.cli
loaded = [name for name in ("tensorflow", "keras", "sklearn", "matplotlib") if name in sys.modules]
assert not loaded, loaded
assert "Learner" in dir(keras_tl)
for name in keras_tl.__all__:
    assert getattr(keras_tl, name) is not None, name
assert "tensorflow" in sys.modules
extras = {"tensorflow_hub", "tensorflow_text", "keras_hub", "tf_keras"} & set(sys.modules)
assert not extras, extras
assert keras_tl.Learner.__name__ == "Learner"
try:
    keras_tl.Lerner
except AttributeError as error:
    assert "Lerner" in str(error)
else:
    raise AssertionError("a name that does not exist was found")
print("all is well")
"""

ALL = """
import importlib, logging, os, pkgutil, sys, warnings
import tensorflow, keras_tl
before = dict(os.environ), list(sys.path), list(warnings.filters), keras_policy()
names = [found.name for found in pkgutil.walk_packages(keras_tl.__path__, "keras_tl.")]
for name in names:
    importlib.import_module(name)
assert (dict(os.environ), list(sys.path), list(warnings.filters), keras_policy()) == before
assert sys.modules["keras"] is not None
print(len(names))
"""


def test_every_module_can_be_imported_without_side_effects():
    code = ALL.replace("keras_policy()", "__import__('keras').config.dtype_policy().name")
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 300


IMAGE_WORK = """
import sys
for name in ("tensorflow_text", "keras_hub"):
    sys.modules[name] = None
import keras, numpy
import keras_tl
pixels = numpy.random.default_rng(0).uniform(0, 255, (24, 8, 8, 3))
data = keras_tl.ImageData.from_arrays(pixels, [0, 1, 2] * 8, verbose=False)
network = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3)])
learner = keras_tl.Learner(network, data, preprocess="tf", seed=0, verbose=False)
learner.fit_head(1, cache="memory")
learner.fine_tune(1)
learner.save("run")
expected = learner.predict(pixels).probabilities
loaded = keras_tl.Learner.load("run", verbose=False)
assert numpy.array_equal(loaded.predict(pixels).probabilities, expected)
loaded.export("model")
texts = keras_tl.TextData.from_arrays(["good", "bad"] * 8, [0, 1] * 8, verbose=False)
try:
    keras_tl.Learner("kerashub:bert_tiny_en_uncased", texts, verbose=False)
except keras_tl.errors.ConfigError as error:
    assert 'pip install "keras_tl[kerashub]"' in str(error), error
else:
    raise AssertionError("KerasHub was found")
print("all is well")
"""


@pytest.mark.slow
def test_images_need_no_package_for_texts(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", IMAGE_WORK],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(PACKAGE.parent)},
    )
    assert done.stdout.endswith("all is well\n"), done.stderr


def test_importing_the_package_imports_no_tensorflow_until_a_name_is_used():
    done = subprocess.run(
        [sys.executable, "-c", LAZY], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.stdout == "all is well\n", done.stderr

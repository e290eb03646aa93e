"""What modules may import and name. The order of the packages is checked by `make lint`."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import keras_tl

INIT = Path(keras_tl.__file__)
PACKAGE = INIT.parent


def test_only_commands_import_the_package_itself():
    """It gives out names of all packages, so importing it would be a way round their order."""
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}

    def imports_it(node):
        names = {name.name for name in getattr(node, "names", ())}
        if isinstance(node, ast.ImportFrom):
            return node.module == "keras_tl" and not names <= packages
        return isinstance(node, ast.Import) and "keras_tl" in names

    found = {
        path.relative_to(PACKAGE).parts[0]
        for path in PACKAGE.rglob("*.py")
        if path != PACKAGE / "__init__.py"
        and any(map(imports_it, ast.walk(ast.parse(path.read_text("utf-8")))))
    }
    assert found == {"cli"}


def test_public_names_are_the_same_for_people_editors_and_imports():
    """Lazy imports, imports for type checkers, and `__all__` are three lists of the same names."""
    (block,) = (x for x in ast.parse(INIT.read_text("utf-8")).body if is_for_checkers(x))
    homes, modules = {}, {}
    for imported in block.body:
        for name in imported.names:
            path = f"{imported.module}.{name.name}"
            is_module = file_of(path).exists()
            (modules if is_module else homes)[name.name] = path if is_module else imported.module
    assert homes == keras_tl._HOMES
    assert modules == keras_tl._MODULES
    assert {*homes, *modules} == {*keras_tl.__all__}
    assert len(keras_tl.__all__) == len({*keras_tl.__all__})
    assert {*keras_tl.__all__} <= {*dir(keras_tl)}


def is_for_checkers(node):
    """Whether a statement is `if TYPE_CHECKING:`, with imports only."""
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def file_of(module):
    path = PACKAGE.parent.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


# Functions that take the name of an attribute as their second argument.
BY_NAME = {"getattr", "hasattr", "setattr", "delattr", "object"}


def foreign_private_names(source, own):
    """Private names of other packages in a source text, with their lines."""
    # `_replace` of a named tuple is not private.
    own = own | {"_replace"}
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            paths = [name.name for name in node.names]
            if isinstance(node, ast.ImportFrom):
                paths += [node.module or ""]
            parts = [part for path in paths for part in path.split(".")]
            yield from ((node.lineno, x) for x in parts if x in {"src", "python"})
            names = parts
        elif isinstance(node, ast.Attribute):
            if node.attr == "src":
                yield node.lineno, node.attr
            names = [node.attr]
        elif isinstance(node, ast.Call) and len(node.args) > 1:
            function = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if function in BY_NAME and isinstance(node.args[1], ast.Constant):
                names = [str(node.args[1].value)]
        yield from ((node.lineno, x) for x in names if re.match("_[^_]", x) and x not in own)


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
    sources = {path: path.read_text("utf-8") for path in sorted(PACKAGE.rglob("*.py"))}
    own = {name for source in sources.values() for name in own_names(ast.parse(source))}
    # That process has no keras_tl.
    elsewhere = {PACKAGE / "base/keras_compat.py", PACKAGE / "export/without_keras/operations.py"}
    found = [
        f"{path.relative_to(PACKAGE)}:{line} {name}"
        for path, source in sources.items()
        if path not in elsewhere
        for line, name in foreign_private_names(source, own)
    ]
    assert not found
    assert list(foreign_private_names(sources[PACKAGE / "base/keras_compat.py"], own))


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("model._layers", ["_layers"]),
        ("getattr(model, '_functional', None)", ["_functional"]),
        ("mock.patch.object(Trainer, '_steps', 1)", ["_steps"]),
        ("keras.src.utils", ["src"]),
        ("from keras.src import utils", ["src"]),
        ("import tensorflow.python.eager", ["python"]),
        ("from tensorflow import _api", ["_api"]),
        ("model._own.layers", []),
        ("getattr(model, '_own', getattr(model, name))", []),
        ("stage._replace(width=8).__class__", []),
    ],
)
def test_the_check_finds_private_names(source, names):
    assert [name for _, name in foreign_private_names(source, {"_own"})] == names


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


# In one process, because importing TensorFlow takes long.
IMPORTS = """
import importlib, os, pkgutil, sys, warnings
import keras_tl, keras_tl.cli
loaded = [name for name in ("tensorflow", "keras", "sklearn", "matplotlib") if name in sys.modules]
assert not loaded, loaded
assert "Learner" in dir(keras_tl)
import keras, tensorflow
def state():
    policy = keras.config.dtype_policy().name
    return dict(os.environ), list(sys.path), list(warnings.filters), policy
before = state()
for name in keras_tl.__all__:
    assert getattr(keras_tl, name) is not None, name
extras = {"tensorflow_hub", "tensorflow_text", "keras_hub", "tf_keras"} & set(sys.modules)
assert not extras, extras
assert keras_tl.Learner.__name__ == "Learner"
try:
    keras_tl.Lerner
except AttributeError as error:
    assert "Lerner" in str(error)
else:
    raise AssertionError("a name that does not exist was found")
names = [found.name for found in pkgutil.walk_packages(keras_tl.__path__, "keras_tl.")]
for name in names:
    importlib.import_module(name)
assert state() == before
assert sys.modules["keras"] is not None
print(len(names))
"""


def test_the_package_imports_no_tensorflow_and_no_module_has_side_effects():
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=False, timeout=300
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
    assert 'pip install "keras-hub' in str(error), error
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

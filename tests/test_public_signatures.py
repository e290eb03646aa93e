"""Calls of the public API name their arguments, and editors know every argument and choice."""

import ast
import functools
from pathlib import Path
from typing import get_args

import pytest

import keras_tl
from keras_tl.base import choices

ROOT = Path(keras_tl.__file__).parents[1]
POSITIONAL = 2
# Functions that take any number of values of one kind.
OF_MANY = {"check_new"}
# A Keras layer and a TensorFlow module, which only the toolkit builds.
OF_TOOLKIT = {"Backbone", "ServingModel"}
# Dataclasses that users build. Others are results, which the toolkit builds.
BUILT = {
    "keras_tl.backbones.BackboneSpec",
    "keras_tl.backbones.BlockSpec",
    "keras_tl.backbones.Preprocessing",
    "keras_tl.backbones.Weights",
    "keras_tl.backbones.WeightsPackage",
    "keras_tl.base.config.CacheConfig",
    "keras_tl.base.config.HeadConfig",
    "keras_tl.base.config.Phase",
    "keras_tl.comparison.budget.Protocol",
    "keras_tl.testing.Case",
    "keras_tl.ulmfit.AwdLstmConfig",
    "keras_tl.ulmfit.VocabularyLimits",
}


@functools.cache
def parsed(module):
    """The statements of a module, also those for type checkers. `None`: there is no module."""
    path = ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not path.exists():
        return None
    found = []
    for node in ast.parse(path.read_text("utf-8")).body:
        is_block = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        found += node.body if is_block else [node]
    return found


@functools.cache
def defined(module, name):
    """The module that defines a name, and the definition."""
    for node in parsed(module) or ():
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == name:
            return module, node
        if isinstance(node, ast.ImportFrom) and node.module.startswith("keras_tl"):
            for one in node.names:
                if (one.asname or one.name) == name:
                    return defined(node.module, one.name)
    return module, None


def public_names(module):
    """The names that a public module gives out: `__all__`, or its public definitions."""
    for node in parsed(module):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value)
    kinds = (ast.ClassDef, ast.FunctionDef)
    return [x.name for x in parsed(module) if isinstance(x, kinds) and x.name[0] != "_"]


def public_definitions():
    """Yield the dotted name of each public name, its module, and its definition."""
    wanted = [(home, name) for name, home in keras_tl._HOMES.items()]
    wanted += [(home, name) for home in keras_tl._MODULES.values() for name in public_names(home)]
    for home, name in wanted:
        module, node = defined(home, name)
        if node is not None and name not in OF_TOOLKIT:
            yield f"{home}.{name}", module, node


def functions_of(module, node):
    """Yield the public functions of a definition: itself, or the methods of a class and its bases.

    Each comes with the number of its parameters for `self` or `cls`.
    """
    if isinstance(node, ast.FunctionDef):
        yield node, 0
        return
    for one in node.body:
        is_public = isinstance(one, ast.FunctionDef) and (one.name[0] != "_" or one.name in CALLED)
        if is_public:
            yield one, 0 if "staticmethod" in map(ast.unparse, one.decorator_list) else 1
    for base in node.bases:
        owner, found = defined(module, ast.unparse(base).partition("[")[0])
        if found is not None:
            yield from functions_of(owner, found)


CALLED = {"__init__", "__call__"}


def faults(function, own):
    given = function.args
    positional = len(given.posonlyargs) + len(given.args) - own
    if positional > POSITIONAL:
        yield f"{positional} positional arguments"
    if given.vararg is not None and function.name not in OF_MANY:
        yield f"*{given.vararg.arg}"
    rest = given.kwarg
    if rest is not None and not ast.unparse(rest.annotation or rest).startswith("Unpack["):
        yield f"**{rest.arg}"


def test_calls_name_their_arguments_and_no_options_are_hidden():
    found = [
        f"{name}.{function.name}: {fault}"
        for name, module, node in public_definitions()
        for function, own in functions_of(module, node)
        for fault in faults(function, own)
    ]
    assert found == []


@pytest.mark.parametrize("name", sorted(BUILT))
def test_dataclasses_that_users_build_take_two_values_by_position(name):
    _, node = defined(*name.rpartition(".")[::2])
    fields = [x for x in node.body if isinstance(x, ast.AnnAssign)]
    annotations = [ast.unparse(field.annotation) for field in fields]
    end = annotations.index("dataclasses.KW_ONLY") if len(fields) > POSITIONAL else len(fields)
    assert end <= POSITIONAL


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(self, a, b, *, c): ...", []),
        ("def f(self, a, b, c): ...", ["3 positional arguments"]),
        ("def f(self, *a, **options: Any): ...", ["*a", "**options"]),
        ("def f(self, **options): ...", ["**options"]),
        ("def f(self, **options: Unpack[Options]): ...", []),
    ],
)
def test_faults_are_found(source, expected):
    assert [*faults(ast.parse(source).body[0], 1)] == expected


def test_the_names_of_each_choice_stand_once():
    """Tables with a row for each choice have the names of the `Literal`."""
    tables = {
        "PolicyName": ("keras_tl/training/policies.py", "POLICIES"),
        "PreprocessingName": ("keras_tl/backbones/preprocessing.py", "PREPROCESSINGS"),
        "LanguageModelSize": ("keras_tl/backbones/awd_lstm/model.py", "SIZES"),
    }
    for alias, (path, name) in tables.items():
        assigned = [
            node.value
            for node in ast.parse((ROOT / path).read_text("utf-8")).body
            if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == name
        ]
        keys = [ast.literal_eval(key) for key in assigned[0].keys]
        assert sorted(keys) == sorted(get_args(getattr(choices, alias))), alias

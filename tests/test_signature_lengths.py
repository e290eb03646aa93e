"""No function takes so many parameters that a call of it cannot be read."""

import ast
from pathlib import Path

import pytest

import keras_tl

MOST = 12


def parameters(function):
    """The number of parameters, without `self` and `cls`; `*x` and `**x` are one each."""
    given = function.args
    names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len({*names} - {"self", "cls"}) + bool(given.vararg) + bool(given.kwarg)


def longest(source):
    """Yield the name and the number of parameters of each function of a source text."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, parameters(node)


def test_signatures_have_at_most_twelve_parameters():
    package = Path(keras_tl.__file__).parent
    found = {
        f"{path.relative_to(package)}:{name}": count
        for path in sorted(package.rglob("*.py"))
        for name, count in longest(path.read_text("utf-8"))
        if count > MOST
    }
    assert found == {}


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("def f(): ...", 0),
        ("def f(self, a, /, b=1, *c, d, e=2, **g): ...", 6),
        ("class A:\n    async def f(cls, a): ...", 1),
    ],
)
def test_all_kinds_of_parameters_are_counted(source, count):
    assert [*longest(source)] == [("f", count)]

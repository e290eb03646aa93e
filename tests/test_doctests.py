"""Every public name has an example in its docstring, and the examples run."""

import contextlib
import doctest
import functools
import importlib
import inspect
import re
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

import keras_tl as ktl
from keras_tl.backbones.catalogue import _registered
from keras_tl.tasks import TASKS
from tests.conftest import without_verification
from tests.examples import Examples

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
FINDER = doctest.DocTestFinder(recurse=False)

MODULES = ("backbones", "errors", "figures", "serving", "tasks", "testing", "ulmfit")
# Types of the arguments, attributes and parts of the public names.
PARTS = (
    "keras_tl.comparison.result.ArmCurve",
    "keras_tl.comparison.result.OfSize",
    "keras_tl.comparison.statistics.Estimate",
    "keras_tl.data.labelled_data.Split",
    "keras_tl.evaluation.phase_fit.PhaseFit",
    "keras_tl.evaluation.thresholds.Rates",
    "keras_tl.evaluation.thresholds.Rule",
    "keras_tl.runs.history.MetricDrop",
    "keras_tl.selection.plan.Plan",
    "keras_tl.training.trainer.Trainer",
)
# Public names that need no example, with the reason.
WITHOUT = {"History.of": "The argument is the internal state of a learner."}
# Classes whose methods need no example, with the reason.
EXTENDED = {
    "Backbone": "Learners call its methods.",
    "Task": "A subclass of a task overrides single methods.",
    "Trainer": "Learners call its methods.",
}

# Names whose examples are in the full tier only, with the reason.
SLOW = {
    "Learner.calibrate": "loads a run",
    "Learner.check": "runs the preflight",
    "Learner.choose_thresholds": "loads a run",
    "Learner.export": "writes a SavedModel",
    "Learner.fine_tune": "trains the head, then the network",
    "Learner.fit": "trains the head",
    "Learner.fit_head": "trains the head",
    "Learner.load": "loads a run",
    "Learner.lr_find": "trains the head",
    "Learner.report": "writes a report with Grad-CAM",
    "LearningRates": "trains the head",
    "LearningRates.plot": "trains the head",
    "backbones.load": "builds a network of the catalogue",
    "compare": "trains the head, then the network",
    "figures.comparison": "writes a report",
    "figures.save": "draws all figures",
    "figures.top_losses": "computes Grad-CAM",
    "ImageData.from_tfds": "prepares data sets",
    "TextData.from_tfds": "prepares data sets",
    "rank_backbones": "measures the time of a network",
    "testing.Case.learner": "builds a network",
    "ulmfit.fine_tune_lm": "trains a language model",
    "ulmfit.fit_language_model": "trains a language model",
    "ulmfit.perplexity": "compiles a language model",
    "ulmfit.pretrain": "trains a language model",
    "ulmfit.tfds_texts": "prepares data sets",
}


def has_docstring(one):
    return inspect.isclass(one) or inspect.isfunction(one)


def contents(module):
    """The names that a module gives out: those in `__all__`, else its own classes and functions."""
    own = (name for name, one in vars(module).items() if has_docstring(one))
    names = getattr(module, "__all__", None) or [
        name for name in own if getattr(module, name).__module__ == module.__name__
    ]
    return [name for name in names if not name.startswith("_")]


def roots():
    """The public classes and functions by name, before their methods and properties."""
    for name in ktl.__all__:
        yield name, getattr(ktl, name)
    for name in MODULES:
        home = "keras_tl.learner.figures" if name == "figures" else f"keras_tl.{name}"
        module = importlib.import_module(home)
        for own in contents(module):
            yield f"{name}.{own}", getattr(module, own)
    for path in PARTS:
        module, _, name = path.rpartition(".")
        yield name, getattr(importlib.import_module(module), name)


def function_of(attribute):
    """The function behind a method or a property. `None`: another attribute."""
    if isinstance(attribute, (classmethod, staticmethod)):
        return attribute.__func__
    if isinstance(attribute, property):
        return attribute.fget
    if isinstance(attribute, functools.cached_property):
        return attribute.func
    return attribute if inspect.isfunction(attribute) else None


def members(one):
    """The public methods and properties of a class that are ours, as functions by name.

    An override without a docstring is documented by the base class.
    """
    for name in dir(one):
        found = [vars(base)[name] for base in one.__mro__ if name in vars(base)]
        functions = [function_of(attribute) for attribute in found]
        if name.startswith("_") or not functions or functions[0] is None:
            continue
        if (functions[0].__module__ or "").split(".")[0] == "keras_tl":
            documented = (function for function in functions if function and function.__doc__)
            yield name, next(documented, functions[0])


def public():
    """All public classes, functions, methods and properties by name. Each stands once."""
    found = {}
    for name, one in roots():
        if has_docstring(one):
            found.setdefault(one, name)
            for member, function in members(one) if inspect.isclass(one) else ():
                found.setdefault(function, f"{name}.{member}")
    return {name: one for one, name in found.items() if name not in WITHOUT}


PUBLIC = public()


def example_of(name):
    """The example of a public name. `None`: there is no example."""
    one = PUBLIC[name]
    # As usual in doctests, an example also sees the names of its own module.
    known = {**vars(sys.modules[one.__module__]), "ktl": ktl, "np": np}
    return next(iter(FINDER.find(one, name, globs=known)), None)


def test_every_public_name_has_an_example():
    names = [name for name in PUBLIC if not EXTENDED.keys() & set(name.split(".")[:-1])]
    without = [name for name in names if example_of(name) is None]
    assert not without, f"No example (>>>) in the docstring of: {', '.join(without)}"


def test_the_table_of_slow_examples_names_public_names():
    assert not {*SLOW} - {*PUBLIC}


def test_no_example_is_skipped():
    for name in PUBLIC:
        for part in getattr(example_of(name), "examples", ()):
            assert doctest.SKIP not in part.options, name


def test_the_reference_lists_the_names_in_the_examples():
    text = (REFERENCE / "index.md").read_text("utf-8")
    rows = re.findall(r"^\| `([\w./-]+)`(?:, `([\w./-]+)`)? \|", text, re.M)
    shown = {re.match(r"\w+", name)[0] for row in rows for name in row if name}
    assert {*Examples.names, *Examples.files} <= shown


@pytest.fixture(scope="session")
def examples(tmp_path_factory):
    with contextlib.closing(Examples(tmp_path_factory.mktemp("examples"))) as made:
        yield made


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else [])
        for name in PUBLIC
        if example_of(name) is not None
    ],
)
def test_the_example_runs(name, examples, monkeypatch):
    monkeypatch.chdir(examples.folder)
    example = example_of(name)
    source = "".join(part.source for part in example.examples)
    example.globs.update(examples.needed_by(source))
    runner, said = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS), []
    # Names that an example registers are known only in this example.
    with without_verification(), mock.patch.dict(TASKS), mock.patch.dict(_registered):
        result = runner.run(example, out=said.append)
    assert not result.failed, "".join(said)

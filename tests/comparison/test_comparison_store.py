"""The folder of a comparison: what is refused, what is found again."""

import json

import numpy as np
import pytest

from keras_tl.comparison.result import Comparison
from keras_tl.comparison.store import Store
from keras_tl.errors import RunError

WHAT = {
    "model": {"backbone": "tiny"},
    "skill": {"task": "multiclass"},
    "budget": {"epochs": 3, "head": {"epochs": 1}},
}
ASKED = {
    "seeds": [0, 1, 2],
    "sizes": [None],
    "min_difference": 0.05,
    "logme": {"pretrained": 0.2, "random": -0.1},
}


def write_run(store, arm, seed, share):
    values = np.random.default_rng(seed).random((3, 40)) < share
    store.write(arm, None, seed, values.astype(np.uint8), {"seconds": 1.0})


@pytest.fixture
def store(tmp_path):
    found = Store(tmp_path / "comparison")
    found.begin(WHAT, ASKED)
    return found


def test_another_comparison_is_refused_and_named(store):
    other = WHAT | {"budget": {"epochs": 4, "head": {"epochs": 1}}}
    with pytest.raises(RunError, match=r"budget\.epochs is 3 in the folder, and 4 in this call"):
        store.begin(other, ASKED)
    assert store.plan()["what"] == WHAT


def test_other_seeds_and_sizes_may_be_asked_for_later(store):
    store.begin(WHAT, ASKED | {"seeds": [0, 1, 2, 3], "sizes": [None, 10]})
    assert store.plan()["seeds"] == [0, 1, 2, 3]


def test_only_looks_at_other_seeds_or_sizes_are_counted(store):
    looks = []
    for seeds, sizes, seen in (
        ([0, 1], [None], False),  # A plan of which no verdict was given.
        ([0, 1, 2], [None], True),
        ([2, 1, 0], [None], True),
        ([0, 1, 2, 3], [None], True),
        ([0, 1, 2, 3], [None, 10], True),
        ([0, 1, 2], [None], True),
    ):
        store.begin(WHAT, ASKED | {"seeds": seeds, "sizes": sizes})
        looks.append(store.look)
        if seen:
            store.note_look()
    assert looks == [1, 1, 1, 2, 3, 1]


def test_a_later_look_is_tested_at_half_the_level_and_says_so(store):
    for seed in range(4):
        for arm, share in (("scratch", 0.4), ("frozen", 0.6), ("fine-tuned", 0.9)):
            write_run(store, arm, seed, share)
    first = Comparison.load(store.folder)
    store.note_look()
    store.begin(WHAT, ASKED | {"seeds": [0, 1, 2, 3]})
    second = Comparison.load(store.folder)
    levels = [
        sorted(1 - verdict.final.confidence for verdict in found.verdicts)
        for found in (first, second)
    ]
    np.testing.assert_allclose(levels[1], np.divide(levels[0], 2))
    assert "Analysis" not in first.describe()
    assert "a false claim of 0.025 in place of 0.05" in second.describe()
    said = "LogME of the features was 0.200 with pretrained weights and -0.100 with random weights."
    assert said in str(first)
    assert Comparison.from_json(json.loads(json.dumps(second.to_json()))) == second


def arms_in(store, copies, frozen=0.5):
    """Write results of three seeds, with several copies of each item. Return the comparison."""
    shares = {"scratch": 0.4, "frozen": frozen, "fine-tuned": 0.9}
    for seed in range(3):
        for number, (arm, share) in enumerate(shares.items()):
            # All seeds find the same items hard.
            hard = np.random.default_rng(number).random((3, 40))
            values = hard + np.random.default_rng(seed).normal(0, 0.05, (3, 40)) < share
            repeated = np.repeat(values, copies, axis=1).astype(np.uint8)
            store.write(arm, None, seed, repeated, {"seconds": 1.0})
    return Comparison.load(store.folder)


def test_copies_of_items_in_groups_add_nothing(tmp_path):
    numbers = np.repeat(np.arange(40), 5).tolist()
    plans = {"single": None, "grouped": {"by": "patient", "numbers": numbers}, "careless": None}
    found = {}
    for name, groups in plans.items():
        store = Store(tmp_path / name)
        store.begin(WHAT, ASKED | {"groups": groups})
        found[name] = arms_in(store, 1 if name == "single" else 5)
    single, grouped, careless = found.values()
    for one, other, wrong in zip(*(x.verdicts for x in found.values()), strict=True):
        assert (one.items, one.groups) == (40, None)
        assert (other.items, other.groups) == (200, 40)
        assert other.outcome == one.outcome
        for measure in ("final", "start", "slope", "area"):
            ends, copied, narrow = (
                (getattr(x, measure).low, getattr(x, measure).high) for x in (one, other, wrong)
            )
            assert copied == pytest.approx(ends)
            assert narrow[1] - narrow[0] < ends[1] - ends[0]
        assert other.power == one.power
    assert grouped.sizes[0].ship == single.sizes[0].ship
    curves = (x.sizes[0].curves["frozen"].mean[-1] for x in (single, grouped))
    assert len({round(one.low, 9) for one in curves}) == 1
    said = grouped.describe()
    assert "Intervals treat the 40 groups (patient) as independent, not the single items." in said
    assert "200 test items in 40 groups" in said
    assert "groups" not in careless.describe()
    assert Comparison.from_json(json.loads(json.dumps(grouped.to_json()))) == grouped


def test_a_comparison_of_one_group_counts_items_and_says_so(store):
    store.begin(WHAT, ASKED | {"groups": {"by": "patient", "numbers": [0] * 40}})
    found = arms_in(store, 1)
    assert {verdict.groups for verdict in found.verdicts} == {None}
    assert "All items belong to 1 group (patient)." in found.describe()


def test_power_names_groups(store):
    store.begin(WHAT, ASKED | {"groups": {"by": "patient", "numbers": [*range(40)]}})
    found = arms_in(store, 1, frozen=0.3)
    unsure = next(verdict for verdict in found.verdicts if verdict.outcome == "undecided")
    assert unsure.power.items is not None
    assert f"{unsure.power.items} groups of test items" in found.describe()


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_is_no_comparison_is_refused(tmp_path, kind):
    path = tmp_path / "photos"
    if kind == "folder":
        path.mkdir()
        (path / "a.jpg").touch()
    else:
        path.touch()
    with pytest.raises(RunError, match="is not a comparison"):
        Store(path).begin(WHAT, ASKED)
    with pytest.raises(RunError, match="No comparison at"):
        Comparison.load(path)


def test_a_later_version_is_refused(store):
    plan = store.folder / "plan.json"
    plan.write_text(json.dumps(json.loads(plan.read_text()) | {"format": 99}))
    with pytest.raises(RunError, match="later version"):
        Comparison.load(store.folder)


def test_a_run_is_finished_when_all_of_it_is_there_and_damage_is_seen(store):
    write_run(store, "scratch", 0, 0.5)
    assert store.is_finished("scratch", None, 0)
    values, about = store.read("scratch", None, 0)
    assert (values.dtype, values.shape, about["seconds"]) == (np.float32, (3, 40), 1.0)
    path = store.folder / "runs" / "scratch-all-seed0.npy"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([1 - content[-1]]))
    with pytest.raises(RunError, match="is missing or has changed since the run"):
        store.read("scratch", None, 0)
    (store.folder / "runs" / "scratch-all-seed0.json").unlink()
    assert not store.is_finished("scratch", None, 0)


def test_a_run_whose_outcomes_were_not_written_is_not_finished(store):
    # No file can take the place of a folder.
    (store.folder / "runs" / "scratch-all-seed0.npy").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        write_run(store, "scratch", 0, 0.5)
    assert not store.is_finished("scratch", None, 0)


def test_each_size_has_its_own_runs_curves_and_choice(tmp_path):
    store = Store(tmp_path / "sizes")
    store.begin(WHAT | {"skill": {"task": "regression"}}, ASKED | {"sizes": [10, None]})
    ends = {10: {"scratch": 0.9, "frozen": 0.1, "fine-tuned": 0.2}}
    ends[None] = {"scratch": 0.1, "frozen": 0.1, "fine-tuned": 0.9}
    for size, arms in ends.items():
        for arm, end in arms.items():
            for seed in range(3):
                # The skill of a regression may be below 0.
                curve = [-2, 0, end + 0.01 * seed]
                values = np.tile(np.float32(curve)[:, None], 200)
                store.write(arm, size, seed, values, {"seconds": (end, 5 * end, end)[seed]})
    found = Comparison.load(store.folder)
    assert [of_size.ship.arm for of_size in found.sizes] == ["scratch", "fine-tuned"]
    outcomes = [[verdict.outcome for verdict in of_size.verdicts] for of_size in found.sizes]
    assert outcomes == [["hurts", "hurts"], ["no difference", "helps"]]
    for of_size in found.sizes:
        for arm, end in ends[of_size.size].items():
            curve = of_size.curves[arm]
            assert np.ravel(curve.by_seed) == pytest.approx(
                [-2, 0, end, -2, 0, end + 0.01, -2, 0, end + 0.02]
            )
            assert curve.mean[-1].mean == pytest.approx(end + 0.01)
            assert curve.mean[0].low < curve.mean[0].mean == -2
            assert curve.seconds == end
    assert "With 10 training items:" in found.describe()
    assert "With all training items:" in found.describe()


def test_an_interrupted_comparison_shows_the_seeds_that_are_whole(store):
    with pytest.raises(RunError, match="no seed with all arms finished"):
        Comparison.load(store.folder)
    for seed in (0, 1):
        for arm, share in (("scratch", 0.2), ("frozen", 0.9), ("fine-tuned", 0.9)):
            write_run(store, arm, seed, share)
    write_run(store, "scratch", 2, 0.2)
    found = Comparison.load(store.folder, min_difference=0.3)
    assert found.sizes[0].seeds == (0, 1)
    assert found.min_difference == 0.3
    assert [verdict.arm for verdict in found.verdicts] == ["frozen", "fine-tuned"]
    assert found.sizes[0].curves["frozen"].by_seed[1][-1] == pytest.approx(0.9, abs=0.15)
    assert Comparison.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert len(found.plot().axes) == 1

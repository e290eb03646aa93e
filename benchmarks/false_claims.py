r"""Measure the rates of false and of true claims in the verdicts of `ktl.compare`.

    python benchmarks/false_claims.py simulation
    python benchmarks/false_claims.py pairs --out runs/pairs
    python benchmarks/false_claims.py pairs --out runs/few --per-class 15

`simulation` draws correct and wrong predictions of simulated networks (numpy only, one minute). It
counts how often a comparison claims a difference, for a true difference of zero and of five points.
`pairs` trains 40 small networks on digits. These networks differ only in their seed. `pairs` makes
1,000 comparisons, and counts claims in the same way. For each comparison, `pairs` draws some of the
40 networks for either arm, and draws the test items with replacement. Finished runs stay in `--out`
and are not repeated. `--json` prints all results.
"""

import argparse
import os
from pathlib import Path
from typing import Any

import common
import numpy as np
from small_digits import SIZE, digits, small_network

SEED = 0
# 97% quantile of the number of false claims in 1,000 verdicts at a significance level of 5%.
DRAWS, ALLOWED = 1000, 63
POWER = 0.8
EPOCHS = 12
PAIRS = 20


def train_pairs(out: Path, per_class: int | None) -> np.ndarray:
    """Train networks with different seeds. Return their skill (networks, epochs, items)."""
    import keras_tl as ktl
    from keras_tl.comparison.budget import Protocol
    from keras_tl.comparison.running import Setup, run
    from keras_tl.comparison.skill import Skill
    from keras_tl.comparison.store import Store
    from keras_tl.comparison.verdict import SCRATCH

    first, second = digits()
    train = first.subset(per_class=per_class, seed=SEED).split("train")
    tested = [second.split(name) for name in ("train", "test")]
    data = ktl.ImageData.from_arrays(
        train.images,
        train.labels,
        test=tuple(
            np.concatenate([getattr(split, part) for split in tested])
            for part in ("images", "labels")
        ),
        class_names=first.class_names,
        image_size=SIZE,
        validation_split=0,
    )
    setup = Setup(
        source=ktl.Learner(small_network(SEED), data, preprocess="tf", seed=SEED, verbose=False),
        options={},
        data=data,
        skill=Skill(data.task),
        budget=Protocol(EPOCHS).budget("image"),
        augment=False,
        cache=ktl.CacheConfig("memory"),
    )
    store = Store(out)
    store.begin({"data": data.describe()["splits"], "budget": setup.budget.to_json()}, {})
    for seed in range(2 * PAIRS):
        if not store.is_finished(SCRATCH, None, seed):
            done = run(setup, SCRATCH, None, seed)
            store.write(SCRATCH, None, seed, done.skills, {"seconds": done.seconds})
            common.say(f"{seed + 1}/{2 * PAIRS}: {done.skills[-1].mean():.3f}, {memory():.0f} MiB")
    return np.stack([store.read(SCRATCH, None, seed)[0] for seed in range(2 * PAIRS)])


def memory() -> float:
    """Return the peak resident memory of this process in MiB."""
    from keras_tl.export.without_keras.memory import peak_bytes

    return peak_bytes() / common.MIB


def claims(outcomes: np.ndarray, seeds: int, points: float) -> dict[str, Any]:
    """Draw comparisons of equivalent networks, and count the claimed differences.

    Args:
        outcomes: Skill on each test item, (networks, epochs, items).
        seeds: Number of seeds in each comparison. A comparison draws twice as many networks.
        points: Accuracy in [0, 1] that `scratch` loses. The function makes randomly chosen correct
            predictions wrong.
    """
    from keras_tl.comparison.verdict import FINE_TUNED, HELPS, HURTS, SCRATCH, decide

    random = np.random.default_rng(SEED)
    networks, _, items = outcomes.shape
    counts = {HELPS: 0, HURTS: 0}
    for _ in range(DRAWS):
        drawn = random.permutation(networks)[: 2 * seeds]
        # Draw the test items again for each comparison.
        values = outcomes[drawn][:, :, random.integers(items, size=items)]
        scratch, other = values[:seeds], values[seeds:]
        share = points / scratch[:, -1].mean()
        scratch = scratch * (random.random((seeds, 1, items)) >= share)
        arms = {SCRATCH: scratch, FINE_TUNED: other}
        (verdict,) = decide({None: arms}, min_difference=0.05)
        if verdict.outcome in counts:
            counts[verdict.outcome] += 1
    return {"seeds": seeds, "points": points} | counts


def pairs(out: Path, per_class: int | None) -> dict[str, Any]:
    """Count claims of trained networks, for a true difference of zero and of five points."""
    outcomes = train_pairs(out, per_class)
    final = outcomes[:, -1].mean(axis=1)
    rows = [claims(outcomes, seeds, points) for seeds in (3, 5) for points in (0.0, 0.05)]
    return {
        "networks": len(final),
        "items": outcomes.shape[2],
        "accuracy": float(final.mean()),
        "deviation": float(final.std(ddof=1)),
        "claims": rows,
    }


def simulate() -> list[dict[str, Any]]:
    """Count claims for simulated networks, whose correct predictions are drawn item by item.

    The logit of a correct prediction is a sum of three normally distributed effects: of the item,
    of the arm (trained variant) on the item, and of the seed on the arm.
    """
    from keras_tl.comparison.statistics import components

    random = np.random.default_rng(SEED)

    def share(shift: float, seeds: int, items: int, of_seed: float, of_item: float) -> tuple:
        claimed, means = 0, []
        for _ in range(DRAWS):
            easy = random.normal(0.5, 2.0, items)
            arms = []
            for more in (shift, 0.0):
                logits = easy + random.normal(0, of_item, items) + more
                logits = logits + random.normal(0, of_seed, (seeds, 1))
                arms.append(random.random((seeds, items)) < 1 / (1 + np.exp(-logits)))
            found = components(arms[0].astype(float) - arms[1])
            claimed += found.p_value <= 0.05
            means.append(found.mean)
        return claimed / DRAWS, float(np.mean(means)), float(np.std(means))

    rows = []
    for seeds in (3, 5):
        for items in (100, 300, 1000):
            for of_seed in (0.0, 0.1, 0.25, 0.5):
                for of_item in (0.0, 0.7):
                    level, _, error = share(0.0, seeds, items, of_seed, of_item)
                    power, difference, _ = share(0.36, seeds, items, of_seed, of_item)
                    rows.append(
                        {
                            "seeds": seeds,
                            "items": items,
                            "of_seed": of_seed,
                            "of_item": of_item,
                            "error": error,
                            "level": level,
                            "difference": difference,
                            "power": power,
                        }
                    )
    return rows


def simulate_looks() -> list[dict[str, Any]]:
    """Simulate equal arms with more and more seeds. Return the rate of runs with any claim."""
    from keras_tl.comparison.statistics import LEVEL, components, level_of

    random = np.random.default_rng(SEED)
    rows = []
    for plan in ((3, 5, 8, 12, 20), (5, 10, 20, 40)):
        always, halved = 0, 0
        for _ in range(DRAWS):
            easy = random.normal(0.5, 2.0, 300)
            arms = [
                easy + random.normal(0, 0.7, 300) + random.normal(0, 0.5, (plan[-1], 1))
                for _ in range(2)
            ]
            right = [random.random(arm.shape) < 1 / (1 + np.exp(-arm)) for arm in arms]
            values = right[0].astype(float) - right[1]
            p_values = [components(values[:seeds]).p_value for seeds in plan]
            always += min(p_values) <= LEVEL
            halved += any(p <= level_of(look) for look, p in enumerate(p_values, 1))
        rows.append({"seeds": plan, "always": always / DRAWS, "halved": halved / DRAWS})
    return rows


def show_looks(rows: list[dict[str, Any]]) -> list[str]:
    """Return the table of `simulate_looks`."""
    header = ["looks at seeds", "false claims at 5% each", "at half the level each time"]
    cells = [
        [", ".join(map(str, row["seeds"])), f"{row['always']:.3f}", f"{row['halved']:.3f}"]
        for row in rows
    ]
    return common.table(header, cells)


def show_simulation(rows: list[dict[str, Any]]) -> list[str]:
    """Return the table of `simulate`."""
    header = ["seeds", "items", "of seeds", "of items", "error", "false claims", "found of 0.05"]
    cells = [
        [
            str(row["seeds"]),
            str(row["items"]),
            f"{row['of_seed']:g}",
            f"{row['of_item']:g}",
            f"{row['error']:.3f}",
            f"{row['level']:.3f}",
            f"{row['power']:.2f}",
        ]
        for row in rows
    ]
    return common.table(header, cells)


def show_pairs(found: dict[str, Any]) -> list[str]:
    """Return facts about the networks and the table of claims."""
    rows = []
    for row in found["claims"]:
        claimed = row["helps"] + row["hurts"]
        if row["points"]:
            target = f"{POWER:.0%}: {common.verdict(row['helps'] >= POWER * DRAWS)}"
        else:
            target = f"at most {ALLOWED}: {common.verdict(claimed <= ALLOWED)}"
        rows.append([str(row["seeds"]), f"{row['points']:g}", f"{claimed} of {DRAWS}", target])
    return [
        f"{found['networks']} networks, {found['items']} test items, accuracy "
        f"{found['accuracy']:.3f}, standard deviation between seeds {found['deviation']:.3f}",
        *common.table(["seeds", "true difference", "claimed", "target"], rows),
    ]


def main() -> None:
    """Run `simulation` or `pairs`, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=["simulation", "pairs"])
    parser.add_argument("--out", type=Path, default=Path("runs/pairs"), help="keeps the runs")
    parser.add_argument("--per-class", type=int, help="pairs: training digits; all if not given")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    result: dict[str, Any] = {"machine": common.machine()}
    if args.part == "simulation":
        result["simulation"] = simulate()
        result["looks"] = simulate_looks()
        lines = [*show_simulation(result["simulation"]), *show_looks(result["looks"])]
    else:
        result["pairs"] = pairs(args.out, args.per_class)
        lines = show_pairs(result["pairs"])
    common.show(result, lines, args.json)


if __name__ == "__main__":
    main()

"""Kill an export at every stage and at random moments. See `benchmarks/README.md`.

python benchmarks/export_kills.py --random 200
python benchmarks/export_kills.py --backbone efficientnet_lite0 --random 20 --no-named
python benchmarks/export_kills.py --stages "os.rename NEW" verification --random 3
"""

import argparse
import collections
import os
import random
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from common import machine, say, show, table, verdict
from exporting import BEGIN, END, Exports


def look(base: Path, before: set[str], cleaned: bool) -> list[str]:
    """Return the faults in the model folder after a kill.

    Args:
        base: Model folder, which held version 1 before.
        before: Names of unfinished exports that existed before this export began.
        cleaned: Whether the export reached its first write, so that the names in `before` must be
            gone.
    """
    from keras_tl.base.files import changed_files
    from keras_tl.export.verification import CHECKSUMS

    names = {f.name for f in base.iterdir()}
    wrong = [] if "1" in names else ["version 1 is lost"]
    for version in sorted(name for name in names if not name.startswith(".")):
        folder = base / version
        if not (folder / "saved_model.pb").is_file() or not (folder / CHECKSUMS).is_file():
            wrong.append(f"version {version} is incomplete")
        else:
            wrong += [f"{version}/{name} is damaged" for name in changed_files(folder, CHECKSUMS)]
    if cleaned and before & names:
        wrong.append(f"leftovers were not removed: {sorted(before & names)}")
    return wrong


def hidden(base: Path) -> set[str]:
    """Return the names of unfinished exports."""
    return {f.name for f in base.iterdir() if f.name.startswith(".")}


def points(exports: Exports, dry: dict) -> list[str]:
    """Return every stage of an export: audit events, and files that TensorFlow's C++ writes."""
    events = [name for name, _ in dry["events"]]
    made_by_python = {name.split(" ")[-1] for name in events if "write" in name or "mkdir" in name}
    version = exports.base / "1"
    appearing = [f"NEW/{f.relative_to(version).as_posix()}" for f in sorted(version.rglob("*"))]
    return events + [f"appears {name}" for name in appearing if name not in made_by_python]


def measure(exports: Exports, stages: list[str] | None, count: int, seed: int) -> dict:
    """Kill exports, and look for faults after each kill.

    Args:
        exports: Object that runs the exports.
        stages: Stages at which to kill an export. `None`: all stages.
        count: Number of kills at random moments.
        seed: Seed of the random moments.
    """
    base, chance = exports.base, random.Random(seed)
    exports.run()
    # Make a leftover of a dead process, because the removal of leftovers is a stage too.
    leftover = base / f".new-{2**22 + 1}-00000000-1"
    shutil.copytree(base / "1", leftover)
    dry = exports.run()
    window = next(seconds for name, seconds in dry["events"] if name.startswith(END))
    say(f"An export takes {dry['seconds']:.1f} s, with {window:.1f} s for kills.")
    known = points(exports, dry)
    if missing := {*(stages or ())} - {*known}:
        raise SystemExit(f"No such stages: {sorted(missing)}. Expected some of: {known}.")
    wanted = [{"kill_at": name} for name in known if stages is None or name in stages]
    kills, wrong, landed = [], [], 0
    # An export that ended before its random kill does not count: the loop tries again.
    while wanted or landed < count:
        how = wanted.pop(0) if wanted else {"kill_after": chance.uniform(0, window)}
        if "LEFTOVER" in how.get("kill_at", "") and not hidden(base):
            shutil.copytree(base / "1", leftover)
        before = hidden(base)
        done = exports.run(**how)
        names = [name for name, _ in done["events"]]
        found = look(base, before, cleaned=BEGIN in names)
        stage = how.get("kill_at") or names[-1]
        if "kill_after" in how:
            landed += done["killed"]
            stage += f" [{', '.join(done['holds'])}]" if done["holds"] is not None else ""
        kills.append(how | {"stage": stage, "killed": done["killed"], "seconds": done["seconds"]})
        wrong += [f"kill {len(kills)} ({how}): {problem}" for problem in found]
        outcome = "killed" if done["killed"] else "ended before its kill"
        say(f"{len(kills)} {stage}: {outcome}; {'; '.join(found) or 'no fault'}")
    exports.run()
    wrong += look(base, hidden(base), cleaned=True)
    return {
        "window_seconds": window,
        "kills": kills,
        "wrong": wrong,
        "versions": len(list(base.iterdir())),
    }


def builder(backbone: str) -> Callable:
    """Return a function that makes a learner: a tiny network or a backbone of the catalogue."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    import keras
    import numpy as np

    import keras_tl as ktl

    _ = ktl.Learner  # Import the toolkit once, in this process, and not in each child process.

    def build():
        pixels = np.random.default_rng(0).uniform(0, 255, (24, 32, 32, 3)).astype(np.float32)
        data = ktl.ImageData.from_arrays(pixels, np.arange(24) % 3, verbose=False)
        if backbone != "tiny":
            return ktl.Learner(backbone, data, seed=0, verbose=False)
        network = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Conv2D(4, 3)])
        return ktl.Learner(network, data, preprocess="tf", seed=0, verbose=False)

    return build


def main() -> None:
    """Parse the options, kill exports, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backbone", default="tiny", help="name in the catalogue")
    parser.add_argument("--random", type=int, default=20, help="number of kills at random moments")
    parser.add_argument("--no-named", action="store_true", help="only kills at random moments")
    parser.add_argument("--stages", nargs="+", metavar="STAGE", help="kill only at these stages")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    facts = machine()
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "model"
        base.mkdir()
        exports = Exports(base, builder(options.backbone))
        stages = [] if options.no_named else options.stages
        found = measure(exports, stages, options.random, options.seed)
    kills = [kill for kill in found["kills"] if kill["killed"]]
    hits = collections.Counter(
        (kill["stage"], "named" if "kill_at" in kill else "random") for kill in kills
    )
    lines = table(
        ("the last stage before the kill", "how", "hits"),
        [(stage, how, str(count)) for (stage, how), count in sorted(hits.items())],
    )
    finished = len(found["kills"]) - len(kills)
    lines += [
        "",
        f"{len(kills)} kills, {finished} exports ended before their kill; "
        f"{statistics.mean(k['seconds'] for k in found['kills']):.1f} s each",
        "no incomplete version, no lost version, leftovers removed by the next export: "
        + verdict(not found["wrong"]),
        *found["wrong"],
    ]
    show({"machine": facts} | found, lines, options.json)
    sys.exit(bool(found["wrong"]))


if __name__ == "__main__":
    main()

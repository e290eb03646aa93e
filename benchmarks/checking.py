"""Measure the files per second of the file check before training, in a first and a second check.

    python benchmarks/checking.py

The benchmark uses 10,000 JPEG files of 32 x 32 pixels and 2,000 of 500 x 375. For each set, new
processes with an empty cache call `check_files` twice. The first call reads and decodes every file,
the second call reads no file. The time includes work that a process does only once, such as
tracing. The benchmark prints medians over the rounds. The targets are 2,000 thumbnails per second
in the first check, and less than a second for all 10,000 thumbnails in the second check. `--json`
prints one line.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import common

SIZES = {"thumbnails": (32, 32), "photos": (375, 500)}
RATE, AGAIN = 2000, 1.0


def check(folder: str, cache: str) -> dict[str, Any]:
    """Check all files below a folder twice. Call this function in a new process.

    Returns:
        `"first"` and `"again"`: seconds of the first and the second call. `"files"`: number of
        files.
    """
    os.environ["KERAS_TL_CACHE"] = cache
    import numpy as np

    from keras_tl.data.folders.unused_files import sort_files
    from keras_tl.data.images.file_check import check_files
    from keras_tl.data.images.formats import IMAGE_FILES

    paths = sort_files(Path(folder), IMAGE_FILES)[0]
    names = sorted({Path(path).parent.name for path in paths})
    labels = np.array([names.index(Path(path).parent.name) for path in paths])
    found = {"files": len(paths)}
    for turn, known in (("first", 0), ("again", len(paths))):
        began = time.perf_counter()
        result = check_files(paths, labels, names, max_bad=0)
        found[turn] = time.perf_counter() - began
        assert result.from_cache == known
    return found


def main() -> None:
    """Run the benchmark for both sets of files, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--thumbnails", type=int, default=10_000, help="(default %(default)s)")
    parser.add_argument("--photos", type=int, default=2000, help="(default %(default)s)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    facts = common.machine()
    runs: dict[str, list[dict[str, Any]]] = {kind: [] for kind in SIZES}
    with tempfile.TemporaryDirectory(prefix="keras_tl_bench_") as scratch:
        for kind, (height, width) in SIZES.items():
            count = getattr(options, kind)
            common.say(f"Writing {count} {kind}")
            folder = Path(scratch, kind)
            size = {"height": height, "width": width}
            common.fresh("synthetic:write_photos", folder=folder, count=count, **size)
        for number in range(options.rounds):
            for kind, of_kind in runs.items():
                common.say(f"Checking {kind}, round {number + 1}")
                cache = Path(scratch, f"cache-{kind}-{number}")
                of_kind.append(
                    common.fresh("checking:check", folder=Path(scratch, kind), cache=cache)
                )
    medians = {
        kind: {
            "files": of_kind[0]["files"],
            "first": statistics.median(run["first"] for run in of_kind),
            "again": statistics.median(run["again"] for run in of_kind),
            "peak_bytes": max(run["peak_bytes"] for run in of_kind),
        }
        for kind, of_kind in runs.items()
    }
    small = medians["thumbnails"]
    holds = {
        "rate": small["files"] / small["first"] >= RATE,
        "again": small["again"] < AGAIN,
    }
    result = {
        "machine": facts,
        "options": vars(options),
        "medians": medians,
        "holds": holds,
        "runs": runs,
    }
    rows = [
        [
            f"{found['files']} {kind}",
            f"{found['first']:.2f}",
            f"{found['files'] / found['first']:.0f}",
            f"{found['again']:.3f}",
            f"{found['peak_bytes'] / common.MIB:.0f}",
        ]
        for kind, found in medians.items()
    ]
    lines = [
        f"Median of {options.rounds} rounds",
        *common.table(["files", "first s", "files/s", "again s", "peak MiB"], rows),
        f"{RATE} thumbnails a second: {common.verdict(holds['rate'])}; "
        f"second check in {AGAIN:g} s: {common.verdict(holds['again'])}",
    ]
    common.show(result, lines, options.json)


if __name__ == "__main__":
    main()

"""Measure the seconds from the call of fit_head to the first training step, with cached features.

    python benchmarks/second_start.py

For each number of images, a first process fills the cache. Then new processes train again. The
benchmark prints the median seconds from the call to the beginning of the first step, and the
seconds of each part. The target is 2 s. It also prints the seconds to the end of the first step,
which builds the training graph. `--json` prints one line.
"""

import argparse
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import common

MOST_SECONDS = 2.0


def first_step(photos: str, cache: str, backbone: str, image_size: int) -> dict[str, Any]:
    """Call fit_head and measure the time. Call this function in a new process.

    Args:
        photos: Folder of class folders.
        cache: Folder of the feature cache.
        backbone: Name of the backbone.
        image_size: Side of the input images in pixels.

    Returns:
        Seconds from the call to the `"begin"` and to the `"end"` of the first step, and `"parts"`:
        seconds of each part before the first step.
    """
    import keras

    import keras_tl as ktl
    from keras_tl.data.images.image_split import ImageSplit
    from keras_tl.features import fingerprints
    from keras_tl.features.store import FeatureStore
    from keras_tl.training import phases

    found = {}
    parts = {}

    class Watch(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if not found:
                found.update(begin=time.perf_counter() - called, parts=dict(parts))

        def on_train_batch_end(self, batch, logs=None):
            found.setdefault("end", time.perf_counter() - called)
            self.model.stop_training = True

    data = ktl.ImageData.from_folder(photos, image_size=image_size, test_split=0)
    learner = ktl.Learner(backbone, data, precision="float32", seed=0, verbose=False)
    with (
        _timed(parts, "fingerprint of the files", ImageSplit, "fingerprint"),
        _timed(parts, "hash of the weights", fingerprints, "weights_fingerprint"),
        _timed(parts, "features", FeatureStore, "get"),
        _timed(parts, "compile", phases, "prepare"),
    ):
        called = time.perf_counter()
        learner.fit_head(1, cache=ktl.CacheConfig(folder=cache), callbacks=[Watch()])
    found["parts"]["the rest"] = found["begin"] - sum(found["parts"].values())
    return found


@contextlib.contextmanager
def _timed(parts: dict[str, float], title: str, owner: Any, name: str) -> Iterator[None]:
    """Add the seconds of all calls of `owner.name` to `parts[title]`."""
    function = getattr(owner, name)

    def timed(*args, **kwargs):
        began = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            parts[title] = parts.get(title, 0.0) + time.perf_counter() - began

    with mock.patch.object(owner, name, timed):
        yield


def measure(count: int, options: argparse.Namespace) -> dict[str, Any]:
    """Fill a cache in one process, then measure the start with this cache in new processes."""
    with tempfile.TemporaryDirectory(prefix="keras_tl_bench_") as scratch:
        photos, cache = Path(scratch, "photos"), Path(scratch, "cache")
        common.say(f"{count} images: writing them")
        side = options.source_size
        common.fresh("synthetic:write_photos", folder=photos, count=count, height=side, width=side)
        given = {
            "photos": photos,
            "cache": cache,
            "backbone": options.backbone,
            "image_size": options.image_size,
        }
        common.say(f"{count} images: filling the cache")
        filling = common.fresh("second_start:first_step", **given)
        before = _state(cache)
        runs = []
        for _ in range(options.repeats):
            runs.append(common.fresh("second_start:first_step", **given))
            common.say(f"{count} images: {runs[-1]['begin']:.3f} s")
        if _state(cache) != before or not before:
            sys.exit("The later processes did not use the features of the first process.")
    return {
        "images": count,
        "filling": filling["begin"],
        "begin": statistics.median(run["begin"] for run in runs),
        "end": statistics.median(run["end"] for run in runs),
        "parts": {
            part: statistics.median(run["parts"][part] for run in runs) for part in runs[0]["parts"]
        },
        "runs": runs,
    }


def _state(cache: Path) -> dict[Path, int]:
    return {file: file.stat().st_mtime_ns for file in cache.rglob("features.bin")}


def main() -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counts", type=common.counts, default=[2000, 20000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--source-size", type=int, default=32, help="side of the JPEG files")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    facts = common.machine()
    runs = [measure(count, options) for count in options.counts]
    for run in runs:
        run["below_2_s"] = run["begin"] < MOST_SECONDS
    parts = list(runs[0]["parts"])
    rows = [
        [str(run["images"])]
        + [f"{run[key]:.3f}" for key in ("begin", "end")]
        + [f"{run['parts'][part]:.3f}" for part in parts]
        + [f"{run['filling']:.1f}"]
        for run in runs
    ]
    header = ["images", "first step begins, s", "is done, s", *parts, "without a cache, s"]
    lines = [
        f"{options.backbone} at {options.image_size} px, median of {options.repeats} processes",
        *common.table(header, rows),
        *(
            f"{run['images']} images, begins within {MOST_SECONDS:g} s: "
            f"{common.verdict(run['below_2_s'])}"
            for run in runs
        ),
    ]
    result = {"machine": facts, "options": vars(options), "results": runs}
    common.show(result, lines, options.json)


if __name__ == "__main__":
    main()

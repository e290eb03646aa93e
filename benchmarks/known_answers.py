r"""Test the verdicts of `ktl.compare` on cases whose correct verdict is known.

    python benchmarks/known_answers.py --out runs/cases
    python benchmarks/known_answers.py --out runs/cases --cases helps

Each case is a complete comparison with five seeds:

* `helps`: EfficientNet-Lite0 with its ImageNet weights, on photos of `../shared/data/cifar10-mini`.
* `random`: a small network with random weights, fine-tuned exactly like the network from scratch.
* `constant`: a network that was pretrained on digits, and whose last block was then changed to a
  constant output. The comparison uses other digits.
* `easy`: the same network without the constant output, on all of the other digits.

Finished runs stay in `--out` and are not repeated. `--json` prints all results.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import common
from small_digits import digits, pretrained, small_network

EPOCHS = 12


def photos() -> Any:
    """Return the photos. Exit if there is no folder."""
    import keras_tl as ktl

    folder = common.ROOT.parent / "shared/data/cifar10-mini"
    if not folder.is_dir():
        sys.exit(f"Skipped: there is no folder {folder}.")
    return ktl.ImageData.from_folder(folder, image_size=64, validation_split=0)


def run_case(name: str, out: Path) -> dict[str, Any]:
    """Run the comparison of one case, and test its verdicts."""
    import keras_tl as ktl
    from keras_tl.comparison.verdict import HELPS, HURTS, SAME

    protocol = ktl.Protocol(EPOCHS)
    shared: dict[str, Any] = {"seeds": 5, "protocol": protocol, "path": out / name}
    small = shared | {"preprocess": "tf"}
    first, second = digits()
    if name == "helps":
        shorter = shared | {"protocol": ktl.Protocol(6)}
        found = ktl.compare("efficientnet_lite0", photos(), **shorter)
        wanted = {"frozen": HELPS, "fine-tuned": HELPS}
    elif name == "random":
        alike = ktl.Protocol(EPOCHS, head_epochs=0, policy="scratch")
        found = ktl.compare(small_network(1), second, **(small | {"protocol": alike}))
        wanted = {"fine-tuned": SAME}
    elif name == "constant":
        network = pretrained(first)
        kernel, bias = network.get_layer("conv3").get_weights()
        network.get_layer("conv3").set_weights([0 * kernel, bias])
        found = ktl.compare(network, second, **small)
        wanted = {"frozen": HURTS}
    else:
        network = pretrained(first)
        # With this learning rate, the head must learn within its first epoch of 17 steps.
        longer = ktl.Protocol(2 * EPOCHS, head_learning_rate=0.02)
        found = ktl.compare(network, second, **(small | {"protocol": longer}))
        wanted = {"fine-tuned": SAME}
    outcomes = {verdict.arm: verdict.outcome for verdict in found.verdicts}
    holds = all(outcomes[arm] == outcome for arm, outcome in wanted.items())
    if name == "easy":
        (tuned,) = (verdict for verdict in found.verdicts if verdict.arm == "fine-tuned")
        holds &= tuned.start.low > 0
    return {"name": name, "wanted": wanted, "holds": bool(holds)} | {
        "comparison": found.to_json(),
        "text": found.describe(),
    }


def show_cases(cases: list[dict[str, Any]]) -> list[str]:
    """Return a text for each case, which says whether the verdict is correct."""
    return [
        line
        for case in cases
        for line in (f"{case['name']}: {common.verdict(case['holds'])}", case["text"], "")
    ]


def main() -> None:
    """Run the cases of `--cases`, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/cases"), help="keeps the runs")
    names = ["random", "constant", "easy", "helps"]
    parser.add_argument("--cases", nargs="+", choices=names, default=names)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    cases = [run_case(name, args.out) for name in args.cases]
    result = {"machine": common.machine(), "cases": cases}
    common.show(result, show_cases(cases), args.json)


if __name__ == "__main__":
    main()

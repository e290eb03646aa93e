r"""Compare ULMFiT on TREC-6 with few labels with the network from scratch and with TF-IDF.

    python benchmarks/ulmfit_accuracy.py --language-model lm/
    python benchmarks/ulmfit_accuracy.py --language-model lm/ --tune --seeds 0 1

The folder `lm/` has a pretrained language model (`benchmarks/language_model.py --keep`). The
benchmark fine-tunes this language model once on all training questions, without labels. For each
number of labels and each seed, it then draws questions (stratified by class) and trains the
classifiers only on these questions. There is no validation split and no early stopping: the weights
after the last epoch are tested. It prints mean test accuracies and paired differences, with 95%
confidence intervals.

`--tune` instead tries learning rates (and the strength of the regression's penalty) on a held-out
tenth of the training questions. It does not read the test questions. `--json` prints every run. The
tables in docs/explanation/ulmfit.md come from this benchmark.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import common

# Each method's initial language model, its policy, and the settings that were better in `--tune`
# than the settings of the policy.
METHODS = {
    "default": ("tuned", "standard", {}),
    "from scratch": ("scratch", "scratch", {"learning_rate": 3e-3}),
}
ABLATIONS = {
    "without LM fine-tuning": ("pretrained", "standard", {}),
    "gradual": ("tuned", "gradual", {}),
    "discriminative": ("tuned", "discriminative", {}),
    "ulmfit": ("tuned", "ulmfit", {}),
}
TFIDF = "TF-IDF"
STRENGTH = 10.0
RATES, STRENGTHS = (1e-3, 3e-3, 1e-2), (1.0, 10.0, 100.0)


def load(data: str):
    """Return the questions as `TextData`, without a validation split."""
    import keras_tl as ktl

    folder = Path(data)
    return ktl.TextData.from_csv(
        folder / "train.csv", test=folder / "test.csv", validation_split=0, verbose=False
    )


def prepare(data: str, language_model: str, folder: str) -> dict[str, Any]:
    """Fine-tune the language model. Also save the pretrained model with the new vocabulary."""
    from keras_tl import ulmfit

    texts = load(data).split("train").texts
    pretrained = ulmfit.load_language_model(language_model)
    tuned = ulmfit.fine_tune_lm(pretrained, texts, path=Path(folder) / "tuned")
    pretrained.with_vocabulary(tuned.vocabulary, seed=0).save(Path(folder) / "pretrained")
    record = tuned.about["history"][-1]
    return {
        "vocabulary": len(tuned.vocabulary),
        "tokens": tuned.about["tokens"],
        "perplexities": [epoch["val_perplexity"] for epoch in record["epochs"]],
        "seconds": record["seconds"],
    }


def draw(data: str, labels: int | None, seed: int, development: bool):
    """Return (texts, classes) for training, (texts, classes) for testing, and the class names."""
    from sklearn.model_selection import train_test_split

    given = load(data)
    train, test = given.split("train"), given.split("test")
    texts, classes = list(train.texts), list(train.labels)
    tested = list(test.texts), list(test.labels)
    if development:
        texts, kept, classes, of_kept = train_test_split(
            texts, classes, test_size=0.1, stratify=classes, random_state=0
        )
        tested = kept, of_kept
    if labels is not None:
        texts, _, classes, _ = train_test_split(
            texts, classes, train_size=labels, stratify=classes, random_state=seed
        )
    return (texts, classes), tested, given.class_names


def classify(
    data: str,
    folder: str,
    method: str,
    labels: int | None,
    seeds: list[int],
    settings: dict[str, Any] | None = None,
    development: bool = False,
) -> dict[str, Any]:
    """Train a classifier for each seed. Call this function in a new process.

    Args:
        data: Folder of the questions.
        folder: Output folder of `prepare`.
        method: Method from `METHODS` or `ABLATIONS`.
        labels: Number of labels. `None`: all.
        seeds: Seeds of the draws and the learners.
        settings: Fields of the phase that replace the settings of the method.
        development: Whether to test on the held-out training questions instead of the test split.

    Returns:
        For each seed, the accuracy and the seconds of training.
    """
    import dataclasses
    import time

    import keras_tl as ktl
    from keras_tl import ulmfit
    from keras_tl.training.policies import POLICIES

    begin, policy, own = (METHODS | ABLATIONS)[method]
    (phase,) = POLICIES[policy]["ulmfit"]
    phase = dataclasses.replace(phase, **(own | (settings or {})))
    found = {"accuracies": [], "seconds": []}
    for seed in seeds:
        train, test, names = draw(data, labels, seed, development)
        texts = ktl.TextData.from_arrays(
            *train, test=test, class_names=names, validation_split=0, verbose=False
        )
        model = Path(folder) / begin
        if begin == "scratch":
            model = Path(folder) / f"scratch{seed}"
            like = ulmfit.load_language_model(Path(folder) / "tuned")
            ulmfit.LanguageModel.new(like.config, like.vocabulary, seed=seed).save(model)
        learner = ktl.Learner(f"ulmfit:{model}", texts, seed=seed, verbose=False)
        began = time.perf_counter()
        learner.fine_tune(policy=phase)
        found["seconds"].append(time.perf_counter() - began)
        found["accuracies"].append(learner.evaluate()["accuracy"])
    return found


def count_words(
    data: str,
    labels: int | None,
    seeds: list[int],
    strength: float = STRENGTH,
    development: bool = False,
) -> dict[str, Any]:
    """Fit a logistic regression on TF-IDF of words and word pairs. Call this in a new process."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    accuracies = []
    for seed in seeds:
        train, test, _ = draw(data, labels, seed, development)
        # Keep function words, also those of one letter: they distinguish the classes of questions.
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+")
        model = make_pipeline(words, LogisticRegression(C=strength, max_iter=1000))
        accuracies.append(model.fit(*train).score(*test))
    return {"accuracies": accuracies, "seconds": []}


def run(function: str, name: str, labels: int | None, **arguments: Any) -> dict[str, Any]:
    """Run a function in a new process. Return one line of the results."""
    common.say(f"{name}, {labels or 'all'} labels")
    found = common.fresh(f"ulmfit_accuracy:{function}", labels=labels, **arguments)
    common.say(f"  {[round(value, 4) for value in found['accuracies']]}")
    return {"name": name, "labels": labels, **found}


def tune(args: argparse.Namespace, shared: dict[str, Any], folder: str) -> list[dict[str, Any]]:
    """Try the settings. Return accuracies on the held-out training questions."""
    runs, shared = [], shared | {"development": True}
    for labels in args.labels:
        for method in chosen(args, labels):
            for rate in RATES:
                given = {"method": method, "settings": args.settings | {"learning_rate": rate}}
                name = f"{method} at {rate:g}"
                runs.append(run("classify", name, labels, folder=folder, **given, **shared))
        for strength in STRENGTHS:
            name = f"{TFIDF}, C={strength:g}"
            runs.append(run("count_words", name, labels, strength=strength, **shared))
    return runs


def compare(args: argparse.Namespace, shared: dict[str, Any], folder: str) -> list[dict[str, Any]]:
    """Run the methods. Return their test accuracies."""
    runs = []
    for labels in args.labels:
        for method in chosen(args, labels):
            given = {"folder": folder, "method": method, "settings": args.settings}
            runs.append(run("classify", method, labels, **given, **shared))
        runs.append(run("count_words", TFIDF, labels, **shared))
    return runs


def chosen(args: argparse.Namespace, labels: int | None) -> list[str]:
    """Return the methods to run with this number of labels."""
    known = METHODS | (ABLATIONS if labels == args.ablations else {})
    return [name for name in known if name in (args.methods or known)]


def lines_of(runs: list[dict[str, Any]]) -> list[str]:
    """Return a table of accuracies, with differences to the first line of each label number."""
    import statistics

    from keras_tl.evaluation.intervals import mean_interval

    def shown(values: list[float]) -> str:
        return str(mean_interval(values)) if len(values) > 1 else f"{values[0]:.3f}"

    rows, first = [], {}
    for found in runs:
        reference = first.setdefault(found["labels"], found["accuracies"])
        less = [a - b for a, b in zip(reference, found["accuracies"], strict=True)]
        seconds = found["seconds"]
        rows.append(
            [
                found["name"],
                str(found["labels"] or "all"),
                shown(found["accuracies"]),
                "" if reference is found["accuracies"] else shown(less),
                f"{statistics.median(seconds):.0f}" if seconds else "",
            ]
        )
    return common.table(["", "labels", "accuracy", "first row minus this row", "seconds"], rows)


def main() -> None:
    """Fine-tune the language model, run every method, and print the results."""
    shared = common.ROOT.parent / "shared/data/trec6"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=shared, help="folder of train.csv, test.csv")
    parser.add_argument("--language-model", type=Path, required=True)
    parser.add_argument("--folder", type=Path, help="folder that keeps the fine-tuned model")
    parser.add_argument("--labels", type=int, nargs="+", default=[100, 500, None], help="0: all")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--ablations", type=int, default=500, help="number of labels for ablations")
    parser.add_argument("--methods", nargs="+", choices=[*METHODS, *ABLATIONS])
    parser.add_argument("--settings", type=json.loads, default={}, help="fields for all phases")
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if not args.data.is_dir():
        print(f"Skipped: there is no folder {args.data}.")
        sys.exit()
    args.labels = [labels or None for labels in args.labels]
    result = {"machine": common.machine()}
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary)
        if not (folder / "pretrained").is_dir():
            result["language_model"] = common.fresh(
                "ulmfit_accuracy:prepare",
                data=args.data,
                language_model=args.language_model,
                folder=folder,
            )
            common.say(str(result["language_model"]))
        shared = {"data": args.data, "seeds": args.seeds}
        result["runs"] = (tune if args.tune else compare)(args, shared, folder)
    common.show(result, lines_of(result["runs"]), args.json)


if __name__ == "__main__":
    main()

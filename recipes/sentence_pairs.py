"""Decide whether two sentences have the same meaning: pairs of texts, with an encoder from TF-Hub.

    python recipes/sentence_pairs.py
    python recipes/sentence_pairs.py --file PAIRS.csv

The pairs are those of glue/mrpc (Microsoft Research Paraphrase Corpus) from TensorFlow Datasets:
3,668 for training and testing, 408 for validation. GLUE does not publish the labels of its test
set. Instead, you can pass a file PAIRS.csv (also .tsv, .jsonl) with the columns text, text_pair and
label, and with any number of classes. The script downloads the same encoder and preprocessing as
imdb_reviews.py.

Expected: the accuracy of always predicting the most frequent class (two thirds of MRPC's pairs),
and the accuracy on the test split after each of the two phases. With two classes, the script also
prints the areas under the ROC curve and under the precision-recall curve. The last lines are some
test pairs with their labels and predictions. This recipe was not measured, because there was no
network connection.
"""

import argparse
from pathlib import Path

import numpy as np

import keras_tl as ktl

SMALL_BERT = "tfhub:https://tfhub.dev/tensorflow/small_bert/bert_en_uncased_L-4_H-512_A-8/2"
METRICS = ("accuracy", "auc", "average_precision")


def tell(learner: ktl.Learner, phase: str) -> None:
    """Print the test metrics that the task has."""
    found = learner.evaluate()
    values = ", ".join(f"{name} {found[name]:.4f}" for name in METRICS if name in found)
    print(f"After {phase}: {values}")


def show(learner: ktl.Learner, count: int) -> None:
    """Print some test pairs with their labels and predictions."""
    shown = learner.data.split("test").sample(count, seed=0)
    answers = learner.predict(list(zip(shown.texts, shown.pairs, strict=True)))
    for label, answer in zip(shown.labels, answers, strict=True):
        print(f"{learner.config.class_names[label]}, predicted {answer}: {answer.source}")


def main() -> None:
    """Train, fine-tune, predict, report and export."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--file", type=Path, help="a file with the columns text, text_pair, label")
    parser.add_argument("--data-dir", type=Path, help="folder with the prepared data set")
    parser.add_argument("--backbone", default=SMALL_BERT)
    parser.add_argument("--preprocess", help="tfhub:HANDLE or a vocab.txt (default: the encoder's)")
    parser.add_argument("--sequence-length", type=int, help="tokens of both texts together")
    parser.add_argument("--head-epochs", type=int)
    parser.add_argument("--epochs", type=int, default=3, help="epochs of fine-tuning")
    parser.add_argument("--out", type=Path, default=Path("runs/sentence_pairs"))
    parser.add_argument("--export", type=Path, default=Path("saved_models/sentence_pairs"))
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier run")
    args = parser.parse_args()
    report = args.out.with_suffix(".html")
    ktl.check_new(args.out, report, overwrite=args.overwrite)

    length = args.sequence_length
    if args.file is not None:
        data = ktl.TextData.from_csv(args.file, text_pair="text_pair", sequence_length=length)
    else:
        data = ktl.TextData.from_tfds("glue/mrpc", data_dir=args.data_dir, sequence_length=length)
    print(data)
    counts = np.bincount(data.split("test").labels)
    print(f"Always {data.class_names[counts.argmax()]}: accuracy {counts.max() / counts.sum():.4f}")
    learner = ktl.Learner(args.backbone, data, preprocess=args.preprocess, seed=0)

    learner.fit_head(args.head_epochs)
    tell(learner, "the head")
    learner.fine_tune(args.epochs)
    tell(learner, "fine-tuning")
    show(learner, 3)

    learner.save(args.out, overwrite=args.overwrite)
    learner.report(report, overwrite=args.overwrite)
    learner.export(args.export)


if __name__ == "__main__":
    main()

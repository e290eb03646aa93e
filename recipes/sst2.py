"""Classify the sentiment of sentences from film reviews: BERT from KerasHub on SST-2.

    python recipes/sst2.py
    python recipes/sst2.py --data SST2 --per-class 500

The phrases of glue/sst2 come from TensorFlow Datasets, the encoder from KerasHub. The script
downloads both. To use your own files, pass a folder SST2 with train.csv, validation.csv and
test.csv, each with the columns text and label. GLUE does not publish the labels of its test set, so
the script takes a part of the training phrases for testing. Many phrases come from the same
sentences, so this test accuracy is too high (leakage). Publications report the accuracy on the
validation set, which has whole sentences. This recipe uses the validation set to choose the best
epoch.

The expected results are for all-MiniLM-L6-v2 (6 layers of width 384). This encoder and its
preprocessing are the two TF-Hub modules that tests/backbones/test_minilm.py makes (--backbone
tfhub:ENCODER --preprocess tfhub:PREPROCESS). The data are whole sentences in a folder: 872 for
validation and 1,821 for testing.

    training sentences           test accuracy after the head   after fine-tuning   minutes
    6,920 (mean of 3 seeds)                             0.810               0.891       4.5
    1,000 (--per-class 500)                             0.800               0.846       1.5

The minutes are for 2 CPU cores that other programs used too. The default encoder and the phrases of
TensorFlow Datasets were not measured, because there was no network connection.
"""

import argparse
from pathlib import Path

import keras_tl as ktl

OWN = ("a gripping story, told with wit", "two hours of my life that nobody gives back")


def load(args: argparse.Namespace) -> ktl.TextData:
    """Return the sentences, from files or from TensorFlow Datasets."""
    if args.data is None:
        return ktl.TextData.from_tfds(
            "glue/sst2", data_dir=args.data_dir, sequence_length=args.sequence_length
        )
    return ktl.TextData.from_csv(
        args.data / "train.csv",
        validation=args.data / "validation.csv",
        test=args.data / "test.csv",
        sequence_length=args.sequence_length,
    )


def tell(learner: ktl.Learner, phase: str) -> None:
    """Print the accuracy on validation and test."""
    for split in ("validation", "test"):
        accuracy = learner.evaluate(split)["accuracy"]
        print(f"{split.capitalize()} accuracy after {phase}: {accuracy:.4f}")


def main() -> None:
    """Train, fine-tune, predict, report and export."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder of three CSV files")
    parser.add_argument("--data-dir", type=Path, help="folder with the prepared data set")
    parser.add_argument("--backbone", default="kerashub:bert_small_en_uncased")
    parser.add_argument("--preprocess", help="for TF-Hub encoders: tfhub:HANDLE or a vocab.txt")
    parser.add_argument("--sequence-length", type=int, help="tokens of a sentence")
    parser.add_argument("--per-class", type=int, help="training sentences of each class")
    parser.add_argument("--head-epochs", type=int)
    parser.add_argument("--epochs", type=int, default=3, help="epochs of fine-tuning")
    parser.add_argument("--out", type=Path, default=Path("runs/sst2"))
    parser.add_argument("--export", type=Path, default=Path("saved_models/sst2"))
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier run")
    args = parser.parse_args()
    report = args.out.with_suffix(".html")
    ktl.check_new(args.out, report, overwrite=args.overwrite)

    data = load(args).subset(per_class=args.per_class)
    print(data)
    print(data.describe_lengths())
    learner = ktl.Learner(args.backbone, data, preprocess=args.preprocess, seed=0)

    learner.fit_head(args.head_epochs)
    tell(learner, "the head")
    learner.fine_tune(args.epochs)
    tell(learner, "fine-tuning")
    for answer in learner.predict(OWN):
        print(f"{answer}: {answer.source}")

    learner.save(args.out, overwrite=args.overwrite)
    learner.report(report, overwrite=args.overwrite)
    learner.export(args.export)


if __name__ == "__main__":
    main()

"""Classify film reviews with BERT from TF-Hub: head, fine-tuning, predictions for new sentences.

    python recipes/imdb_reviews.py

The 25,000 + 25,000 reviews of imdb_reviews come from TensorFlow Datasets. A small BERT (4 layers of
width 512) and its preprocessing come from TF-Hub. The script downloads the data and both modules.
Without a network connection, --data-dir names the folder of the prepared data set, and --backbone
and --preprocess name the folders of both modules, as tfhub:FOLDER. Reviews are long:
--sequence-length 256 uses more words of each review and takes longer. --per-class 1000 trains on
only 1,000 reviews of each class.

Expected: the splits, the lengths of the reviews in words, a line for each epoch, and the test
accuracies after training the head and after fine-tuning. The second accuracy is higher. If both
accuracies are equal, no epoch of fine-tuning improved the validation metric, so the script kept the
weights from before fine-tuning. The last lines are two new sentences with the predictions pos and
neg. This recipe was not measured, because there was no network connection. sst2.py has
results of another encoder on single sentences.
"""

import argparse
from pathlib import Path

import keras_tl as ktl

SMALL_BERT = "tfhub:https://tfhub.dev/tensorflow/small_bert/bert_en_uncased_L-4_H-512_A-8/2"
OWN = (
    "I laughed, I cried, and I have already booked a seat for tomorrow.",
    "The plot makes no sense, and nobody in it seems to mind.",
)


def main() -> None:
    """Train, fine-tune, predict, report and export."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, help="folder with the prepared data set")
    parser.add_argument("--backbone", default=SMALL_BERT)
    parser.add_argument("--preprocess", help="tfhub:HANDLE or a vocab.txt (default: the encoder's)")
    parser.add_argument("--sequence-length", type=int, default=128, help="in tokens, up to 512")
    parser.add_argument("--per-class", type=int, help="training reviews of each class")
    parser.add_argument("--head-epochs", type=int)
    parser.add_argument("--epochs", type=int, default=3, help="epochs of fine-tuning")
    parser.add_argument("--out", type=Path, default=Path("runs/imdb_reviews"))
    parser.add_argument("--export", type=Path, default=Path("saved_models/imdb_reviews"))
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier run")
    args = parser.parse_args()
    report = args.out.with_suffix(".html")
    ktl.check_new(args.out, report, overwrite=args.overwrite)

    data = ktl.TextData.from_tfds(
        "imdb_reviews", data_dir=args.data_dir, sequence_length=args.sequence_length
    )
    data = data.subset(per_class=args.per_class)
    print(data)
    print(data.describe_lengths())
    learner = ktl.Learner(args.backbone, data, preprocess=args.preprocess, seed=0)

    learner.fit_head(args.head_epochs)
    print(f"Test accuracy after the head: {learner.evaluate()['accuracy']:.4f}")
    learner.fine_tune(args.epochs)
    print(f"Test accuracy after fine-tuning: {learner.evaluate()['accuracy']:.4f}")
    for answer in learner.predict(OWN):
        print(f"{answer}: {answer.source}")

    learner.save(args.out, overwrite=args.overwrite)
    learner.report(report, overwrite=args.overwrite)
    learner.export(args.export)


if __name__ == "__main__":
    main()

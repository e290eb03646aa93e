"""ULMFiT: a language model learns unlabelled texts of a task, then a classifier learns the labels.

    python recipes/ulmfit.py trec --corpus wikipedia.txt
    python recipes/ulmfit.py imdb_reviews --fastai wt103-fwd.tgz --sequence-length 512
    python recipes/ulmfit.py TREC --language-model lm/ --per-class 20

The first argument is a data set of TensorFlow Datasets, which the script downloads, or a folder.
The folder has train.csv, test.csv and optionally validation.csv, each with the columns text and
label. --language-model takes a model that keras_tl.ulmfit saved, --fastai takes fastai's published
archive (WikiText-103, English). With --corpus, the script pretrains a language model on text files
with one text in each line. Use as many texts as possible.

Expected on TREC-6: a test accuracy of 0.814 after training the head and 0.924 after fine-tuning.
TREC-6 has six classes, with 4,634 questions for training, 818 for validation and 500 for testing.
The small language model was pretrained on the 480,000 words of text in docs/explanation/ulmfit.md.
The script took 12 minutes on 2 CPU cores that other programs used too. 3 of these minutes were for
the language model.
fastai's model and imdb_reviews were not measured, because there was no network connection. For the
25,000 long film reviews of imdb_reviews, use a GPU.
"""

import argparse
from pathlib import Path

import keras_tl as ktl

# Name of the label to learn in TensorFlow Datasets, for data sets that have several labels.
LABELS = {"trec": "label-coarse"}


def load(args: argparse.Namespace) -> ktl.TextData:
    """Return the texts and their labels, from files or from TensorFlow Datasets."""
    options = {"sequence_length": args.sequence_length}
    folder = Path(args.data)
    if not folder.is_dir():
        label = LABELS.get(args.data)
        return ktl.TextData.from_tfds(args.data, data_dir=args.data_dir, label=label, **options)
    given = {name: folder / f"{name}.csv" for name in ("validation", "test")}
    found = {name: file for name, file in given.items() if file.is_file()}
    return ktl.TextData.from_csv(folder / "train.csv", **found, **options)


def main() -> None:
    """Pretrain a language model if none is given. Then run the other two stages of ULMFiT."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="a data set of TensorFlow Datasets, or a folder of CSV files")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--language-model", type=Path, help="a folder that keras_tl.ulmfit wrote")
    source.add_argument("--fastai", type=Path, help="fastai's archive, such as wt103-fwd.tgz")
    source.add_argument("--corpus", type=Path, nargs="+", help="text files to pretrain on")
    parser.add_argument("--size", default="small", help="size of the language model for --corpus")
    parser.add_argument("--data-dir", type=Path, help="folder with the prepared data set")
    parser.add_argument("--sequence-length", type=int, help="tokens of a text")
    parser.add_argument("--per-class", type=int, help="labelled training texts of each class")
    parser.add_argument("--out", type=Path, default=Path("runs/ulmfit"))
    parser.add_argument("--export", type=Path, default=Path("saved_models/ulmfit"))
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier run")
    args = parser.parse_args()
    report = args.out.with_suffix(".html")
    pretrained_in = args.out.with_name("pretrained")
    tuned = args.out.with_name(f"{args.out.name}_language_model")
    written = [args.out, report, tuned, *([pretrained_in] if args.corpus is not None else [])]
    ktl.check_new(*written, overwrite=args.overwrite)

    data = load(args)
    unlabelled = data.split("train").texts
    data = data.subset(per_class=args.per_class)
    print(data)

    # 1. Load or pretrain a language model of the language.
    if args.corpus is not None:
        pretrained = ktl.ulmfit.pretrain(
            args.corpus, pretrained_in, size=args.size, overwrite=args.overwrite
        )
    elif args.fastai is not None:
        pretrained = ktl.ulmfit.load_fastai(args.fastai)
    else:
        pretrained = ktl.ulmfit.load_language_model(args.language_model)

    # 2. Fine-tune the language model on all training texts of the task, with and without labels.
    ktl.ulmfit.fine_tune_lm(pretrained, unlabelled, path=tuned, overwrite=args.overwrite)

    # 3. Train a classifier on the language model: first the head, then more and more layers from
    # the last one down.
    learner = ktl.Learner(f"ulmfit:{tuned}", data, seed=0)
    learner.fit_head()
    print(f"Test accuracy after the head: {learner.evaluate()['accuracy']:.4f}")
    learner.fine_tune()
    print(f"Test accuracy after fine-tuning: {learner.evaluate()['accuracy']:.4f}")

    learner.save(args.out, overwrite=args.overwrite)
    learner.report(report, overwrite=args.overwrite)
    learner.export(args.export)


if __name__ == "__main__":
    main()

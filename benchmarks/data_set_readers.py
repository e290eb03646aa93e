"""Readers for the data sets of data_sets.py. A reader turns a file or folder into labelled items.

A reader uses only the files of a package and does not import the package, because some of these
packages have many dependencies.
"""

import csv
import dataclasses
import gzip
import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np


@dataclasses.dataclass(frozen=True)
class LabelledItems:
    """All items of a data set.

    Attributes:
        values: Texts, paths of image files, or uint8 grey pixels (n, height, width).
        labels: Class name of each of the n items.
        is_test: bool (n,), true for items of the authors' test split. `None`: there is no such
            split.
        are_files: Whether the values are paths of files.
    """

    values: Sequence[str] | np.ndarray
    labels: Sequence[str]
    is_test: np.ndarray | None = None
    are_files: bool = False


def image_folders(folder: Path) -> LabelledItems:
    """Read images in `folder/<class>/*` or in `folder/(train|test)/<class>/*`."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in {".jpg", ".png"})
    tests = [path.relative_to(folder).parts[0] == "test" for path in files]
    return LabelledItems(
        [str(path) for path in files],
        [path.parent.name for path in files],
        np.array(tests) if any(tests) else None,
        are_files=True,
    )


def text_folders(folder: Path) -> LabelledItems:
    """Read texts in `folder/<class>/*.txt`."""
    files = sorted(folder.rglob("*.txt"))
    texts = [file.read_text(encoding="utf-8", errors="replace") for file in files]
    return LabelledItems(texts, [file.parent.name for file in files])


def train_and_test_csv(folder: Path) -> LabelledItems:
    """Read texts in `train.csv` and `test.csv`, which have the columns `text` and `label`."""
    rows = [
        (row["text"], row["label"], name == "test")
        for name in ("train", "test")
        for row in _rows(folder / f"{name}.csv")
    ]
    texts, labels, tests = zip(*rows, strict=True)
    return LabelledItems(texts, labels, np.array(tests))


def digits(_folder: Path) -> LabelledItems:
    """Read scikit-learn's handwritten digits, images of 8 x 8 pixels."""
    from sklearn.datasets import load_digits

    found = load_digits()
    pixels = np.round(found.images * (255 / found.images.max())).astype(np.uint8)
    return LabelledItems(pixels, [str(label) for label in found.target])


def animal_shapes(folder: Path) -> LabelledItems:
    """Read two compressed pickles of NumPy arrays. Pickles can run code, but so can packages."""
    names = ("bear", "bird", "cat", "cow", "dog", "elephant", "giraffe", "horse", "sheep", "zebra")
    pixels, labels = (
        pickle.loads(gzip.decompress((folder / f"animal_{part}_version_3.gz").read_bytes()))
        for part in ("data", "label")
    )
    return LabelledItems(pixels, [names[label] for label in labels])


def tweets(file: Path) -> LabelledItems:
    """Read the columns `text` and `sentiment`. The file mixes several text encodings."""
    rows = list(_rows(file, encoding="latin-1"))
    return LabelledItems([row["text"] for row in rows], [row["sentiment"] for row in rows])


def sms(file: Path) -> LabelledItems:
    """Read the columns `text` and `spam` of a file. `spam` is 0 or 1."""
    rows = list(_rows(file))
    names = {"0": "ham", "1": "spam"}
    return LabelledItems([row["text"] for row in rows], [names[row["spam"]] for row in rows])


def fashion(folder: Path) -> LabelledItems:
    """Read the four files of Fashion-MNIST, images of 28 x 28 pixels."""
    names = ("t-shirt", "trouser", "pullover", "dress", "coat")
    names += ("sandal", "shirt", "sneaker", "bag", "boot")
    pixels, labels = (
        [_idx(folder / f"{part}-{kind}-ubyte.gz") for part in ("train", "t10k")]
        for kind in ("images-idx3", "labels-idx1")
    )
    is_test = np.repeat([False, True], [len(part) for part in labels])
    named = [names[label] for label in np.concatenate(labels)]
    return LabelledItems(np.concatenate(pixels), named, is_test)


def solar_cells(folder: Path) -> LabelledItems:
    """Read the photos of both kinds of cells. Leave out photos on which the experts disagree."""
    rows = [line.split() for line in (folder / "labels.csv").read_text().splitlines()]
    sure = [(path, float(defect), kind) for path, defect, kind in rows if float(defect) in {0, 1}]
    labels = [f"{'bad' if defect else 'good'} {kind}" for _, defect, kind in sure]
    return LabelledItems([str(folder / path) for path, _, _ in sure], labels, are_files=True)


def newsgroups(folder: Path) -> LabelledItems:
    """Read 20 Newsgroups with its own test split."""
    return _orange(folder, "20newsgroups")


def reuters(folder: Path) -> LabelledItems:
    """Read the 8 largest topics of Reuters-21578 with their own test split."""
    return _orange(folder, "reuters-r8")


def reviews(file: Path) -> LabelledItems:
    """Read the sentences whose mean rating, in [-4, 4], is at most -1 or at least 1."""
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    rows = [line.split("\t") for line in lines[1:]]
    clear = [(text, float(rating)) for _, rating, text in rows if abs(float(rating)) >= 1]
    labels = ["positive" if rating > 0 else "negative" for _, rating in clear]
    return LabelledItems([text for text, _ in clear], labels)


def _orange(folder: Path, name: str) -> LabelledItems:
    """Read tables of Orange, in which two lines, with types and roles, follow the column names."""
    texts, labels, tests = [], [], []
    for part in ("train", "test"):
        for row in list(_rows(folder / f"{name}-{part}.tab", separator="\t"))[2:]:
            texts.append(row["Text"])
            labels.append(row["Category"])
            tests.append(part == "test")
    return LabelledItems(texts, labels, np.array(tests))


def _rows(file: Path, encoding: str = "utf-8", separator: str = ","):
    csv.field_size_limit(2**30)
    with open(file, encoding=encoding, newline="") as opened:
        yield from csv.DictReader(opened, delimiter=separator)


def _idx(file: Path) -> np.ndarray:
    """Read an array in LeCun's IDX format: the rank, the length of each axis, the bytes."""
    raw = gzip.decompress(file.read_bytes())
    lengths = np.frombuffer(raw, ">i4", count=raw[3], offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(lengths)

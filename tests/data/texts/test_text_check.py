"""Empty texts are left out and named; a text under two labels is named and stays."""

import json

import pandas as pd
import pytest
from click.testing import CliRunner

import keras_tl as ktl
from keras_tl.cli import cli
from keras_tl.data.texts.text_check import BadText
from keras_tl.data.texts.text_values import BLANK_PROBLEM
from keras_tl.errors import DataError

NO_SPLITS = {"validation_split": 0, "test_split": 0}


def texts_with(*others):
    """Twenty texts of two classes, then others."""
    rows = [(f"text {n}", "ab"[n % 2]) for n in range(20)] + [*others]
    return zip(*rows, strict=True)


# A text, and what is wrong with it.
EMPTY = BLANK_PROBLEM
BLANK = {"nothing": ("", EMPTY), "space": (" \t\n\u3000", EMPTY), "missing": (None, EMPTY)}


@pytest.mark.parametrize("name", BLANK)
def test_an_empty_text_is_left_out_and_named(name):
    text, reason = BLANK[name]
    texts, labels = texts_with((text, "a"), ("last", "b"))
    data = ktl.TextData.from_arrays(texts, labels, **NO_SPLITS)
    assert data.splits["train"].texts == (*(f"text {n}" for n in range(20)), "last")
    assert data.splits["train"].labels[-1] == 1
    check = data.checked
    assert data.checked is check
    assert (check.checked, check.bad) == (22, (BadText("train row 20", reason),))
    assert data.describe()["checked"] == {"items": 22, "left_out": 1}
    assert check.describe() == (
        f"1 of 22 texts are left out.\n     1  blank\ntrain row 20: {EMPTY}"
    )
    assert json.loads(json.dumps(check.to_json())) == {
        "checked": 22,
        "bad": [{"place": "train row 20", "reason": reason}],
        "label_conflicts": [],
        "unused": None,
    }


@pytest.mark.parametrize(
    ("pair", "kind"), [(("", "x"), "blank"), (("x", " "), "second text blank"), (("x", "y"), None)]
)
def test_both_texts_of_a_pair_are_looked_at(pair, kind):
    pairs = [(f"a{n}", f"b{n}") for n in range(20)] + [pair]
    data = ktl.TextData.from_arrays(pairs, [n % 2 for n in range(21)], max_bad=0.1, **NO_SPLITS)
    assert [text.kind for text in data.checked.bad] == ([kind] if kind else [])
    assert len(data.splits["train"]) == 21 - bool(kind)


def test_the_place_is_said_as_in_the_source(tmp_path):
    path = tmp_path / "t.csv"
    texts, labels = texts_with()
    frame = pd.DataFrame({"text": texts, "label": labels}, index=range(100, 120))
    frame.loc[107, "text"] = None
    frame.to_csv(path, index=False)
    other = tmp_path / "other.csv"
    other.write_text('text,label\n"two\nlines",a\n" ",b\nfine,b\n')
    places = {
        "csv": ktl.TextData.from_csv(path),
        "two-files": ktl.TextData.from_csv(path, test=other, max_bad=0.1),
        "frame": ktl.TextData.from_dataframe(frame),
    }
    assert {name: [text.place for text in data.checked.bad] for name, data in places.items()} == {
        "csv": ["line 9"],
        "two-files": ["line 9 of train", "line 4 of test"],
        "frame": ["row 107"],
    }
    root = tmp_path / "root"
    for number in range(10):
        for name in "ab":
            (root / name).mkdir(parents=True, exist_ok=True)
            (root / name / f"{number}.txt").write_text("" if (name, number) == ("b", 4) else "x")
    data = ktl.TextData.from_folder(root)
    assert [text.place for text in data.checked.bad] == [str(root / "b" / "4.txt")]


def test_too_many_empty_texts_are_an_error():
    texts, labels = texts_with(*[("", "a")] * 7)
    with pytest.raises(DataError) as caught:
        ktl.TextData.from_arrays(texts, labels)
    assert str(caught.value).startswith(
        "Expected at most 5.0% unusable texts (max_bad=0.05), found 7 of 27 (25.9%): "
        "train row 20: blank"
    )
    assert "; and 2 more. Repair or remove these texts, or raise max_bad" in str(caught.value)
    texts, labels = texts_with(*[("", "a")] * 7)
    data = ktl.TextData.from_arrays(texts, labels, max_bad=0.26)
    assert sum(map(len, data.splits.values())) == 20
    assert data.split_settings["max_bad"] == 0.26


@pytest.mark.parametrize(
    ("label", "test", "lost"),
    [("c", None, "the class 'c'"), ("a", ([" ", ""], ["a", "b"]), "the test split")],
)
def test_what_nothing_is_left_of_is_named(label, test, lost):
    texts, labels = texts_with(("", label))
    with pytest.raises(
        DataError, match=rf"No text of {lost} can be used\. For example: t.*: blank"
    ):
        ktl.TextData.from_arrays(texts, labels, test=test, max_bad=1)


def test_the_text_that_is_named_is_of_the_class_that_is_lost():
    texts, labels = texts_with(("", "a"), ("", "c"))
    with pytest.raises(
        DataError, match=r"class 'c' can be used\. For example: train row 21: blank"
    ):
        ktl.TextData.from_arrays(texts, labels, max_bad=1)


def test_one_text_under_two_labels_is_named_and_stays():
    others = [("good", "a"), ("good ", "b"), ("good", "a"), ("bad", "b"), ("bad", "b")]
    texts, labels = texts_with(*others)
    test = (["bad", "text 0", "text 0"], ["a", "a", "b"])
    data = ktl.TextData.from_arrays(texts, labels, test=test, validation_split=0)
    assert len(data.splits["train"]) == 25
    assert data.checked.bad == ()
    assert data.checked.label_conflicts == (
        BadText("train row 20", "two labels: 'a', but 'b' in train row 21"),
        BadText("train row 21", "two labels: 'b', but 'a' in train row 20"),
        BadText("train row 22", "two labels: 'a', but 'b' in train row 21"),
    )
    assert data.checked.summary() == (
        "All 28 texts can be used.\n"
        "3 training texts occur again in the training split with another label. "
        "These texts are kept."
    )
    assert data.checked.describe().endswith("two labels: 'a', but 'b' in train row 21")


def test_rows_are_right_after_empty_ones_have_gone():
    texts, labels = texts_with()
    given = ["", *texts, "twice", "twice"]
    data = ktl.TextData.from_arrays(given, ["a", *labels, "a", "b"], **NO_SPLITS)
    assert [text.place for text in data.checked.label_conflicts] == [
        "train row 21",
        "train row 22",
    ]


def test_pairs_contradict_only_if_both_texts_are_the_same():
    pairs = [("p", "h"), ("p", "h"), ("p", "other")]
    data = ktl.TextData.from_arrays(pairs, [0.5, 1.5, 2.5], **NO_SPLITS)
    assert [text.reason for text in data.checked.label_conflicts] == [
        "two labels: '0.5', but '1.5' in train row 1",
        "two labels: '1.5', but '0.5' in train row 0",
    ]


def test_the_command_line_shows_what_was_found_and_how_long_texts_are(tmp_path):
    texts, labels = texts_with(("", "a"), ("same", "a"), ("same", "b"))
    path = tmp_path / "t.csv"
    pd.DataFrame({"text": texts, "label": labels}).to_csv(path, index=False)

    def run(*arguments):
        arguments = ["train", "--data", f"csv:{path}", "--check", *arguments]
        return CliRunner().invoke(cli, arguments, catch_exceptions=False).output

    text = run("--max-bad", "0.01")
    for part in ("1 of 23 texts are left out", "line 22: blank", "2 training texts occur again"):
        assert part in text
    assert "more than 1.0% (--max-bad): training would stop" in text
    assert text.splitlines()[-4].split()[:2] == ["words", "median"]
    assert "training would stop" not in run()
    found = json.loads(run("--json"))
    assert (found["checked"], len(found["bad"]), len(found["label_conflicts"])) == (23, 1, 2)
    assert found["lengths"]["train"]["longest"] == 2

"""Findings as what people and machines read."""

import json
import pickle

import numpy as np
import pytest

from keras_tl.data import ImageData
from keras_tl.data.images.image_split import ImageSplit
from keras_tl.errors import ConfigError, DataError
from keras_tl.preflight.finding_text import folder_of
from keras_tl.preflight.findings import Finding, Findings

NOTE = Finding("image-size", "note", "Images are small.", "Do nothing.")
WARNING = Finding("near-duplicates", "warning", "1 <copy> & more.", "Remove it.")
ERROR = Finding("labels-out-of-range", "error", "Expected 0 or 1. Received 7.", "Repair it.")
ALL = Findings([NOTE, WARNING, ERROR], {"one-batch": "no model", "initial-loss": "no model"})


def test_the_worst_come_first():
    assert tuple(ALL) == (ERROR, WARNING, NOTE)
    assert ALL.names == ("labels-out-of-range", "near-duplicates", "image-size")
    assert ALL.summary() == (
        "Preflight: 1 error (labels-out-of-range), 1 warning (near-duplicates), "
        "1 note (image-size)."
    )
    assert Findings([NOTE, NOTE]).summary() == "Preflight: 2 notes (image-size, image-size)."
    assert Findings().summary() == "Preflight: nothing found."


@pytest.mark.parametrize("findings", [ALL, Findings()])
def test_they_survive_json(findings):
    again = Findings.from_json(json.loads(json.dumps(findings.to_json())))
    assert again == findings
    assert again.not_checked == findings.not_checked


def test_everything_is_told():
    lines = str(ALL).splitlines()
    assert lines[1] == ("error (labels-out-of-range): Expected 0 or 1. Received 7. Repair it.")
    assert lines[-1] == "Not checked (one-batch, initial-loss): no model."
    assert [line for line in ALL.brief().splitlines() if "note (image-size):" in line] == []
    page = ALL._repr_html_()
    assert "1 &lt;copy&gt; &amp; more." in page
    assert "Not checked (one-batch, initial-loss): no model." in page
    assert "<table>" not in Findings()._repr_html_()


FOLDERS = {
    "classes": (["/home/me/photos/cat/1.jpg", "/home/me/photos/dog/1.jpg"], "/home/me/photos/"),
    "one": (["/home/me/photos/1.jpg"], "/home/me/photos/"),
    "likely": (["/home/me/a/1.jpg", "/home/me/ab/1.jpg"], "/home/me/"),
    "apart": (["/home/me/1.jpg", "/data/1.jpg"], ""),
    "relative": (["photos/cat/1.jpg", "photos/dog/1.jpg"], ""),
    "both": (["/home/me/1.jpg", "photos/1.jpg"], ""),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_the_folder_of_the_data_is_what_all_files_share(name):
    paths, expected = FOLDERS[name]
    splits = {p: ImageSplit((p,), np.zeros(1, int)) for p in paths}
    assert folder_of(ImageData(splits, "multiclass", ("a",))) == expected


def test_a_folder_is_left_out_of_all_that_is_said():
    leak = Finding(
        "leak", "note", "/home/me/a/1.jpg = /home/me/b/2.jpg.", "Remove /home/me/a/1.jpg."
    )
    found = Findings([leak], {"sizes": "Cannot read /home/me/c.jpg"}, ["sizes"])
    told = found.without("/home/me/")
    assert told[0].what == "a/1.jpg = b/2.jpg."
    assert told[0].action == "Remove a/1.jpg."
    assert told.not_checked == {"sizes": "Cannot read c.jpg"}
    assert told.failed == found.failed
    assert found.without("") == found


def test_only_errors_stop():
    Findings([NOTE, WARNING]).raise_errors()
    with pytest.raises(DataError, match=r"Received 7\. Repair it\.$"):
        ALL.raise_errors()


def test_a_severity_is_one_of_three():
    with pytest.raises(ConfigError, match="Unknown severity 'fatal'"):
        Finding("x", "fatal", "", "")


def test_they_can_be_copied():
    again = pickle.loads(pickle.dumps(ALL))
    assert (again, again.not_checked) == (ALL, ALL.not_checked)

"""The model card in the folder of an export."""

import json
import re

import pytest

from keras_tl.errors import ConfigError
from keras_tl.export.verification import CHECKSUMS, verify
from keras_tl.learner.reporting import facts
from keras_tl.report.card import CARD, FACTS, write_card
from tests.export.conftest import SECTIONS

REFUSED = {
    "text": "Intended use",
    "list": ["Intended use"],
    "number": {"Intended use": 3},
    "empty": {"Intended use": " "},
    "taken": {"metrics ": "Good ones."},
}


@pytest.mark.parametrize("name", REFUSED)
def test_sections_that_are_none_are_refused(name, tmp_path, learner):
    expected = "of the card. Choose another" if name == "taken" else "that only you can write"
    with pytest.raises(ConfigError, match=expected):
        learner.export(tmp_path / "model", card=REFUSED[name])
    assert not (tmp_path / "model").exists()


def test_an_export_holds_its_card_and_notices_a_change(learner, exported):
    """The card is the same whenever it is written, but for the day."""
    expected = write_card(facts(learner._state), "model", SECTIONS)
    for name, text in expected.items():
        written, again = (
            re.sub(r"\d{4}-\d\d-\d\d", "", one) for one in ((exported / name).read_text(), text)
        )
        assert written == again
    assert json.loads((exported / FACTS).read_text())["sections"] == SECTIONS
    assert SECTIONS["Intended use"] in (exported / CARD).read_text()
    assert {CARD, FACTS} <= json.loads((exported / CHECKSUMS).read_text()).keys()
    (exported / CARD).write_text("It is always right.")
    assert verify(exported).problems == ("MODEL_CARD.md has changed since it was exported",)

"""The model card of an export: the same facts for people and for machines.

`MODEL_CARD.md` follows Mitchell et al., "Model Cards for Model Reporting", 2019
(arXiv:1810.03993); `model.json` holds what it says.
"""

from keras_tl.export.card.facts import card_facts, library_versions
from keras_tl.export.card.markdown import overview
from keras_tl.export.card.writing import read_sections, write_card

__all__ = ["card_facts", "library_versions", "overview", "read_sections", "write_card"]

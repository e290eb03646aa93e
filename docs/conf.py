"""Configuration of the documentation site, which `make docs` builds with Sphinx and MyST."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs" / "extensions")]

project = "keras_tl"
author = "the keras_tl authors"
release = re.search(
    r'^__version__ = "(.+)"', (ROOT / "keras_tl" / "__init__.py").read_text("utf-8"), re.M
)[1]

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "command_help",
    "stored_results",
]

# Single backticks in docstrings mark code.
default_role = "literal"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
# Errors in docstrings must be in the reference. Types of Keras and TensorFlow have no page here.
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"(?!(Config|Data|Backbone|Weights|Cache|Run|Export|Serving)Error$).*"),
]
python_maximum_signature_line_length = 80
toc_object_entries_show_parents = "hide"

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 4

html_theme = "furo"
html_title = "keras_tl"
html_static_path = ["static"]
html_css_files = ["tables.css"]
html_show_copyright = False
html_copy_source = False


def _keep_first_line(app, what, name, obj, options, lines):
    """Keep napoleon from reading the first line of a property, up to a colon, as a type."""
    if what in {"attribute", "property"}:
        lines[:0] = ["..", ""]


def setup(app):
    """Register the handler before that of napoleon."""
    app.connect("autodoc-process-docstring", _keep_first_line, priority=400)

"""Links and names of the documentation. `make docs` builds the site; these tests do not."""

import ast
import json
import re
import statistics
from pathlib import Path

import pytest

import keras_tl
from tests.page_blocks import FENCE

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text("utf-8")
PAGES = sorted(DOCS.rglob("*.md"))
TEXTS = [*PAGES, *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"))]
TEXTS += [ROOT / name / "README.md" for name in ("benchmarks", "recipes")]

LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)(#[^)\s]*)?\)|\{download\}`[^<`]*<([^>]+)>`")
AUTO = re.compile(r"\.\. auto(\w+):: (keras_tl[\w.]*)((?:\n   :.*)*)")


def relative(path):
    return str(path.relative_to(ROOT))


def prose(path):
    return FENCE.sub("", path.read_text("utf-8"))


def slugs(path):
    """The anchors of a page's headings, as GitHub and MyST make them."""
    titles = re.findall(r"^#+ (.+)$", prose(path), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", TEXTS, ids=relative)
def test_links_lead_to_files_and_headings(path):
    for file, anchor, download in LINK.findall(prose(path)):
        target = path.parent / (file or download) if file or download else path
        assert target.exists(), f"{file or download} does not exist"
        if anchor and target.suffix == ".md":
            assert anchor[1:] in slugs(target), f"{file} has no heading for {anchor}"


def test_files_that_texts_and_code_name_exist():
    pattern = re.compile(r"(?<![\w./-])((?:docs|benchmarks|tests|tools|recipes)/[\w/-]+\.\w+)")
    history = ROOT / "CHANGELOG.md"
    sources = [*(text for text in TEXTS if text != history)]
    for folder in ("keras_tl", "benchmarks", "recipes", "tools"):
        sources += (ROOT / folder).rglob("*.py")
    for source in sources:
        for name in pattern.findall(source.read_text("utf-8")):
            assert (ROOT / name).exists(), f"{relative(source)} names {name}"


# The pages whose outputs are those of a notebook.
NOTEBOOKS = {
    "README.md": "quickstart",
    "docs/tutorials/first-photos.md": "quickstart",
    "docs/tutorials/texts.md": "texts",
}


@pytest.mark.parametrize("page", NOTEBOOKS)
def test_the_outputs_of_a_page_are_those_of_its_notebook(page):
    path = ROOT / "recipes" / f"{NOTEBOOKS[page]}.ipynb"
    cells = json.loads(path.read_text("utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    texts = [output.get("text") or output["data"]["text/plain"] for output in outputs]
    printed = "\n".join("".join(text) for text in texts)
    found = FENCE.findall((ROOT / page).read_text("utf-8"))
    shown = "".join(content for _, _, kind, content in found if kind == "text")
    lines, known = (
        {*re.sub(r"saved_models/\w+", "", one).splitlines()} for one in (shown, printed)
    )
    # Cells of a notebook, in which users type.
    others = {line for line in lines if line.startswith(("%pip", "from google.colab"))}
    assert lines - others - {"..."} <= known


def test_the_accuracies_in_readme_are_the_stored_ones():
    lines = (ROOT / "benchmarks" / "results" / "small_data.jsonl").read_text().splitlines()
    rows = [row for row in map(json.loads, lines) if row["set"] == "cifar10-mini"]
    methods = {
        "keras_tl, `fit()`": "fit",
        "keras_tl, `fit_head()`, `fine_tune()`": "fine_tune",
        "keras_tl, `fit_head()`": "fit_head",
        "scikit-learn on the features (logistic regression)": "logistic",
    }
    for title, name in methods.items():
        (shown,) = re.findall(rf"^\| {re.escape(title)} \| (.+?) \| (.+?) \|", README, re.M)
        for size, cell in zip((30, 100), shown, strict=True):
            found = [
                row["accuracy"]
                for row in rows
                if (row["contender"], row["size"]) == (name, size) and row["draw"] < 3
            ]
            assert len(found) == 3
            assert cell == f"{statistics.fmean(found):.3f}"


def test_every_page_is_in_the_contents():
    found, new = set(), {DOCS / "index.md"}
    while new:
        found |= new
        listed = set()
        for page in new:
            for _, _, kind, content in FENCE.findall(page.read_text("utf-8")):
                if kind == "{toctree}":
                    entries = [line for line in content.split() if not line.startswith(":")]
                    listed |= {page.parent / f"{entry}.md" for entry in entries}
        new = {page for page in listed if page.exists()} - found
    assert found == set(PAGES)


def documented():
    """The directives of the reference: kind, dotted name, options."""
    text = "\n".join(page.read_text("utf-8") for page in (DOCS / "reference").glob("*.md"))
    return AUTO.findall(text)


def test_every_public_name_is_in_the_reference():
    pages = "".join(page.read_text("utf-8") for page in (DOCS / "reference").glob("*.md"))
    by_hand = re.findall(r"^\.\. py:data:: (keras_tl\.\w+)", pages, re.M)
    assert {f"keras_tl.{name}" for name in keras_tl.__all__} <= {
        *(name for _, name, _ in documented()),
        *by_hand,
    }


def file_of(module):
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def names_in(path):
    """The names that a module defines, imports or gives out in `__all__`."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            yield from ast.literal_eval(node.value)


def test_the_names_of_the_reference_exist():
    for kind, name, _ in documented():
        module, _, last = name.rpartition(".")
        if kind == "module" and name != "keras_tl.figures":
            assert file_of(name).exists(), name
        else:
            assert last in names_in(file_of(module)), name


def test_every_error_class_has_a_section_in_troubleshooting():
    tree = ast.parse((ROOT / "keras_tl" / "errors.py").read_text("utf-8"))
    errors = {node.name for node in tree.body if isinstance(node, ast.ClassDef)} - {"KerasTLError"}
    assert {name.lower() for name in errors} <= slugs(DOCS / "troubleshooting.md")


def texts_in_code():
    """The texts of the package, without the values that they are filled with."""
    for path in sorted((ROOT / "keras_tl").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(p.value for p in node.values if isinstance(p, ast.Constant))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_the_messages_in_troubleshooting_are_messages_of_the_package():
    titles = re.findall(r"^### (.+)$", prose(DOCS / "troubleshooting.md"), re.M)
    messages = {message for title in titles for message in re.findall("`([^`]+)`", title)}
    known = list(texts_in_code())
    for message in messages:
        pattern = re.compile(".*".join(map(re.escape, message.split("..."))))
        assert any(map(pattern.search, known)), message
    assert messages


def test_every_check_before_training_is_in_its_table():
    source = (ROOT / "keras_tl" / "preflight" / "checks.py").read_text("utf-8")
    checks = re.findall(r'^    "([\w-]+)": ', source, re.M)
    rows = re.findall(r"^\| `([\w-]+)` \|", (DOCS / "reference" / "checks.md").read_text(), re.M)
    assert checks
    assert sorted(checks) == sorted(rows)

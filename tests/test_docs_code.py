"""The code blocks of the documentation: names, arguments and commands exist, and the code runs."""

import ast
import contextlib
import dataclasses
import gc
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

import keras_tl as ktl
from keras_tl.cli import cli
from keras_tl.export import verification
from tests import page_files
from tests.call_checks import CodeChecker, Instance, undefined
from tests.conftest import without_verification
from tests.examples import rest_server
from tests.page_blocks import PAGES, ROOT, blocks, commands, inline


def relative(page):
    return str(page.relative_to(ROOT))


WITH_CODE = [page for page in PAGES if any(blocks(page, "python"))]
COMING_FROM = [page for page in WITH_CODE if page.parent.name == "coming-from"]
# The test of this page also checks what the code computes.
SCIKIT_LEARN = "docs/coming-from/scikit-learn.md"
RUN = [relative(page) for page in WITH_CODE if relative(page) != SCIKIT_LEARN]

# The blocks that no test runs, with the reasons in the pages. Keep this list short.
NOT_RUN = {
    ("docs/how-to/read-photos.md", "downloads tf_flowers"),
    ("docs/how-to/read-texts.md", "downloads glue/sst2"),
    ("docs/how-to/train-in-two-phases.md", "needs MLflow, which keras_tl does not install"),
    ("docs/how-to/use-a-language-model.md", "downloads wiki40b, 10 GB"),
}
# Functions that write files of a page: files of the user, of other programs, or of other pages.
SETUPS = {
    "docs/coming-from/fastai.md": [page_files.save_fastai_folder],
    "docs/coming-from/keras.md": [page_files.save_keras_model],
    "docs/coming-from/kerashub.md": [page_files.save_encoder, page_files.save_classifier],
    "docs/coming-from/model-maker.md": [page_files.need_litert],
    "docs/coming-from/tf-hub-retrain.md": [page_files.save_module],
    "docs/how-to/other-runtimes.md": [page_files.save_encoder, page_files.export_texts],
    "docs/how-to/read-texts.md": [page_files.save_encoder],
    "docs/how-to/use-a-language-model.md": [page_files.save_fastai_model],
    "docs/how-to/weights.md": [page_files.save_converted],
    "docs/tutorials/texts.md": [page_files.save_encoder],
}
# Files that the code of a page writes.
WRITTEN = {
    "README.md": ["report.html", "saved_models/digits/1/saved_model.pb"],
    "docs/coming-from/fastai.md": [
        "saved_models/photos/1/saved_model.pb",
        "runs/photos",
        "runs/lm",
    ],
    "docs/coming-from/keras.md": ["runs/photos"],
    "docs/coming-from/kerashub.md": ["runs/reviews"],
    "docs/coming-from/model-maker.md": ["photos.tflite", "photos.tflite.json"],
    SCIKIT_LEARN: ["photos.parquet"],
    "docs/coming-from/tf-hub-retrain.md": ["runs/photos", "saved_models/photos/1/saved_model.pb"],
    "docs/explanation/verdict.md": ["runs/compare"],
    "docs/how-to/other-runtimes.md": ["photos.tflite", "photos.onnx", "photos16.onnx"],
    "docs/how-to/predict.md": ["features.npy"],
    "docs/how-to/report.md": ["report.html"],
    "docs/how-to/train-in-two-phases.md": ["runs/photos"],
    "docs/how-to/use-a-language-model.md": ["runs/lm", "runs/lm_reviews", "runs/wt103"],
    "docs/index.md": ["report.html", "saved_models/photos/1/saved_model.pb"],
    "docs/reference/cli.md": ["features.parquet", "runs/photos/report.html"],
    "docs/reference/export.md": ["saved_models/photos/1/saved_model.pb"],
    "docs/tutorials/first-photos.md": ["report.html", "plots", "runs/photos"],
    "docs/tutorials/language-model.md": [
        "runs/lm_reviews",
        "saved_models/reviews/1/saved_model.pb",
    ],
    "docs/tutorials/notebook-to-server.md": ["saved_models/photos/1/saved_model.pb"],
    "docs/tutorials/texts.md": ["runs/reviews", "saved_models/reviews/1/saved_model.pb"],
}
# The size of the images in pixels, if the code of a page names it.
IMAGE_SIZES = {"docs/coming-from/keras.md": 224}
# Names that need a network, and the local ones that stand for them.
LOCAL = {"kerashub:bert_small_en_uncased": "kerashub:bert"}
SERVER = "http://localhost:8501"
# The page whose command verifies an export. A verification starts a process with TensorFlow.
VERIFIED = "docs/tutorials/notebook-to-server.md"
# The pages whose commands run too.
COMMANDS_RUN = (VERIFIED, "docs/coming-from/tf-hub-retrain.md", "docs/reference/cli.md")

# Names in the sentences of the pages.
IN_PROSE = {
    "keras_tl": ktl,
    "ktl": ktl,
    "learner": Instance(ktl.Learner),
    "own": Instance(ktl.Learner),
    "ulmfit": ktl.ulmfit,
}


@pytest.mark.parametrize("page", WITH_CODE, ids=relative)
def test_the_code_of_a_page_is_whole(page):
    assert undefined(block.content for block in blocks(page, "python")) == []


@pytest.mark.parametrize("page", WITH_CODE, ids=relative)
def test_names_and_arguments_in_blocks_exist(page):
    checker = CodeChecker()
    for block in blocks(page, "python"):
        checker.visit(ast.parse(block.content))
    assert checker.checked


SCRIPTS = [p for folder in ("benchmarks", "recipes", "tools") for p in (ROOT / folder).glob("*.py")]


@pytest.mark.parametrize("script", sorted(SCRIPTS), ids=relative)
def test_names_and_arguments_in_scripts_exist(script):
    CodeChecker(whole=False).visit(ast.parse(script.read_text("utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_names_and_arguments_in_sentences_exist(page):
    for code in inline(page):
        if code.startswith(tuple(f"{name}." for name in IN_PROSE)):
            with contextlib.suppress(SyntaxError):  # part of a call
                tree = ast.parse(code)
                CodeChecker(IN_PROSE, whole=False).visit(tree)


WRONG = {
    "a name": "ktl.nothing",
    "a name of a module": "ktl.ulmfit.nothing()",
    "an import": "from keras_tl import Lerner",
    "an argument": "ktl.Learner.load('a').evaluate(cut=1)",
    "an option": "ktl.ImageData.from_folder('a', sise=1)",
    "a missing argument": "ktl.Learner('a')",
    "a method": "data = ktl.ImageData.from_folder('a')\ndata.nothing()",
    "a result": "ktl.Learner.load('a').evaluate().top_losses(many=1)",
    "a result in a text": "print(f\"{ktl.Learner.load('a').evaluate(cut=1)}\")",
    "a context": "with ktl.serving.Client('a', model='b') as client:\n    client.nothing()",
}


@pytest.mark.parametrize("code", WRONG.values(), ids=WRONG)
def test_wrong_code_is_found(code):
    with pytest.raises((AttributeError, TypeError)):
        CodeChecker({"ktl": ktl}).visit(ast.parse(code))


@pytest.mark.parametrize(
    ("code", "names"),
    [
        (["print(x)"], ["x"]),
        (["x = 1", "print(x)"], []),
        (["x = x + 1"], ["x"]),
        (["def f(a): return a + later\nlater = 1"], []),
        (["for a in 'ab': print(a)\nprint([b for b in 'ab'])"], []),
    ],
)
def test_undefined_names_are_found(code, names):
    assert undefined(code) == names


def test_every_marker_stands_before_a_block_and_has_a_known_reason():
    found = [
        (relative(page), block.not_run)
        for page in PAGES
        for block in blocks(page, "python", "sh", "console")
        if block.not_run
    ]
    assert sorted(found) == sorted(NOT_RUN)
    markers = sum(page.read_text("utf-8").count("% not run") for page in PAGES)
    assert markers == len(found)


def test_the_tables_name_pages():
    assert SETUPS.keys() | IMAGE_SIZES.keys() <= {*RUN}
    assert WRITTEN.keys() <= {*RUN, SCIKIT_LEARN, *COMMANDS_RUN}
    assert {*COMMANDS_RUN} <= {relative(page) for page in PAGES}


def test_every_page_about_another_tool_has_code_of_both():
    folder = ROOT / "docs" / "coming-from"
    assert {*COMING_FROM} == {*folder.glob("*.md")} - {folder / "index.md"}
    for page in COMING_FROM:
        assert any(
            block.kind.startswith("{code-block} ") and block.content.startswith(":caption: ")
            for block in blocks(page)
        ), page


@pytest.mark.parametrize("page", COMING_FROM, ids=relative)
def test_the_code_of_the_others_parses(page):
    for block in blocks(page, "{code-block} python"):
        options, _, code = block.content.partition("\n\n")
        assert options.startswith(":caption: ")
        ast.parse(code)


def ours(page):
    """The commands of `keras-tl` in the blocks of a page, without the first word."""
    for block in blocks(page, "sh", "console"):
        for program, *arguments in commands(block.content):
            if program == "keras-tl":
                yield arguments


@pytest.mark.parametrize("page", [page for page in PAGES if any(ours(page))], ids=relative)
def test_commands_have_only_options_and_values_that_exist(page):
    with click.Context(cli, info_name="keras-tl") as parent:
        for arguments in ours(page):
            command = cli if arguments[0].startswith("-") else cli.commands[arguments[0]]
            rest = arguments if command is cli else arguments[1:]
            with contextlib.suppress(click.exceptions.Exit):  # --help
                command.make_context(command.name, [*rest], parent=parent)


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_commands_in_sentences_have_only_options_that_exist(page):
    for code in inline(page):
        program, *words = code.split() or [""]
        if program != "keras-tl" or not words or words[0].isupper():
            continue
        command = cli if words[0].startswith("-") else cli.commands[words[0]]
        known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
        given = {word.split("=")[0] for word in words if word.startswith("--")}
        assert given <= known | {"--help", "--version"}, code


def test_scripts_in_blocks_exist_and_take_the_options():
    checked = 0
    for page in [*PAGES, *(ROOT / name / "README.md" for name in ("benchmarks", "recipes"))]:
        for block in blocks(page, "sh", "console"):
            for program, *arguments in commands(block.content):
                if program != "python" or not arguments[0].endswith(".py"):
                    continue
                source = source_of(ROOT / arguments[0])
                for option in (one for one in arguments if one.startswith("--")):
                    assert f'"{option}"' in source, f"{relative(page)}: {arguments[0]} {option}"
                    checked += 1
    assert checked


def source_of(script):
    """The source of a script, and of the modules beside it that it imports."""
    source = script.read_text("utf-8")
    names = [
        name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in (getattr(node, "module", None), *(alias.name for alias in node.names))
    ]
    files = [script.with_name(f"{name}.py") for name in names]
    return source + "".join(file.read_text("utf-8") for file in files if file.exists())


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return page_files.Site(tmp_path_factory.mktemp("site"))


@pytest.fixture
def empty_site(site, monkeypatch):
    """The site without the files of the last page, as working folder."""
    site.clear()
    monkeypatch.chdir(site.folder)
    # `compare` and `rank_backbones` often search for garbage. Let them skip older objects.
    gc.collect()
    gc.freeze()
    return site


@pytest.mark.slow
@pytest.mark.parametrize("name", RUN)
def test_the_code_runs(name, empty_site):
    with prepared(name, empty_site) as address:
        run_page(name, address)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in COMMANDS_RUN if name not in RUN])
def test_the_commands_run(name, empty_site):
    with prepared(name, empty_site) as address:
        run_page(name, address)


@pytest.mark.slow
def test_a_logistic_regression_becomes_the_head(empty_site):
    with prepared(SCIKIT_LEARN, empty_site) as address:
        names = run_page(SCIKIT_LEARN, address)
        learner, test = names["learner"], names["test"]
        expected = names["classifier"].predict_proba(learner.features(test))
        np.testing.assert_allclose(learner.predict(test).probabilities, expected, atol=1e-3)


@contextlib.contextmanager
def prepared(name, site):
    """Write the files of a page. Yield the address of a server."""
    code = "".join(block.content for block in blocks(ROOT / name, "python"))
    with contextlib.ExitStack() as stack:
        stack.enter_context(page_files.in_short(IMAGE_SIZES.get(name, page_files.IMAGE_SIZE)))
        stack.enter_context(without_verification())
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        if name == VERIFIED:
            patch.setattr(verification, "_SECONDS", 0.5)
        else:
            patch.setattr(verification, "verify", found_valid)
        site.add(page_files.write_files)
        if 'load("runs/photos"' in code.partition('save("runs/photos")')[0]:
            site.add(page_files.save_run)
        for write in SETUPS.get(name, ()):
            site.add(write)
        yield stack.enter_context(rest_server()) if SERVER in code else SERVER


def found_valid(path, *_):
    """The result of `verify` for a correct export, without the process that loads the export."""
    return verification.Verification(str(verification.version_folder(path)), ())


def run_page(name, address):
    """Run the blocks of a page in their order. Return the names that the code sets."""
    names = {"__name__": "__main__"}
    for block in blocks(ROOT / name, "python", "sh"):
        if block.kind == "python" and not block.not_run:
            exec(localised(block, address).code, names)
        elif block.kind == "sh" and name in COMMANDS_RUN:
            run_commands(block)
    assert [file for file in WRITTEN.get(name, ()) if not Path(file).exists()] == []
    return names


def localised(block, address):
    content = block.content.replace(SERVER, address)
    for name, local in LOCAL.items():
        content = content.replace(name, local)
    return dataclasses.replace(block, content=content)


def run_commands(block):
    for program, *arguments in commands(block.content):
        if program == "keras-tl":
            done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
            assert done.exit_code == 0, done.output

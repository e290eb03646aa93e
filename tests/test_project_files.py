"""Files about the project: versions, workflows, templates, package data."""

import configparser
import re
import subprocess
import sys
from datetime import date
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from packaging.version import Version

import keras_tl

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TARGETS = set(re.findall(r"^([a-z][\w-]*):", MAKEFILE, re.M))
SECTION = re.compile(r"^## \[([\d.]+)\] - (.+)$", re.M)


def name(path):
    return path.name


def text_of(name):
    return (ROOT / name).read_text("utf-8")


def read_yaml(path):
    # YAML 1.1 reads the key `on` as true.
    return yaml.safe_load(re.sub(r"^on:", '"on":', path.read_text("utf-8"), flags=re.M))


def setup_cfg():
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "setup.cfg", "utf-8")
    return parser


def citation():
    return yaml.safe_load(text_of("CITATION.cff"))


def jobs():
    for path in WORKFLOWS:
        for title, job in read_yaml(path)["jobs"].items():
            yield pytest.param(path.name, job, id=f"{path.stem}-{title}")


def test_the_newest_section_of_the_changelog_is_of_the_version():
    version = Version(keras_tl.__version__)
    newest, state = SECTION.search(text_of("CHANGELOG.md")).groups()
    assert newest == version.base_version
    assert (state == "Unreleased") == version.is_prerelease
    assert setup_cfg()["metadata"]["version"] == "attr: keras_tl.__version__"


def test_the_cited_version_is_in_the_changelog():
    sections, facts = dict(SECTION.findall(text_of("CHANGELOG.md"))), citation()
    version = facts["version"]
    assert version in sections
    assert f"version = {{{version}}}" in text_of("docs/cite.md")
    if not Version(keras_tl.__version__).is_prerelease:
        assert version == keras_tl.__version__
        assert facts["date-released"] == date.fromisoformat(sections[version])


def test_title_authors_and_licence_are_cited_as_in_setup_cfg():
    metadata, facts, page = setup_cfg()["metadata"], citation(), text_of("docs/cite.md")
    (author,) = facts["authors"]
    assert author["name"] == metadata["author"]
    assert f"author = {{{{{metadata['author']}}}}}" in page
    assert facts["license"] == metadata["license_expression"]
    assert f"license = {{{facts['license']}}}" in page
    assert facts["title"] in re.sub(r"(?<=[\s{])\{(\w+)\}", r"\1", page)


def test_the_changelog_keeps_its_form():
    text = text_of("CHANGELOG.md")
    versions = [Version(version) for version, _ in SECTION.findall(text)]
    assert versions == sorted(versions, reverse=True)
    assert set(re.findall(r"^### (.+)$", text, re.M)) <= {
        *("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
    }


def test_make_lists_its_targets_as_phony():
    assert set(re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.M)[1].split()) == TARGETS


@pytest.mark.parametrize(("file", "job"), list(jobs()))
def test_workflows_call_targets_of_make_that_exist(file, job):
    for step in job["steps"]:
        if "run" in step:
            program, target, *_ = step["run"].split()
            assert program == "make"
            assert target in TARGETS
            for variable in re.findall(r"(\w+)=", step["run"]):
                assert f"$({variable})" in MAKEFILE


@pytest.mark.parametrize(("file", "job"), list(jobs()))
def test_workflows_have_least_permissions_and_a_time_limit(file, job):
    publishes = file == "release.yml" and "environment" in job
    assert job.get("permissions") == ({"id-token": "write"} if publishes else None)
    assert job["timeout-minutes"] <= 360


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_workflows_may_only_read_and_run_once_for_a_branch(path):
    workflow = read_yaml(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert "github.ref" in workflow["concurrency"]["group"]


def test_actions_are_pinned_to_one_commit_with_its_version():
    pins = {}
    for path in WORKFLOWS:
        text = path.read_text("utf-8")
        found = re.findall(r"uses: ([\w/-]+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)$", text, re.M)
        assert len(found) == text.count("uses:"), path.name
        for action, pin in found:
            assert pins.setdefault(action, pin) == pin, action


def test_ci_tests_each_python_of_the_classifiers():
    metadata = setup_cfg()["metadata"]
    stated = re.findall(r"Python :: (\d\.\d+)", metadata["classifiers"])
    job = read_yaml(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["test"]
    assert job["strategy"]["matrix"]["python"] == stated
    assert setup_cfg()["options"]["python_requires"] == f">={stated[0]}"


def test_the_nightly_shares_are_all_tests():
    job = read_yaml(ROOT / ".github" / "workflows" / "nightly.yml")["jobs"]["test-full"]
    shares = job["strategy"]["matrix"]["share"]
    assert shares == list(range(1, len(shares) + 1))
    (command,) = (step["run"] for step in job["steps"] if "run" in step)
    assert command.endswith(f"/{len(shares)}")


def test_pre_commit_takes_its_versions_from_setup_cfg():
    """A hook of another repository would have a version of its own."""
    for repository in read_yaml(ROOT / ".pre-commit-config.yaml")["repos"]:
        assert repository["repo"] == "local"
        for hook in repository["hooks"]:
            assert hook["language"] == "system"
            assert hook["entry"].removeprefix("make ") in TARGETS


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("vendor.dependabot", [ROOT / ".github" / "dependabot.yml"]),
    ],
)
def test_files_for_github_match_their_schema(schema, files):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", [f for f in FORMS if f.name != "config.yml"], ids=name)
def test_issue_forms_can_be_filled_in(path):
    form = read_yaml(path)
    assert form.keys() == {"name", "description", "labels", "body"}
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert len({field["id"] for field in fields}) == len(fields)
    for field in fields:
        assert field["type"] in ("textarea", "input")
        assert field["attributes"]["label"]
    assert any(field.get("validations", {}).get("required") for field in fields)


def test_templates_name_targets_of_make():
    template = text_of(".github/pull_request_template.md")
    named = set(re.findall(r"`make ([\w-]+)`", template))
    assert named
    assert named <= TARGETS


def test_every_data_file_of_the_package_is_in_the_wheel():
    patterns = {
        f"{package.replace('.', '/')}/{pattern}"
        for package, value in setup_cfg()["options.package_data"].items()
        for pattern in value.split()
    }
    found = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "keras_tl").rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc") and path.name != ".DS_Store"
    ]
    assert found
    for file in found:
        assert any(fnmatch(file, pattern) for pattern in patterns), file


def test_every_folder_of_the_package_with_modules_is_a_package():
    for module in (ROOT / "keras_tl").rglob("*.py"):
        assert (module.parent / "__init__.py").is_file(), module

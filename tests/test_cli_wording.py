"""Errors of the command line speak of its options, not of arguments of Python."""

import ast
from pathlib import Path

import pytest

import keras_tl
from keras_tl.cli import cli
from keras_tl.cli.wording import SENTENCES, in_options
from keras_tl.errors import ConfigError, DataError

# The command, the message of Python, and that of the command line.
MESSAGES = {
    "flag": (
        "train",
        "Replace it with overwrite=True (--overwrite on the command line).",
        "Replace it with --overwrite.",
    ),
    "value": (
        "predict",
        "on_invalid='skip' (--on-invalid skip) leaves it out, and 'keep' marks it.",
        "--on-invalid skip leaves it out, and 'keep' marks it.",
    ),
    "value-without-one-in-the-option": (
        "train",
        'If each item has exactly one class, pass task="multiclass" (--task).',
        "If each item has exactly one class, pass --task multiclass.",
    ),
    "several-values": (
        "train",
        "If they are classes, pass classes=['a b', 'train'] (--class).",
        "If they are classes, pass --class 'a b' --class train.",
    ),
    "numbers": (
        "train",
        "Pass value_range=(0, 4095) (--value-range 0 4095).",
        "Pass --value-range 0 4095.",
    ),
    "names": (
        "evaluate",
        "Say it with text= (--text-column) and label=.",
        "Say it with --text-column and --label-column.",
    ),
    "option-of-the-command": (
        "train",
        "Add some or set validation_split=0. Leave groups= out, or pass weights='a.h5'.",
        "Add some or set --validation-split 0. Leave --groups out, or pass --weights a.h5.",
    ),
    "small-number": (
        "train",
        "fine_tune(learning_rate=2e-05), or learning_rate=2e-05.",
        "fine_tune(learning_rate=2e-05), or --learning-rate 2e-05.",
    ),
    "placeholder": ("train", "Pass weights=PATH.", "Pass --weights PATH."),
    "column-of-splits": ("evaluate", "Leave split= out.", "Leave --split-column out."),
    "option-of-another-name": (
        "export",
        "format='onnx' writes one file. Leave serving= out.",
        "--format onnx writes one file. Leave --serving out.",
    ),
    "no-such-option": (
        "predict",
        "Give max_bad=0.1, groups=None, or a smaller batch_size=.",
        "Give max_bad=0.1, groups=None, or a smaller batch_size=.",
    ),
    "no-value-for-it": ("train", "Leave weights=None.", "Leave weights=None."),
    "a-call": (
        "calibrate",
        "The task regression has none. Call evaluate(): the result has an interval.",
        "The task regression has none. Run keras-tl evaluate: the result has an interval.",
    ),
    "a-call-with-a-value": (
        "rank",
        "Name the encoders, for example ktl.rank_backbones(data, ['kerashub:tiny']).",
        "Name the encoders, for example keras-tl rank 'kerashub:tiny' with the same --data.",
    ),
    "an-export": (
        "verify",
        "Write an export: learner.export('models/a b'), or keras-tl export on the command line.",
        "Write an export: keras-tl export with --out 'models/a b'.",
    ),
    "an-export-again": (
        "verify",
        "It is damaged. Export the model again: learner.export('photos').",
        "It is damaged. Export the model again: keras-tl export with --out 'photos'.",
    ),
    "the-rate-of-a-command-without-rates": (
        "evaluate",
        "Train a new Learner with a lower learning_rate= (lr_find() suggests a value), or with "
        "precision='float32'.",
        "Run keras-tl train with a lower --learning-rate or --head-learning-rate, or with "
        "--precision float32.",
    ),
    "a-path": ("train", "No file 'a=b/split=0.5/x.png'.", "No file 'a=b/split=0.5/x.png'."),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_options_stand_for_arguments(name):
    command, message, expected = MESSAGES[name]
    assert in_options(message, cli.commands[command]) == expected


def texts_of(path):
    """All texts of a module, with `{}` for values."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                getattr(part, "value", "{}") if isinstance(part, ast.Constant) else "{}"
                for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_every_translated_sentence_is_one_of_a_message():
    root = Path(keras_tl.__file__).parent
    own = root / "cli" / "wording.py"
    said = [text for path in root.rglob("*.py") if path != own for text in texts_of(path)]
    assert [one for one in SENTENCES if not any(one in text for text in said)] == []


def call(*arguments):
    cli.main([*map(str, arguments)], standalone_mode=False)


def test_what_is_there_is_replaced_by_the_option(tmp_path):
    (tmp_path / "report.html").touch()
    with pytest.raises(ConfigError) as caught:
        call("report", tmp_path / "run", "--out", tmp_path / "report.html")
    assert "replace the existing files with --overwrite." in str(caught.value)
    assert "overwrite=" not in str(caught.value)


def test_a_folder_of_images_elsewhere_is_an_option(tmp_path):
    (tmp_path / "t.csv").write_text("path,label\na.png,x\nb.png,y\n")
    with pytest.raises(DataError, match=r"pass that folder as --root\.$"):
        call("train", "--data", f"csv:{tmp_path / 't.csv'}", "--check")


def test_errors_of_the_data_name_the_option(tmp_path):
    (tmp_path / "t.csv").write_text("text,class\na,x\nb,y\n")
    with pytest.raises(DataError, match=r"no column 'label'.*with --text-column and --label-col"):
        call("train", "--data", f"csv:{tmp_path / 't.csv'}", "--check")

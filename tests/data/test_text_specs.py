"""A source of the command line says itself whether it holds images or texts."""

import json

import pytest
from PIL import Image

from keras_tl import ImageData, TextData
from keras_tl.base.files import write_checksums, write_json
from keras_tl.cli import cli
from keras_tl.data import specs
from keras_tl.errors import ConfigError, DataError

ROWS = "".join(f"text {n},photos/{n % 2}/{n}.jpg,{'yn'[n % 2]},other {n}\n" for n in range(24))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Folders of texts, of photos, of both, and tables of them."""
    tmp_path = tmp_path_factory.mktemp("place")
    for number in range(24):
        for folder, suffixes in {
            "texts": ["txt"],
            "photos": ["jpg"],
            "captioned": ["jpg", "txt"],
        }.items():
            for suffix in suffixes:
                path = tmp_path / folder / str(number % 2) / f"{number}.{suffix}"
                path.parent.mkdir(parents=True, exist_ok=True)
                if suffix == "txt":
                    path.write_text(f"text {number}")
                else:
                    Image.new("RGB", (8, 8), (10 * number, 0, 200)).save(path)
    for name, header in {
        "texts.csv": "text,file,label,second",
        "photos.csv": "title,path,label,second",
        "both.csv": "text,path,label,second",
        "own.csv": "review,file,label,second",
    }.items():
        (tmp_path / name).write_text(f"{header}\n{ROWS}")
    (tmp_path / "texts.tsv").write_text(f"text,file,label,second\n{ROWS}".replace(",", "\t"))
    for encoding in ("utf-16", "utf-16-be", "utf-16-le"):
        mark = "" if encoding == "utf-16" else "\ufeff"
        for name in ("texts", "photos"):
            table = f"{mark}{(tmp_path / f'{name}.csv').read_text()}".replace(",", "\t")
            (tmp_path / f"{name}-{encoding}.txt").write_text(table, encoding)
    lines = [json.dumps({"text": f"t{n}", "review": f"r{n}", "label": n % 2}) for n in range(24)]
    (tmp_path / "texts.jsonl").write_text("\n".join(lines))
    return tmp_path


# The specification, options, what it holds, and the settings that are recorded, among others.
SPECS = {
    "folder-of-texts": ("folder:{}/texts", {}, TextData, {}),
    "folder-of-photos": ("folder:{}/photos", {}, ImageData, {}),
    "folder-of-both": ("folder:{}/captioned", {}, ImageData, {}),
    "texts": ("csv:{}/texts.csv", {}, TextData, {"text": "text", "text_pair": None}),
    "photos": ("csv:{}/photos.csv", {}, ImageData, {"image": "path"}),
    # As Excel writes "Unicode Text": a byte order mark, tabs.
    "texts-utf-16": ("csv:{}/texts-utf-16.txt", {}, TextData, {"text": "text"}),
    "texts-utf-16-be": ("csv:{}/texts-utf-16-be.txt", {}, TextData, {"text": "text"}),
    "photos-utf-16-le": ("csv:{}/photos-utf-16-le.txt", {}, ImageData, {"image": "path"}),
    "both": ("csv:{}/both.csv", {}, ImageData, {"image": "path"}),
    "both-as-texts": ("csv:{}/both.csv", {"text": "text"}, TextData, {"text": "text"}),
    "own": ("csv:{}/own.csv", {"text": "review"}, TextData, {"text": "review"}),
    "own-photos": ("csv:{}/own.csv", {"image": "file"}, ImageData, {"image": "file"}),
    "pair": (
        "csv:{}/texts.csv",
        {"text_pair": "second"},
        TextData,
        {"text": "text", "text_pair": "second"},
    ),
    "tsv": ("csv:{}/texts.tsv", {}, TextData, {"text": "text"}),
    "json": ("csv:{}/texts.jsonl", {}, TextData, {"text": "text"}),
    "json-own": ("csv:{}/texts.jsonl", {"text": "review"}, TextData, {"text": "review"}),
    "length": ("csv:{}/texts.csv", {"sequence_length": 64}, TextData, {}),
}


@pytest.mark.parametrize("name", SPECS)
def test_a_source_says_what_it_holds_and_is_read_again_as_recorded(place, name):
    spec, options, expected, settings = SPECS[name]
    spec = spec.replace("{}", str(place))
    data = specs.load_spec(spec, seed=3, max_bad=0.1, **options)
    assert type(data) is expected
    assert data.source_settings.items() >= ({"kind": spec.partition(":")[0]} | settings).items()
    recorded = json.loads(json.dumps(data.describe()))
    options = {key: recorded[key] for key in ("resize", "sequence_length") if recorded.get(key)}
    again = specs.load_spec(
        spec, recorded["source_settings"], **options, **recorded["split_settings"]
    )
    assert again.describe() == data.describe()


def test_what_was_recorded_of_the_other_kind_of_data_does_not_count(place):
    photos = specs.load_spec(f"csv:{place}/both.csv", label="label")
    assert type(specs.load_spec(f"csv:{place}/both.csv", photos.source_settings)) is ImageData
    texts = specs.load_spec(f"csv:{place}/both.csv", photos.source_settings, text="text")
    assert texts.splits["train"].texts[0].startswith("text ")
    photos = specs.load_spec(f"csv:{place}/both.csv", texts.source_settings, image="path")
    assert photos.source_settings["image"] == "path"


ERRORS = {
    "neither": (
        "csv:{}/own.csv",
        {},
        r"own.csv' has no column 'path' \(of images\) and no column 'text'. It has: 'review', "
        r"'file', 'label', 'second'. Name .*--image-column.*--text-column",
    ),
    "two": (
        "csv:{}/both.csv",
        {"image": "path", "text": "text"},
        r"image=.*and text=.*Pass only one",
    ),
    "resize": (
        "csv:{}/texts.csv",
        {"resize": "pad"},
        r"resize= \(--resize\) is for images, but 'csv:.*' holds texts. Leave the option out",
    ),
    "root": (
        "csv:{}/texts.csv",
        {"root": "x"},
        r"root= \(--root\) is for images, but 'csv:.*' holds texts",
    ),
    "root-of-titles": (
        "csv:{}/photos.csv",
        {"text": "title", "root": "x"},
        r"root= \(--root\) is for images",
    ),
    "length": (
        "folder:{}/photos",
        {"sequence_length": 64},
        r"sequence_length= \(--sequence-length\) is for texts, but 'folder:.*' holds images",
    ),
    "length-digits": ("digits", {"sequence_length": 64}, r"'digits' holds images"),
    "folder-column": (
        "folder:{}/texts",
        {"text": "text"},
        r"text= \(--text-column\) is for csv:PATH and tfds:NAME, not for folder:PATH",
    ),
    "missing-json": ("csv:{}/no.jsonl", {}, r"Cannot read the table '.*no.jsonl': No such file"),
    "empty": ("csv:{}/empty.csv", {}, r"empty.csv' is empty"),
    "empty-folder": ("folder:{}/none", {}, r"at least two class folders"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_a_specification_that_cannot_be_used_is_explained(place, name):
    (place / "empty.csv").touch()
    (place / "none").mkdir(exist_ok=True)
    spec, options, message = ERRORS[name]
    with pytest.raises((ConfigError, DataError), match=message) as caught:
        specs.load_spec(spec.replace("{}", str(place)), **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_options_of_the_command_line_reach_the_source(tmp_path, monkeypatch, command):
    calls = []

    def see(place, **options):
        calls.append(options)
        raise DataError("enough seen")

    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    source = specs.SourceKind("PATH", images=None, texts=see, takes=frozenset(specs.FLAGS))
    monkeypatch.setitem(specs.SOURCES, "seen", source)
    data = {
        "sequence_length": 64,
        "is_pair": True,
        "task": "regression",
        "split_settings": {"seed": 5},
        "source_settings": {"kind": "seen", "text": "earlier", "separator": ";"},
    }
    run = tmp_path / "run"
    run.mkdir()
    write_json(run / "run.json", {"data": data})
    write_checksums(run)
    own = {"train": ["--split-seed", "5", "--out", str(tmp_path / "new")], "evaluate": [str(run)]}
    columns = ["--text-column", "a", "--text-pair-column", "b"]
    with pytest.raises(DataError, match="enough seen"):
        cli.main([command, *own[command], "--data", "seen:t.csv", *columns], standalone_mode=False)
    (options,) = calls
    assert (options["text"], options["text_pair"], options["seed"]) == ("a", "b", 5)
    assert "resize" not in options
    if command == "evaluate":
        assert options["separator"] == ";"
        assert options["task"] == "regression"
        assert options["sequence_length"] == 64


@pytest.mark.parametrize("held", [TextData, ImageData])
def test_options_of_earlier_data_of_the_other_kind_do_not_count(place, held):
    spec = f"folder:{place / ('texts' if held is TextData else 'photos')}"
    defaults = {"resize": "pad", "check_files": False, "sequence_length": 64, "seed": 3}
    data = specs.load_spec(spec, None, defaults, verbose=False)
    assert type(data) is held
    assert data.split_settings["seed"] == 3
    own = {TextData: ("sequence_length", 64), ImageData: ("resize", "pad")}
    assert getattr(data, own[held][0]) == own[held][1]
    given = {own[held][0]: 32 if held is TextData else "stretch"}
    again = specs.load_spec(spec, None, defaults, verbose=False, **given)
    assert getattr(again, own[held][0]) == given[own[held][0]]

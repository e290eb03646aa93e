"""The pass over the files: what it leaves out and why, what it keeps, and what it remembers."""

import functools
import hashlib
import io
import json
import os
import re
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import keras_tl as ktl
from keras_tl.base.files import cache_root
from keras_tl.data.images.file_check import BadFile, FileCheck, check_files
from keras_tl.data.images.file_check_cache import FileCheckCache, FileResult
from keras_tl.data.images.image_inputs import read_inputs
from keras_tl.data.images.image_issues import MOST_PIXELS
from keras_tl.data.images.image_pipeline import read_image
from keras_tl.errors import ConfigError, DataError
from tests.conftest import make_small_learner
from tests.data.images.test_jpeg import photo

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"

RGB = Image.fromarray(photo(120, 90))
GREY, PALETTE, OTHER = RGB.convert("L"), RGB.quantize(64), Image.fromarray(photo(120, 90, seed=1))
RGBA = RGB.copy()
RGBA.putalpha(GREY)
FLAT = Image.new("RGB", (300, 200), (255, 255, 255))
NOISE = np.random.default_rng(0).integers(0, 256, (90, 120, 3))
SIXTEEN_BITS = Image.fromarray((NOISE[..., 0] * 257).astype(np.uint16))


def encode(image, file_format, **options):
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def with_exif(content, payload):
    return content[:2] + b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload + content[2:]


JPEG = encode(RGB, "JPEG")
FORMATS = {
    "jpeg": JPEG,
    "jpeg-progressive": encode(RGB, "JPEG", progressive=True),
    "png": encode(RGB, "PNG"),
    "gif": encode(PALETTE, "GIF"),
    "bmp": encode(RGB, "BMP"),
    "webp": encode(RGB, "WebP"),
    "webp-lossless": encode(RGB, "WebP", lossless=True),
}
animated = functools.partial(encode, save_all=True)
GOOD = FORMATS | {
    "jpeg-grey": encode(GREY, "JPEG"),
    "jpeg-cmyk": encode(RGB.convert("CMYK"), "JPEG"),
    "jpeg-optimised": encode(RGB, "JPEG", optimize=True),
    "jpeg-noise": encode(Image.fromarray(NOISE.astype(np.uint8)), "JPEG", quality=95),
    "jpeg-flat": encode(FLAT, "JPEG", optimize=True),
    "jpeg-flat-grey": encode(FLAT.convert("L"), "JPEG", optimize=True),
    "jpeg-flat-progressive": encode(FLAT, "JPEG", progressive=True),
    "jpeg-large-and-flat": encode(FLAT.resize((4000, 3000)), "JPEG", optimize=True),
    "jpeg-restarts": encode(RGB, "JPEG", restart_marker_rows=1),
    "jpeg-bytes-behind": JPEG + b"written by a phone" * 9,
    "jpeg-zeros-behind": JPEG + bytes(5000),
    "jpeg-second-image-behind": JPEG + encode(OTHER, "JPEG"),
    "jpeg-zeros-in-exif": with_exif(JPEG, b"Exif\x00\x00II*\x00\x08\x00\x00\x00" + bytes(6000)),
    "jpeg-thumbnail-in-exif": with_exif(JPEG, b"Exif\x00\x00MM\x00*" + bytes(9) + JPEG[:900]),
    "jpeg-filling-bytes": JPEG[:2] + b"\xff" * 9 + JPEG[2:],
    "jpeg-comment-of-zeros": JPEG[:2] + b"\xff\xfe\x10\x00" + bytes(4094) + JPEG[2:],
    "mpo-of-a-phone": animated(RGB, "MPO", append_images=[OTHER]),
    "png-alpha": encode(RGBA, "PNG"),
    "png-grey": encode(GREY, "PNG"),
    "png-grey-alpha": encode(RGBA.convert("LA"), "PNG"),
    "png-palette": encode(PALETTE, "PNG"),
    "png-palette-transparent": encode(PALETTE, "PNG", transparency=3),
    "png-1-bit": encode(GREY.convert("1"), "PNG"),
    "png-16-bits": encode(SIXTEEN_BITS, "PNG"),
    "png-black": encode(Image.new("RGB", (500, 400)), "PNG"),
    "png-stored-zeros": encode(Image.new("RGB", (500, 400)), "PNG", compress_level=0),
    "png-animated": animated(RGB, "PNG", append_images=[OTHER]),
    "bmp-palette": encode(PALETTE, "BMP"),
    "bmp-alpha": encode(RGBA, "BMP"),
    "bmp-black": encode(Image.new("RGB", (300, 200)), "BMP"),
    "gif-animated": animated(PALETTE, "GIF", append_images=[OTHER.quantize(64)]),
    "gif-without-its-last-byte": FORMATS["gif"][:-1],
    "webp-alpha": encode(RGBA, "WebP"),
    "webp-animated": animated(RGB, "WebP", append_images=[OTHER]),
    "webp-large-and-flat": encode(FLAT.resize((3000, 2000)), "WebP", quality=100, method=2),
    "one-pixel-jpeg": encode(RGB.resize((1, 1)), "JPEG"),
    "one-pixel-png": encode(RGB.resize((1, 1)), "PNG"),
    "one-pixel-gif": encode(RGB.resize((1, 1)).quantize(2), "GIF"),
    "one-pixel-bmp": encode(RGB.resize((1, 1)), "BMP"),
    "one-pixel-webp": encode(RGB.resize((1, 1)), "WebP"),
    "wide": encode(RGB.resize((9000, 1)), "JPEG"),
    "high": encode(RGB.resize((2, 9000)), "PNG"),
}


def sized(name, width, height):
    """The file with another size in its header."""
    content = FORMATS[name]
    if name.startswith("jpeg"):
        frame = content.index(b"\xff\xc2" if "progressive" in name else b"\xff\xc0")
        return content[: frame + 5] + struct.pack(">HH", height, width) + content[frame + 9 :]
    at, pattern = {"png": (16, ">II"), "gif": (6, "<HH"), "bmp": (18, "<ii")}[name]
    changed = struct.pack(pattern, width, height)
    return content[:at] + changed + content[at + len(changed) :]


def zeroed(content, share=0.5, length=700):
    start = int(len(content) * share)
    return content[:start] + bytes(length) + content[start + length :]


def inner_gif(content, width, height):
    """A GIF file whose only frame is larger than the file says it is."""
    at = content.index(b",", 13 + 3 * 64)
    return content[: at + 5] + struct.pack("<HH", width, height) + content[at + 9 :]


HUGE = f"more than the limit of {MOST_PIXELS // 10**6} megapixels"
# Name: content, reason.
BAD = {
    f"{name}-half": (content[: len(content) // 2], "truncated") for name, content in FORMATS.items()
}
BAD |= {
    f"{name}-without-the-last-50-bytes": (content[:-50], "truncated")
    for name, content in FORMATS.items()
}
BAD |= {f"{name}-40-bytes": (content[:40], "truncated") for name, content in FORMATS.items()}
BAD |= {
    f"{name}-zeros-inside": (zeroed(FORMATS[name]), "damaged")
    for name in ("jpeg", "jpeg-progressive", "png", "gif")
}
BAD |= {
    f"{name}-huge": (sized(name, 60_000, 50_000), rf"too large: 60,000 x 50,000 pixels, {HUGE}")
    for name in ("jpeg", "jpeg-progressive", "png", "gif", "bmp")
}
BAD |= {
    "empty": (b"", r"empty \(0 bytes\)"),
    "one-byte": (b"\xff", "not an image: the file begins with the bytes ff"),
    "zeros": (bytes(3000), "not an image: zeros"),
    "png-larger-than-any": (sized("png", 2**31 - 1, 2**31 - 1), "too large: 2,147,483,647 x"),
    "gif-huge-frame": (inner_gif(FORMATS["gif"], 65_535, 65_535), "too large: 65,535 x 65,535"),
    "bmp-upside-down-huge": (sized("bmp", 60_000, -50_000), "too large: 60,000 x 50,000"),
    "png-one-bit-wrong": (zeroed(FORMATS["png"], length=1), "truncated or damaged PNG"),
    "bmp-1-bit": (encode(GREY.convert("1"), "BMP"), "unsupported BMP: 1-bit pixels, convert"),
    "jpeg-tables-only": (JPEG[:300], "truncated"),
    "jpeg-filled-up-with-zeros": (JPEG[: len(JPEG) // 2] + bytes(9000), "truncated JPEG"),
    "jpeg-zeros-in-the-tables": (zeroed(JPEG, 0, 0)[:200] + bytes(300) + JPEG[500:], "damaged"),
    "html": (b"\n<!DOCTYPE html><title>404</title>" * 9, "not an image: an HTML page"),
    "text": ("Größe: keine Angabe".encode() * 9, "not an image: text that begins with 'Größe: kei"),
    "binary": (
        b"\x01\x80\x02\xff" * 30,
        "not an image: the file begins with the bytes 01 80 02 ff",
    ),
    "pdf": (b"%PDF-1.7 and so on", "not an image: a PDF document"),
    "zip": (b"PK\x03\x04" + bytes(99), "not an image: a ZIP archive"),
    "video": (b"\x00\x00\x00\x18ftypmp42" + bytes(99), "not an image: a video"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\n", "not an image: a Git LFS pointer"),
    "heic": (b"\x00\x00\x00\x18ftypheic" + bytes(99), "another format: HEIC image, convert it"),
    "avif": (b"\x00\x00\x00\x18ftypavif" + bytes(99), "another format: AVIF image, convert it"),
    "tiff": (encode(RGB, "TIFF"), "another format: TIFF image, convert it to JPEG or PNG"),
    "jpeg-2000": (encode(RGB, "JPEG2000"), "another format: JPEG 2000 image"),
    "dicom": (bytes(128) + b"DICM" + bytes(99), "another format: DICOM image, convert it"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "another format: SVG image"),
}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_TL_CACHE", str(tmp_path / "cache"))


def write(folder, contents):
    """Writes files, and gives their paths."""
    folder.mkdir(exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [str(folder / name) for name in contents]


def reasons(check):
    return {Path(file.path).name: file.reason for file in check.bad}


@pytest.fixture(scope="module")
def checked_bad(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_TL_CACHE", str(tmp_path_factory.mktemp("cache")))
        paths = write(
            tmp_path_factory.mktemp("bad"), {n: content for n, (content, _) in BAD.items()}
        )
        return reasons(check_files(paths, max_bad=1))


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_found_with_its_reason(name, checked_bad):
    assert re.search(BAD[name][1], checked_bad.get(name, "nothing found"))


@pytest.mark.parametrize("name", BAD)
def test_one_file_that_is_asked_about_gets_the_same_reason(name, checked_bad, tmp_path):
    (path,) = write(tmp_path / "asked", {name: BAD[name][0]})
    for asked in (read_inputs(path), read_inputs(BAD[name][0])):
        assert asked.why(0) == checked_bad[name]
        assert f": {checked_bad[name]}. Expected a JPEG, PNG, BMP, GIF" in asked.reason(0)


def test_no_good_file_is_dropped(tmp_path):
    paths = write(tmp_path / "good", GOOD)
    check = check_files(paths, np.arange(len(paths)) * 0, max_bad=0)
    assert check.bad == ()
    assert check.checked == len(GOOD)
    for path in paths:
        read_image(Path(path).read_bytes(), path, (8, 8), "crop")


@pytest.mark.parametrize("pattern", ["cifar10-mini/*/*/*", "imagenet-check/*.JPEG"])
def test_the_check_photos_are_good(pattern):
    paths = sorted(map(str, DATA.glob(pattern)))
    if not paths:
        pytest.skip(f"no check photos at {os.path.relpath(DATA / pattern)}")
    assert check_files(paths, max_bad=0).bad == ()


BREAKING = {
    "empty (0 bytes)": lambda content: b"",
    "truncated JPEG": lambda content: content[: len(content) * 2 // 3],
    "damaged JPEG": lambda content: content[:640] + bytes(128) + content[768:],
    "not an image": lambda content: b"<html>No such page</html>",
    "too large": lambda content: content.replace(b"\x08\x00\x20\x00\x20", b"\x08\xff\x00\xff\x00"),
    # The content of another file that breaks so, in the other class.
    "two labels": None,
}


@pytest.mark.slow
def test_of_2000_thumbnails_the_broken_ones_are_named_and_training_uses_all_others(tmp_path):
    coarse = np.random.default_rng(0).integers(0, 256, (2000, 4, 4, 3)).astype(np.uint8)
    images = [Image.fromarray(pixels).resize((32, 32)) for pixels in coarse]
    contents = {f"{row:04}.jpg": encode(image, "JPEG") for row, image in enumerate(images)}
    kinds, dogs = {}, {name for name in contents if int(name[:4]) % 2}
    for number, name in enumerate([*contents][13::20]):
        kinds[name] = [*BREAKING][number % len(BREAKING)]
        if kinds[name] != "two labels":
            contents[name] = BREAKING[kinds[name]](contents[name])
    copies = [name for name, kind in kinds.items() if kind == "two labels"]
    for one, other in zip(copies[::2], copies[1::2], strict=True):
        contents[other] = contents[one]
        dogs -= {one}
        dogs |= {other}
    for label, names in (("dog", dogs), ("cat", contents.keys() - dogs)):
        (tmp_path / "photos").mkdir(exist_ok=True)
        write(tmp_path / "photos" / label, {name: contents[name] for name in names})

    data = ktl.ImageData.from_folder(tmp_path / "photos", image_size=32)
    assert len(data.checked.bad) == 100
    assert {Path(file.path).name: file.kind for file in data.checked.bad} == kinds
    used = [Path(path).name for split in data.splits.values() for path in split.images]
    assert sorted(used) == sorted(contents.keys() - kinds.keys())

    learner = make_small_learner(data)
    learner.fit_head(1)
    learner.fine_tune(1)
    assert learner.evaluate()["items"] == len(data.split("test")) > 0


def test_the_share_of_bad_files_has_a_limit(tmp_path):
    contents = {f"{n}.jpg": encode(Image.fromarray(photo(9, 9, n)), "JPEG") for n in range(91)}
    paths = write(tmp_path / "photos", contents | {f"bad{n}.jpg": b"" for n in range(9)})
    assert len(check_files(paths, max_bad=0.09).bad) == 9
    with pytest.raises(DataError) as caught:
        check_files(paths)
    message = str(caught.value)
    assert "at most 5.0% unusable files" in message
    assert "found 9 of 100 (9.0%)" in message
    assert f"{paths[91]}: empty (0 bytes)" in message
    assert "and 4 more. Repair or remove these files, or raise max_bad" in message
    for wrong in (-0.1, 1.5, "all"):
        with pytest.raises(ConfigError, match="max_bad"):
            check_files(paths, max_bad=wrong)


def test_no_files_are_no_bad_files():
    assert check_files([]).checked == 0


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    """Three files of one content and one of another, and a cache that knows them after a check."""
    contents = {"a": JPEG, "b": JPEG, "c": FORMATS["png"], "d": JPEG}
    folder = tmp_path_factory.mktemp("copies")
    return write(folder / "photos", contents), folder / "cache"


@pytest.fixture
def other_labels(copies, cache, monkeypatch):
    """Gives the reasons for these files, and their folder."""
    paths, known = copies
    monkeypatch.setenv("KERAS_TL_CACHE", str(known))

    def check(labels, names):
        return reasons(check_files(paths, labels, names, max_bad=1)), Path(paths[0]).parent

    return check


ONE_OF_THEM = [
    (np.array([0, 0, 1, 1]), ["cat", "dog"], "dog", "cat"),
    (np.array([0, 0, 1, 1]), None, "1", "0"),
    (np.array([0.5, 0.5, 0, 2]), None, "2.0", "0.5"),
    (np.array([[1, 0], [1, 0], [0, 0], [1, 1]], np.float32), ["x", "y"], "x, y", "x"),
    (np.array([[0, 0], [0, 0], [1, 0], [1, 0]], np.float32), ["x", "y"], "x", "none"),
]


@pytest.mark.parametrize(("labels", "names", "of_d", "of_a"), ONE_OF_THEM)
def test_all_copies_under_two_labels_are_bad(labels, names, of_d, of_a, other_labels):
    found, folder = other_labels(labels, names)
    copy = "two labels: same content as {}, which has the label {!r}".format
    assert found == {
        "a": copy(folder / "d", of_d),
        "b": copy(folder / "d", of_d),
        "d": copy(folder / "a", of_a),
    }


@pytest.mark.parametrize("labels", [None, np.array([1, 1, 0, 1]), np.array([0.0, -0.0, 1.0, 0.0])])
def test_copies_under_one_label_are_good(labels, other_labels):
    assert other_labels(labels, None)[0] == {}


def test_a_path_that_is_listed_twice(tmp_path):
    (path, other) = write(tmp_path / "photos", {"a": JPEG, "b": FORMATS["png"]})
    check = check_files([path, other, path], np.array([0, 0, 1]), ["cat", "dog"], max_bad=1)
    assert check.checked == 2
    reason = "two labels: the file is listed as 'cat' and as 'dog'"
    assert check.bad == (BadFile(path, reason),)
    assert check_files([path, other, path], np.array([0, 1, 0]), max_bad=0).bad == ()


def test_what_is_no_file(tmp_path):
    write(tmp_path / "photos", {"good.jpg": JPEG})
    os.mkfifo(tmp_path / "photos" / "pipe.jpg")
    (tmp_path / "photos" / "folder.jpg").mkdir()
    names = ["good.jpg", "pipe.jpg", "folder.jpg", "gone.jpg", "good.jpg/inside.jpg"]
    check = check_files([str(tmp_path / "photos" / name) for name in names], max_bad=1)
    assert [(os.path.relpath(f.path, tmp_path / "photos"), f.reason) for f in check.bad] == [
        ("pipe.jpg", "cannot be read: not a file"),
        ("folder.jpg", "cannot be read: not a file"),
        ("gone.jpg", "missing"),
        ("good.jpg/inside.jpg", "cannot be read: Not a directory"),
    ]


def test_a_file_that_may_not_be_read_is_asked_again(tmp_path, monkeypatch):
    (path,) = write(tmp_path / "photos", {"a.jpg": JPEG})
    with monkeypatch.context() as patch:
        patch.setattr("builtins.open", refuse)
        check = check_files([path], max_bad=1)
    assert check.bad == (BadFile(path, "cannot be read: Permission denied"),)
    check = check_files([path])
    assert (check.bad, check.from_cache) == ((), 0)


def refuse(*_, **__):
    raise PermissionError(13, "Permission denied")


def test_names_that_are_not_utf8(tmp_path):
    folder = os.fsencode(tmp_path / "photos")
    os.mkdir(folder)
    for name, content in ((b"gr\xfcn.jpg", JPEG), (b"rot\xff.jpg", b"")):
        Path(os.fsdecode(os.path.join(folder, name))).write_bytes(content)
    paths = [os.path.join(os.fsdecode(folder), name) for name in os.listdir(os.fsdecode(folder))]
    for known in (0, 2):
        check = check_files(paths, max_bad=1)
        assert len(check.bad) == 1
        assert check.from_cache == known


def test_the_report_names_each_file_and_counts_the_kinds():
    bad = (
        BadFile("a.jpg", "two labels: same content as b.jpg, which has the label 'dog'"),
        BadFile("b.jpg", "two labels: same content as a.jpg, which has the label 'cat'"),
        BadFile("c.jpg", "empty (0 bytes)"),
    )
    check = FileCheck(2000, bad, 1.25, 100)
    assert check.describe().splitlines() == [
        "3 of 2,000 files are left out (checked in 1.2 s, 100 results from the cache).",
        "     2  two labels",
        "     1  empty (0 bytes)",
        *(f"{file.path}: {file.reason}" for file in bad),
    ]
    assert FileCheck(9, (), 0).describe().startswith("All 9 files can be used")
    assert check.to_json() == {
        "checked": 2000,
        "bad": [{"path": file.path, "reason": file.reason} for file in bad],
        "seconds": 1.25,
        "from_cache": 100,
        "unused": None,
        "values": None,
    }


def test_progress_counts_up_to_all_files(tmp_path):
    contents = {f"{n}.jpg": JPEG + b"%d" % n for n in range(200)} | {"bad.jpg": b""}
    paths, seen = write(tmp_path / "photos", contents), []
    check_files(paths[:50], progress=seen.append)
    assert seen[-1] == 50
    seen.clear()
    check_files(paths, progress=seen.append)
    assert seen == sorted(seen)
    assert (seen[0] >= 50, seen[-1]) == (True, 201)


def rewrite(path, content):
    """Other content of the same length, a second later."""
    stat = os.stat(path)
    Path(path).write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 10**9))


def test_only_files_that_changed_are_read_again(tmp_path):
    paths = write(tmp_path / "photos", {f"{n}.jpg": JPEG + b"%d" % n for n in range(9)})
    assert check_files(paths).from_cache == 0
    again = check_files(paths)
    assert (again.checked, again.from_cache, again.bad) == (9, 9, ())
    rewrite(paths[3], zeroed(Path(paths[3]).read_bytes()))
    changed = check_files(paths, max_bad=1)
    assert (changed.from_cache, [file.path for file in changed.bad]) == (8, [paths[3]])
    assert check_files(paths, max_bad=1).bad == changed.bad
    Path(paths[3]).write_bytes(JPEG)
    assert check_files(paths).bad == ()
    # Two parts of one folder, one after the other, do not forget each other.
    assert check_files(paths[:4]).from_cache == check_files(paths[4:]).from_cache - 1 == 4


def test_labels_are_compared_though_nothing_is_read(tmp_path):
    paths = write(tmp_path / "photos", {"a": JPEG, "b": JPEG})
    assert check_files(paths, np.array([0, 0])).bad == ()
    check = check_files(paths, np.array([0, 1]), max_bad=1)
    assert (len(check.bad), check.from_cache) == (2, 2)


def test_files_that_have_gone_are_forgotten(tmp_path):
    paths = write(tmp_path / "photos", {f"{n}.jpg": JPEG + b"%d" % n for n in range(9)})
    check_files(paths)
    os.remove(paths[0])
    rewrite(paths[1], JPEG + b"x")
    check_files(paths[1:])
    (file,) = (cache_root() / "checks").iterdir()
    assert b"0.jpg" not in file.read_bytes()
    assert b"8.jpg" in file.read_bytes()


def test_the_oldest_of_many_folders_is_forgotten(tmp_path):
    (cache_root() / "checks").mkdir(parents=True, exist_ok=True)
    for number in range(110):
        file = cache_root() / "checks" / f"{number}.json"
        file.touch()
        os.utime(file, (number, number))
    path = str(tmp_path / "a.jpg")
    FileCheckCache([path]).add({path: FileResult(1, 2)})
    kept = {file.name for file in (cache_root() / "checks").iterdir()}
    assert len(kept) == 100
    assert {f"{number}.json" for number in range(11, 110)} < kept


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "other-version"])
def test_a_damaged_cache_is_not_used(damage, tmp_path):
    paths = write(tmp_path / "photos", {"a": JPEG, "b": b""})
    expected = check_files(paths, max_bad=1).bad
    (file,) = (cache_root() / "checks").iterdir()
    content = file.read_bytes()
    cached = json.loads(content.split(b"\n", 1)[1])
    cached["made_by"][0] -= 1
    text = json.dumps(cached).encode()
    damaged = {
        "cut": content[:-9],
        "changed": content.replace(b"empty", b"small"),
        "empty": b"",
        "other-version": hashlib.sha256(text).hexdigest().encode() + b"\n" + text,
    }
    file.write_bytes(damaged[damage])
    again = check_files(paths, max_bad=1)
    assert (again.bad, again.from_cache) == (expected, 0)
    assert check_files(paths, max_bad=1).from_cache == 2


def test_without_a_place_for_the_cache_files_are_checked_all_the_same(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("KERAS_TL_CACHE", str(tmp_path / "file" / "cache"))
    paths = write(tmp_path / "photos", {"a": JPEG, "b": b""})
    for _ in range(2):
        check = check_files(paths, max_bad=1)
        assert (len(check.bad), check.from_cache) == (1, 0)

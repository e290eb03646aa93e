r"""Print the files of `keras_tl` that one image or text passes, from its file to the logits.

    python tools/data_way.py            # all six flows
    python tools/data_way.py image fit_head

A data flow begins at a folder of JPEG files or at a CSV file of texts. It ends at the logits in
`fit_head`, in `predict`, or in the functions of the exported model. The tool runs each flow on a
tiny network and traces all Python calls. A source file belongs to the flow if one of its functions
takes the item as an argument, returns the item or yields the item. The item may be a path, a
string, bytes, pixels, tokens or features, also inside a split, a list or a data set. An item that
is only in `self` does not count. The tool ignores `decoder._rare_image`, whose graph does not run
for a plain JPEG. It ignores functions that return only a few bytes of a file, or its name and date
(`LOOKS`). It also ignores the keys of mappings, because a mapping from item names to results
contains no items.

The output lists the source files in the order in which the item first reaches them. Each line has
the functions that return the item in any form. If a file is marked `(looks)`, its functions return
only facts about the item, for example a size.
"""

import argparse
import dataclasses
import functools
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np
import tensorflow as tf

import keras_tl as ktl

ROOT = f"{Path(ktl.__file__).parent}{os.sep}"
SIZE, WIDTH, CLASSES = 16, 7, 5
# To decide whether a long list contains the item, the first elements are enough.
MOST = 40
RARE = {"_rare_image"}
LOOKS = {"header_of", "filled", "part", "_file_identity"}


@dataclasses.dataclass
class Way:
    """Data flow: the source files through which an item passes.

    Attributes:
        mark: Text by which the item is recognised. The item's path or content contains it.
        handing: For each source file, the functions that return the item, in call order.
    """

    mark: str
    handing: dict[str, list[str]] = dataclasses.field(default_factory=dict)

    def profile(self, frame: FrameType, event: str, value: Any) -> None:
        """Record a call or a return. `sys.setprofile` calls this method."""
        # Do not use the file of the code object: AutoGraph writes converted functions to temporary
        # files.
        file = frame.f_globals.get("__file__") or ""
        if event not in ("call", "return") or not file.startswith(ROOT):
            return
        given = [x for name, x in frame.f_locals.items() if name not in ("self", "cls")]
        held = [value] if event == "return" else given
        name = frame.f_code.co_name.removeprefix("tf__")
        if name in LOOKS or not any(map(self.holds, held)) or _is_rare(frame):
            return
        functions = self.handing.setdefault(file.removeprefix(ROOT), [])
        if event == "return" and name not in functions and not name.startswith("<"):
            functions.append(name)

    def holds(self, value: Any, depth: int = 4) -> bool:
        """Return whether a value is the item or contains it."""
        if isinstance(value, str | bytes | os.PathLike):
            return self.mark.encode() in os.fsencode(value)
        if isinstance(value, tf.data.Dataset):
            return any(map(_is_item, tf.nest.flatten(value.element_spec)))
        if isinstance(value, tf.Tensor | np.ndarray | keras.KerasTensor):
            return _is_item(value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            value = vars(value)
        if isinstance(value, dict):
            value = [*value.values()]
        parts = value[:MOST] if isinstance(value, tuple | list) else ()
        return depth > 0 and any(self.holds(part, depth - 1) for part in parts)


def _is_item(value: Any) -> bool:
    """Return whether an array, a tensor or a spec contains items, and not labels or sizes."""
    shape = tuple(value.shape) if getattr(value.shape, "rank", 0) is not None else ()
    is_text = value.dtype in (tf.string, object) or getattr(value.dtype, "kind", "") in ("S", "U")
    is_image = len(shape) in (3, 4) and shape[-1] == 3
    is_vector = len(shape) == 2 and shape[-1] == WIDTH
    is_tokens = len(shape) == 2 and value.dtype in (tf.int32, np.int32)
    return is_text or is_image or is_vector or is_tokens


def _is_rare(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_name in RARE:
            return True
        frame = frame.f_back
    return False


def followed(mark: str, run: Callable[[], Any]) -> tuple[Any, dict[str, list[str]]]:
    """Run a function. Return its result and the source files through which the item passes."""
    way = Way(mark)
    sys.setprofile(way.profile)
    try:
        result = run()
    finally:
        sys.setprofile(None)
    return result, way.handing


def _image_network() -> keras.Model:
    inputs = keras.Input((None, None, 3))
    return keras.Model(inputs, keras.layers.Conv2D(WIDTH, 3, name="first")(inputs), name="own")


def image_ways(folder: Path) -> dict[str, Callable[[], Any]]:
    """Return the three data flows of a JPEG file: functions that start from the folder."""
    pixels = np.random.default_rng(0).integers(0, 255, (CLASSES, 6, 20, 20, 3), np.uint8)
    for label, images in enumerate(pixels):
        (folder / "photos" / f"class{label}").mkdir(parents=True)
        for number, image in enumerate(images):
            file = folder / "photos" / f"class{label}" / f"marked{number}.jpg"
            # The mark is in the name of the JPEG file and, as a comment, in its bytes.
            content = tf.io.encode_jpeg(image).numpy()
            file.write_bytes(content[:2] + b"\xff\xfe\x00\x08marked" + content[2:])
    return _ways(
        folder,
        lambda: ktl.ImageData.from_folder(folder / "photos", image_size=SIZE, verbose=False),
        lambda data: ktl.Learner(
            _image_network(), data, preprocess="tf", verbose=False, preflight=False
        ),
        [str(folder / "photos" / "class0" / "marked0.jpg")],
    )


def text_ways(folder: Path) -> dict[str, Callable[[], Any]]:
    """Return the three data flows of a text: functions that start from the CSV file."""
    from tests import hub_modules

    hub_modules.make_encoder(folder / "encoder", dropout=0.0)
    hub_modules.write_vocabulary(folder / "vocab.txt")
    rows = [f'"marked good {n} film",class{n % CLASSES}' for n in range(6 * CLASSES)]
    (folder / "texts.csv").write_text("\n".join(["text,label", *rows]))
    return _ways(
        folder,
        lambda: ktl.TextData.from_csv(folder / "texts.csv", sequence_length=8, verbose=False),
        lambda data: ktl.Learner(
            f"tfhub:{folder / 'encoder'}",
            data,
            preprocess=str(folder / "vocab.txt"),
            verbose=False,
            preflight=False,
        ),
        ["marked good film"],
    )


def _ways(folder: Path, read: Callable, learn: Callable, items: list) -> dict[str, Callable]:
    learner = learn(read())

    def fit_head() -> None:
        learner._state.data = read()  # Read the folder or file again, as part of the flow.
        learner.fit_head(1, cache="memory")

    return {
        "fit_head": fit_head,
        "predict": lambda: learner.predict(items),
        # Use a new learner: the first learner has already traced its graphs.
        "export": functools.partial(learn(learner.data).export, folder / "exported"),
    }


def main() -> None:
    """Trace the data flows that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("kind", nargs="?", choices=["image", "text"])
    parser.add_argument("end", nargs="?", choices=["fit_head", "predict", "export"])
    asked = parser.parse_args()
    for kind, make in (("image", image_ways), ("text", text_ways)):
        if asked.kind not in (None, kind):
            continue
        with tempfile.TemporaryDirectory() as folder:
            for end, run in make(Path(folder)).items():
                if asked.end in (None, end):
                    _, files = followed("marked", run)
                    handing = [name for name, functions in files.items() if functions]
                    in_data = sum(name.startswith("data") for name in handing)
                    print(
                        f"\n{kind} {end}: {len(files)} files, {len(handing)} return the item, "
                        f"{in_data} of these in data/"
                    )
                    for name, functions in files.items():
                        print(f"  {name:36}  {', '.join(functions) or '(looks)'}")


if __name__ == "__main__":
    main()

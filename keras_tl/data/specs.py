"""Data sources on the command line, such as `csv:photos.csv`."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from keras_tl.base.files import local_path
from keras_tl.data.image_data import ImageData
from keras_tl.data.images.image_options import DataOptions
from keras_tl.data.labelled_data import LabelledData
from keras_tl.data.modality_detection import (
    builder_holds_texts,
    folder_holds_texts,
    table_holds_texts,
)
from keras_tl.data.option_names import FLAGS
from keras_tl.data.options import SplitOptions
from keras_tl.data.text_data import TextData
from keras_tl.data.texts.text_options import TextOptions
from keras_tl.errors import ConfigError, quoted, unknown


@dataclasses.dataclass(frozen=True)
class SourceKind:
    """A kind of data source, such as `csv`.

    Attributes:
        needs: Word in messages for the part of a source after the colon, such as `"PATH"`. `None`:
            the source has no colon, as in `digits`.
        images: Constructor of image data, which takes the part of a source after the colon and the
            options.
        texts: Constructor of text data, or `None` if this kind of source holds only images.
        holds_texts: Function that decides whether a source holds texts, if neither the options nor
            recorded settings decide. The arguments are the part of the source after the colon, and
            `data_dir` if given.
        takes: Names of options that this kind of source accepts, and that some other kinds refuse.
    """

    needs: str | None
    images: Callable[..., ImageData]
    texts: Callable[..., TextData] | None = None
    holds_texts: Callable[..., bool] | None = None
    takes: tuple[str, ...] = ()


_FEATURES = ("image", "text", "text_pair", "label", "task")
_CSV = (*_FEATURES, "root", "split", "separator", "slices", "groups")
_TFDS = (*_FEATURES, "data_dir", "download")
SOURCES = {
    "folder": SourceKind(
        "PATH", ImageData.from_folder, TextData.from_folder, folder_holds_texts, ("classes",)
    ),
    "csv": SourceKind("PATH", ImageData.from_csv, TextData.from_csv, table_holds_texts, _CSV),
    "tfds": SourceKind("NAME", ImageData.from_tfds, TextData.from_tfds, builder_holds_texts, _TFDS),
    "digits": SourceKind(None, ImageData.digits),
}

# Names of the options for both modalities, the options only for texts, and the options only for
# images.
_OF_BOTH = SplitOptions.__optional_keys__
_OF_TEXTS = {"text", "text_pair", *TextOptions.__optional_keys__ - _OF_BOTH}
_OF_IMAGES = {"image", "root", *DataOptions.__optional_keys__ - _OF_BOTH}


def _form(kind: str) -> str:
    """Return the form of a specification, such as `csv:PATH`."""
    needs = SOURCES[kind].needs
    return f"{kind}:{needs}" if needs else kind


def takes(spec: str, option: str) -> bool:
    """Whether a source such as `csv:photos.csv` accepts an option named in `FLAGS`."""
    source = SOURCES.get(spec.partition(":")[0])
    return source is not None and option in source.takes


def load_spec(
    spec: str,
    recorded: Mapping[str, Any] | None = None,
    defaults: Mapping[str, Any] | None = None,
    **options: Any,
) -> LabelledData:
    """Read the data that a specification names, as `ImageData` or `TextData`.

    A folder holds texts if it has `.txt` files and no images. A table holds texts if it has a
    column `text` and no column `path`, or is a JSON lines file. A data set of TensorFlow Datasets
    holds texts if it has a text feature and no image feature. The options `image`, `text` and
    `text_pair` override the rules for images and texts.

    Args:
        spec: Data source in the form `folder:PATH`, `csv:PATH`, `tfds:NAME` or `digits`.
        recorded: `source_settings` of earlier data, to read a source of the same kind with the same
            settings. `options` override the recorded settings.
        defaults: Options of earlier data, to use where `options` has no value. `load_spec` leaves
            out image options if the source holds texts, and text options if it holds images.
        options: Arguments of the constructor, such as `label` or the options in `DataOptions` (for
            images) and `TextOptions` (for texts).

    Raises:
        ConfigError: The kind of source does not exist or does not accept an option.
        DataError: The data of the source cannot be used.
    """
    kind, _, place = spec.partition(":")
    if kind not in SOURCES:
        forms = ", ".join(map(_form, SOURCES))
        if spec and (path := local_path(spec)).exists():
            near = f"{'folder' if path.is_dir() else 'csv'}:{spec}"
            raise ConfigError(
                f"Expected a data source in one of the forms {forms}. Did you mean {quoted(near)}?"
            )
        raise ConfigError(f"{unknown('data source', kind, SOURCES)} The forms are {forms}.")
    source = SOURCES[kind]
    if bool(place) != (source.needs is not None):
        raise ConfigError(f"Expected the data as {_form(kind)}. Received: {quoted(spec)}.")
    for option in options:
        if option in FLAGS and option not in source.takes:
            takers = [_form(k) for k, other in SOURCES.items() if option in other.takes]
            raise ConfigError(
                f"{option}= ({FLAGS[option]}) is for {' and '.join(takers)}, not for "
                f"{_form(kind)}. Leave the option out."
            )
    settings = dict(recorded or {})
    if settings.pop("kind", None) != kind:
        settings = {}
    are_texts = _are_texts(source, place, options, settings)
    unfit = _OF_IMAGES if are_texts else _OF_TEXTS
    for option in options:
        if option in unfit:
            wanted, held = ("images", "texts") if are_texts else ("texts", "images")
            flag = FLAGS.get(option, f"--{option.replace('_', '-')}")
            raise ConfigError(
                f"{option}= ({flag}) is for {wanted}, but {quoted(spec)} "
                f"holds {held}. Leave the option out, or pass a source of {wanted}."
            )
    options = {k: v for k, v in (defaults or {}).items() if k not in unfit} | options
    if not unfit & {*settings}:
        options = settings | options
    load = source.texts if are_texts else source.images
    return load(*([place] if place else []), **options)


def _are_texts(
    source: SourceKind, place: str, options: Mapping[str, Any], recorded: Mapping[str, Any]
) -> bool:
    if source.texts is None:
        return False
    named = {"text", "text_pair"} & {*options}
    if named and "image" in options:
        raise ConfigError(
            "image= (--image-column) is for images and text= (--text-column) is for texts. Pass "
            "only one of the two."
        )
    if named or "image" in options:
        return bool(named)
    if recorded.keys() & {"image", *_OF_TEXTS}:
        return "image" not in recorded
    where = {"data_dir": options["data_dir"]} if "data_dir" in options else {}
    return source.holds_texts(place, **where)

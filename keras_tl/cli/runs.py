"""Commands for a saved run: predictions, features, report, export."""

from pathlib import Path

import click

from keras_tl.base.config import EXPORT_FORMATS, EXPORT_PRECISIONS, SAVED_MODEL
from keras_tl.base.overwriting import check_new
from keras_tl.cli.group import PATH, cli, overwrite_option, start_toolkit, with_json
from keras_tl.cli.items import items_options, read_items


@cli.command()
@click.argument("run", type=PATH)
@items_options
@with_json
def predict(
    verbose: bool, run: Path, items: tuple[str, ...], on_invalid: str, literal: bool
) -> tuple[list, str]:
    """Predict the classes, labels or values of ITEMS with a saved RUN.

    For images, ITEMS are files, a folder or a pattern. For texts, ITEMS are the texts themselves,
    or .txt files with one text each. For pairs of texts, first and second texts alternate. For
    images and texts, ITEMS can also be a folder (folder:PATH) or a table with the columns of the
    training data (csv:PATH).
    """
    learner = start_toolkit().Learner.load(run, verbose=verbose or on_invalid != "raise")
    predictions = learner.predict(read_items(learner, run, items, literal), on_invalid=on_invalid)
    lines = [f"{item.source}: {item}" for item in predictions]
    return predictions.to_json(), "\n".join(lines)


@cli.command()
@click.argument("run", type=PATH)
@items_options
@click.option(
    "--out",
    required=True,
    type=PATH,
    help="File to write: .npy (array with a row per item) or .parquet (columns source, features).",
)
@overwrite_option
@with_json
def features(
    verbose: bool,
    run: Path,
    items: tuple[str, ...],
    on_invalid: str,
    literal: bool,
    out: Path,
    overwrite: bool,
) -> tuple[dict, str]:
    """Write the features of ITEMS to a file: the vectors that the head of a saved RUN receives.

    ITEMS have the same forms as for keras-tl predict. With --on-invalid keep, the features of
    invalid items are NaN.
    """
    toolkit = start_toolkit()
    learner = toolkit.Learner.load(run, verbose=verbose or on_invalid != "raise")
    asked = read_items(learner, run, items, literal)
    count, width = toolkit.save_features(
        learner, asked, path=out, on_invalid=on_invalid, overwrite=overwrite
    )
    found = {"features": str(out), "items": count, "width": width}
    return found, f"Wrote {count:,} rows of {width:,} features to {out}."


@cli.command()
@click.argument("run", type=PATH)
@click.option(
    "--out",
    type=PATH,
    help="Path of the HTML file. Default: report.html in the folder of the run.",
)
@click.option(
    "--comparison",
    type=PATH,
    help="Folder that keras-tl compare wrote. The report first shows whether transfer learning "
    "helps. The run keeps the comparison.",
)
@click.option(
    "--plots",
    type=PATH,
    help="Also write the figures to this folder as PNG files. The folder "
    "must contain no PNG files, unless --overwrite is given.",
)
@overwrite_option
@with_json
def report(
    verbose: bool,
    run: Path,
    out: Path | None,
    comparison: Path | None,
    plots: Path | None,
    overwrite: bool,
) -> tuple[dict, str]:
    """Write a report about a saved RUN as one HTML file, without data and without training."""
    toolkit = start_toolkit()
    compared = None if comparison is None else toolkit.Comparison.load(comparison)
    # Refuse existing files before the command writes any file.
    taken = [] if plots is None else sorted(plots.glob("*.png"))
    check_new(*([] if out is None else [out]), *taken, overwrite=overwrite)
    out = out or run / "report.html"
    learner = toolkit.Learner.load(run, verbose=verbose)
    learner.report(out, comparison=compared, overwrite=overwrite)
    found, lines = {"report": str(out)}, [f"Wrote {out}."]
    if compared is not None:
        learner.save(run)
        lines.append(f"Saved the run to {run}.")
    if plots is not None:
        found["plots"] = [
            str(path) for path in toolkit.figures.save(learner, plots, overwrite=overwrite)
        ]
        lines += [f"Wrote {path}." for path in found["plots"]]
    return found, "\n".join(lines)


@cli.command()
@click.argument("run", type=PATH)
@click.option(
    "--out",
    required=True,
    type=PATH,
    help="Folder of the model, such as saved_models/photos. The export becomes the next version in "
    "this folder. For litert and onnx: the file to write, such as photos.onnx.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(EXPORT_FORMATS),
    default=SAVED_MODEL,
    show_default=True,
    help="Format of the export. Models in litert and onnx accept only numbers. Both formats need "
    "the pip extra of the same name.",
)
@click.option(
    "--precision",
    type=click.Choice(EXPORT_PRECISIONS),
    default="float32",
    show_default=True,
    help="Precision of litert and onnx exports.",
)
@click.option(
    "--serving",
    is_flag=True,
    help="Also write the folder serving/ with a server configuration and clients.",
)
@click.option(
    "--card",
    type=PATH,
    help='JSON file with sections of the model card, such as {"Intended use": "..."}.',
)
@overwrite_option
@with_json
def export(
    verbose: bool,
    run: Path,
    out: Path,
    kind: str,
    precision: str,
    serving: bool,
    card: Path | None,
    overwrite: bool,
) -> tuple[dict, str]:
    """Export a saved RUN as a verified SavedModel for TF Serving, or for another runtime.

    A version of a SavedModel is never replaced. --overwrite applies to files of other formats.
    """
    toolkit = start_toolkit()
    from keras_tl.report.card import read_sections

    sections = None if card is None else read_sections(card)
    learner = toolkit.Learner.load(run, verbose=verbose)
    written = learner.export(
        out, format=kind, precision=precision, serving=serving, card=sections, overwrite=overwrite
    )
    found = {"version" if kind == SAVED_MODEL else "file": str(written)}
    return found, f"Exported to {written}."

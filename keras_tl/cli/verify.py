"""The command that verifies an export."""

import sys
from pathlib import Path

import click

from keras_tl.base.reporting import size_text
from keras_tl.cli.group import PATH, cli, with_json
from keras_tl.export import verification


@cli.command()
@click.argument("path", type=PATH)
@click.option("--quick", is_flag=True, help="Do not measure latency and throughput.")
@click.option(
    "--python",
    metavar="FILE",
    help="Python interpreter of another environment, whose TensorFlow loads the export.",
)
@with_json
def verify(verbose: bool, path: Path, quick: bool, python: str | None) -> tuple[dict, str]:
    """Verify the export at PATH: load it like TF Serving, without Keras, and send it requests.

    PATH is the folder of one version, or a folder of several versions, of which the command
    verifies the latest. The export may come from any tool. The exit status is 1 if the export has
    errors.
    """
    found = verification.verify(path, not quick, python or sys.executable)
    lines = [f"{found.path} is {'valid' if found.ok else 'NOT valid'}."]
    lines += [f"  error: {problem}." for problem in found.problems]
    lines += [f"  note: {note}." for note in found.notes]
    for name in found.signatures:
        lines += _signature_lines(name, found)
    if found.text_operations:
        lines.append(f"  operations of tensorflow_text: {', '.join(found.text_operations)}")
    if found.warmup_records and found.ok:
        lines.append(f"  {found.warmup_records:,} warm-up requests were answered")
    if found.peak_bytes:
        peak = size_text(found.peak_bytes)
        lines.append(f"  TensorFlow {found.tensorflow}, peak memory {peak}")
    return found.to_json(), "\n".join(lines)


def _signature_lines(name: str, found: verification.Verification) -> list[str]:
    signature = found.signatures[name]
    inputs, outputs = (
        ", ".join(f"{key} {info['dtype']}{info['shape']}" for key, info in part.items())
        for part in (signature["inputs"], signature["outputs"])
    )
    lines = [f"  {name} ({found.methods[name]}): {inputs} -> {outputs}"]
    lines += [
        f"    {output} differs from the model by at most {difference:.1e}"
        for output, difference in found.differences.get(name, {}).items()
        if difference is not None
    ]
    timings = found.timings.get(name)
    if timings:
        rates = [
            f"{rate:,.0f}/s in batches of {batch}"
            for batch, rate in timings["items_per_second"].items()
        ]
        lines.append(
            f"    {timings['latency_seconds'] * 1e3:.1f} ms for one item; {', '.join(rates)}"
        )
    return lines

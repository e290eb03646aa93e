"""Make the pictures of README from real runs on handwritten digits, in `docs/images/`.

    python tools/readme_pictures.py

The tool needs Chromium and the command `script` of util-linux. It trains the model of README's ten
lines, compares transfer with training from scratch on 200 digits over three seeds, and runs
`keras-tl demo` in a terminal of 124 columns.
"""

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

IMAGES = Path(__file__).parents[1] / "docs" / "images"
WIDTH, COLUMNS = 800, 124
# Separates the frames of a live display: rich erases the lines of a frame, then draws the next.
ERASED = re.compile(r"(?:\r|\x1b\[2K|\x1b\[1A)+")
CURSOR = re.compile(r"\x1b\[\?25[hl]")
FINISHED_EPOCH = re.compile(r"(?:\x1b\[[\d;]*m)*(?:Preflight|head|fine-tune)\b[: ]")


def photograph(page: Path, name: str, height: int) -> None:
    """Write a page, as Chromium draws it, to `docs/images/`."""
    options = ["--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={WIDTH},{height}"]
    options += ["--host-resolver-rules=MAP * ~NOTFOUND", f"--screenshot={IMAGES / name}"]
    subprocess.run(["chromium", *options, page.as_uri()], check=True, capture_output=True)


def only_section(report: Path, key: str) -> Path:
    """Return a copy of a report that shows a single section."""
    style = f"header, footer, main > section:not(#{key}) {{ display: none }}"
    copy = report.with_name(f"{key}.html")
    copy.write_text(report.read_text("utf-8").replace("</style>", f"{style}</style>"), "utf-8")
    return copy


def write_reports(folder: Path) -> tuple[Path, Path]:
    """Train the model of README; return its report, and its report with a comparison."""
    import keras_tl as ktl

    data = ktl.ImageData.digits(image_size=96).subset(per_class=40)
    learner = ktl.Learner("efficientnet_lite0", data, seed=0)
    learner.fit_head(epochs=20)
    learner.fine_tune()
    learner.evaluate()
    alone = learner.report(folder / "report.html")
    small = ktl.ImageData.digits(image_size=48).subset(per_class=20)
    budget = ktl.Protocol(epochs=6)
    found = ktl.compare(
        "efficientnet_lite0", small, seeds=3, protocol=budget, out=folder / "compared"
    )
    print(found)
    return alone, learner.report(folder / "compared.html", comparison=found)


def record_demo(folder: Path) -> str:
    """Run `keras-tl demo` in a terminal, and return everything that it wrote there."""
    program = Path(sys.executable).with_name("keras-tl")
    command = f"{program} demo --out {folder / 'demo'} --export {folder / 'digits'}"
    recorded = folder / "typescript"
    environment = os.environ | {"COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
    subprocess.run(
        ["script", "--quiet", "--return", "--flush", "--command", command, recorded],
        check=True,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    return recorded.read_text("utf-8")


def draw_terminal(written: str, page: Path) -> int:
    """Draw a late frame of the fine-tuning, below the epochs before it. Return the height."""
    parts = ERASED.split(CURSOR.sub("", written.replace("\r\n", "\n")))
    frames = [at for at, part in enumerate(parts) if "╭─ fine-tune: epoch" in part]
    at = frames[len(frames) * 3 // 4]
    lines = "".join(part.partition("╭")[0] for part in parts[:at]).split("\n")
    epochs = [line for line in lines if FINISHED_EPOCH.match(line)]
    frame = parts[at][parts[at].index("╭") :]
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    shown = "\n".join(["$ keras-tl demo", *epochs[-8:], frame.rstrip()])
    console.print(Text.from_ansi(shown))
    console.save_svg(str(page), title="keras_tl")
    _, _, width, height = re.search(r'viewBox="([^"]+)"', page.read_text("utf-8"))[1].split()
    return round(WIDTH * float(height) / float(width))


def main() -> None:
    """Make the three pictures."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        terminal = folder / "terminal.svg"
        height = draw_terminal(record_demo(folder), terminal)
        photograph(terminal, "training.png", height)
        alone, compared = write_reports(folder)
        photograph(alone, "report.png", 900)
        photograph(only_section(compared, "comparison"), "verdict.png", 900)


if __name__ == "__main__":
    main()

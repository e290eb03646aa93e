"""Shared functions of the benchmarks: new processes, peak memory, facts about the machine, tables.

    python benchmarks/common.py MODULE:FUNCTION '{"argument": "value"}'

calls one function of a benchmark and prints a line of JSON: the function's result, its seconds and
its peak memory. `fresh` runs functions with this command. Use this command yourself to study one
run.
"""

import contextlib
import datetime
import importlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

STARTED = time.perf_counter()
ROOT = Path(__file__).resolve().parents[1]
MIB, GIB = 2**20, 2**30


def fresh(function: str, **arguments: Any) -> dict[str, Any]:
    """Call a function in a new Python process.

    Args:
        function: `"module:function"`, a module in this folder.
        arguments: Keyword arguments of the function, as JSON types or paths.

    Returns:
        The function's result, with three more values. `"wall_seconds"`: seconds from start to exit
        of the process, measured by the caller. `"child_seconds"`: seconds without start and exit of
        the interpreter, measured by the process. `"peak_bytes"`: largest resident memory of the
        process.

    Raises:
        SystemExit: The process failed. The message has the process's standard error.
    """
    command = [sys.executable, __file__, function, json.dumps(arguments, default=os.fspath)]
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3"} | os.environ
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    seconds = time.perf_counter() - began
    if done.returncode:
        sys.exit(f"{function} ended with status {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout) | {"wall_seconds": seconds}


def machine() -> dict[str, Any]:
    """Return facts that affect the results: processor, memory, versions, load of the machine."""
    cpus = Path("/proc/cpuinfo")
    names = cpus.read_text().splitlines() if cpus.exists() else ()
    models = [line.split(":", 1)[1].strip() for line in names if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    affinity = getattr(os, "sched_getaffinity", None)
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "processor": models[0] if models else platform.processor() or platform.machine(),
        "cores": len(affinity(0)) if affinity else os.cpu_count(),
        "memory_gib": round(memory / GIB, 1),
        "python": platform.python_version(),
        "tensorflow": metadata.version("tensorflow"),
        "keras": metadata.version("keras"),
        "load_before": round(os.getloadavg()[0], 2),
    }


def say(message: str) -> None:
    """Print a progress message to standard error."""
    print(message, file=sys.stderr, flush=True)


def show(result: dict[str, Any], lines: Sequence[str], as_json: bool) -> None:
    """Print the result as one line of JSON, or as text below the facts of the machine."""
    if as_json:
        print(json.dumps(result))
        return
    facts = result["machine"]
    print(
        f"{facts['date']}, {facts['processor']}, {facts['cores']} cores, "
        f"{facts['memory_gib']} GiB, Python {facts['python']}, TensorFlow {facts['tensorflow']}, "
        f"Keras {facts['keras']}, load before {facts['load_before']}"
    )
    print("\n".join(lines))


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a Markdown table: the first column left-aligned, the others right-aligned."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        aligned = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
        return f"| {' | '.join(aligned)} |"

    rule = [f"{'-' * (width - 1)}{':' if n else '-'}" for n, width in enumerate(widths)]
    return [line(header), line(rule), *map(line, rows)]


def verdict(holds: bool) -> str:
    """Return one word that says whether a target is met."""
    return "holds" if holds else "MISSED"


def counts(text: str) -> list[int]:
    """Convert `"2000,20000"` to a sorted list of distinct numbers, for argparse."""
    return sorted({int(part) for part in text.split(",")})


def _main() -> None:
    module, function = sys.argv[1].split(":")
    with contextlib.redirect_stdout(sys.stderr):
        found = getattr(importlib.import_module(module), function)(**json.loads(sys.argv[2]))
    seconds = time.perf_counter() - STARTED
    # The toolkit is imported after the timing, because the measured code may not need it.
    from keras_tl.export.without_keras.memory import peak_bytes

    measured = {"child_seconds": seconds, "peak_bytes": peak_bytes()}
    print(json.dumps(found | measured))


if __name__ == "__main__":
    _main()

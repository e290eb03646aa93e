"""A server that speaks TF Serving's protocols over SavedModels, for tests: a process of its own.

`python -m tests.serving_server --model NAME=BASE_FOLDER --port 0 --grpc-port 0` prints its ports as
one JSON line, `{"rest": 8501, "grpc": 8500}`. It loads the newest version (or all) of each model by
the TF1 loader, without Keras, and answers with TF Serving's status codes and the messages of its
sources, shortened. In one thing it is stricter: numbers that are not finite are an error, as the
tokens that TF Serving writes for them are no JSON.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path


@contextlib.contextmanager
def serving(models: Mapping[str, Path], *options: str) -> Iterator[dict[str, str]]:
    """Starts the server, and ends it on leaving.

    Args:
        models: base folders by name.
        options: others of the command.

    Yields:
        Its addresses: `rest`, `http://...`, and `grpc`, `grpc://...`.
    """
    named = [f"--model={name}={folder}" for name, folder in models.items()]
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(
            [sys.executable, "-m", __name__, *named, *options],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=Path(__file__).parents[2],
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        ) as process,
    ):
        try:
            line = process.stdout.readline()
            if not line:
                log.seek(0)
                raise RuntimeError(f"The server did not start: {log.read()[-2000:]}")
            ports = json.loads(line)
            yield {
                "rest": f"http://127.0.0.1:{ports['rest']}",
                "grpc": f"grpc://127.0.0.1:{ports['grpc']}",
            }
        finally:
            process.terminate()

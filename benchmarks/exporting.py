"""Exports in child processes that `export_kills.py` watches and kills."""

import collections
import contextlib
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

# Python's audit events that change or read files. The exporting process reports them. There are no
# such events for the writes of TensorFlow's C++ code. For these, the appearance of a file is a
# stage.
EVENTS = {"open", "os.mkdir", "os.rename", "os.remove", "shutil.rmtree", "subprocess.Popen"}
BEGIN, END = "os.mkdir NEW", "os.rename NEW"
APPEARS = "appears NEW/"


class Exports:
    """Exports in child processes. They are forked from this process, to save the time of its
    imports.

    Args:
        base: Model folder, which contains the versions.
        build: Function that makes the learner, in the child process. Before the fork, TensorFlow
            must not have computed anything, because its threads do not survive a fork.
    """

    def __init__(self, base: Path, build: Callable):
        self.base = base.resolve()
        self.build = build

    def run(self, kill_at: str | None = None, kill_after: float | None = None) -> dict:
        """Export in a child process that may be killed.

        Args:
            kill_at: Event or file. The process kills itself before this event, or is killed when
                this file appears.
            kill_after: Time from the first write to the kill, in seconds.

        Returns:
            `events` (name, seconds from the first write), `seconds`, `killed`, and `holds`: the
            files in the temporary folder at the end (`None`: there is no such folder).
        """
        began = time.perf_counter()
        read_end, write_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read_end)
            self._export(write_end, kill_at)
        os.close(write_end)
        events = self._watch(pid, read_end, kill_at, kill_after)
        _, status = os.waitpid(pid, 0)
        # The kill did not end the process that verifies the export, so end it here.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        killed = os.WIFSIGNALED(status)
        if not killed and os.WEXITSTATUS(status):
            raise SystemExit("The export has failed.")
        found = next(iter(self.base.glob(f".new-{pid}-*")), None)
        return {
            "events": events,
            "killed": killed,
            "seconds": time.perf_counter() - began,
            "holds": found and sorted(f.name for f in found.iterdir()),
        }

    def _export(self, pipe: int, kill_at: str | None) -> NoReturn:
        try:
            os.setsid()
            learner = self.build()

            times = collections.Counter()

            def hook(event: str, arguments: tuple) -> None:
                name = event in EVENTS and self._name(event, arguments)
                if name:
                    times[name] += 1
                    name += f", time {times[name]}" if times[name] > 1 else ""
                    os.write(pipe, f"{name}\n".encode())
                    if name == kill_at:
                        os.kill(os.getpid(), signal.SIGKILL)

            sys.addaudithook(hook)
            learner.export(self.base)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)

    def _name(self, event: str, arguments: tuple) -> str | None:
        """Return a name for an event below the model folder, the same in every export."""
        if event == "subprocess.Popen":
            return "verification"
        try:
            path = Path(os.fsdecode(arguments[0])).relative_to(self.base)
        except (TypeError, ValueError):
            return None
        first, *others = path.parts or ["BASE"]
        if first.startswith(".new-"):
            first = "NEW" if f"-{os.getpid()}-" in first else "LEFTOVER"
        elif first.isdecimal():
            first = "VERSION"
        writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        return f"{event}{' to write' if writes else ''} {'/'.join([first, *others])}"

    def _watch(
        self, pid: int, pipe: int, kill_at: str | None, kill_after: float | None
    ) -> list[tuple[str, float]]:
        """Read events until the pipe closes, and kill the process unless it kills itself."""
        events, text, first = [], b"", None
        awaited = kill_at and kill_at.startswith(APPEARS) and kill_at.removeprefix(APPEARS)
        with open(pipe, "rb", buffering=0) as stream:
            while True:
                wait = 0.001 if awaited else None
                if kill_after is not None and first is not None:
                    wait = max(0, first + kill_after - time.perf_counter())
                if select.select([stream], [], [], wait)[0]:
                    read = stream.read(65536)
                    if not read:
                        return events
                    *lines, text = (text + read).split(b"\n")
                    for line in lines:
                        now = time.perf_counter()
                        if line.decode() == BEGIN:
                            first = now
                        events.append((line.decode(), now - (first or now)))
                elif not awaited or next(self.base.glob(f".new-{pid}-*/{awaited}"), None):
                    os.kill(pid, signal.SIGKILL)
                    awaited, kill_after = None, None

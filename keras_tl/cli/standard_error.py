"""Standard error of the command line: without TensorFlow's notes and libjpeg's warnings."""

import atexit
import contextlib
import importlib
import os
import shutil
import subprocess
import sys
import tempfile

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
# libjpeg prints these for images that decode all the same, and does not name the file.
_LIBJPEG = (
    "^(Corrupt JPEG data|Premature end of JPEG|Warning: unknown JFIF revision|"
    "Inconsistent progression sequence|Unknown Adobe color transform|"
    "Invalid SOS parameters for sequential JPEG|Application transferred too many scanlines)"
)


def import_quietly() -> None:
    """Import TensorFlow without the notes that would bury ours.

    The first notes come whatever the variable says (tensorflow/tensorflow#100442), so standard
    error is held back meanwhile. Whoever wants the notes sets TF_CPP_MIN_LOG_LEVEL.
    """
    if _LEVEL in os.environ or "tensorflow" in sys.modules:
        return
    os.environ[_LEVEL] = "3"
    standard_error = os.dup(2)
    with tempfile.TemporaryFile() as notes:
        os.dup2(notes.fileno(), 2)
        try:
            importlib.import_module("tensorflow")
        except BaseException:
            notes.seek(0)
            os.write(standard_error, notes.read())
            raise
        finally:
            os.dup2(standard_error, 2)
            os.close(standard_error)
    _drop_decoder_warnings()


def _drop_decoder_warnings() -> None:
    """Lead what C libraries print through grep, and ours past it.

    A process of its own still prints the last words of one that crashes.
    """
    grep = shutil.which("grep")
    if grep is None:
        return
    # Ours must be a stream of its own, or rich would take the terminal for a pipe.
    own = os.fdopen(
        os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace"
    )
    command = [grep, "-a", "-v", "-E", "--line-buffered", _LIBJPEG]
    sifter = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=own, env={"LC_ALL": "C"})
    os.dup2(sifter.stdin.fileno(), 2)
    sifter.stdin.close()
    sys.stderr = own

    def end() -> None:
        own.flush()
        os.dup2(own.fileno(), 2)
        # A process that this one has started may hold the pipe for longer.
        with contextlib.suppress(subprocess.TimeoutExpired):
            sifter.wait(timeout=2)

    atexit.register(end)

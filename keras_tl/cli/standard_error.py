"""Keep log lines of TensorFlow and warnings of libjpeg out of standard error."""

import atexit
import contextlib
import importlib
import os
import shutil
import subprocess
import sys
import tempfile

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
# libjpeg prints these warnings without a file name, for images that it can decode.
_LIBJPEG = (
    "^(Corrupt JPEG data|Premature end of JPEG|Warning: unknown JFIF revision|"
    "Inconsistent progression sequence|Unknown Adobe color transform|"
    "Invalid SOS parameters for sequential JPEG|Application transferred too many scanlines)"
)


def import_quietly() -> None:
    """Import TensorFlow without its log lines, which would hide the messages of keras_tl.

    TF_CPP_MIN_LOG_LEVEL does not stop the first log lines (tensorflow/tensorflow#100442), so the
    function hides standard error during the import. If the user has set TF_CPP_MIN_LOG_LEVEL, the
    function hides nothing.
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
    """Filter the standard error of C libraries through grep, but not the output of Python.

    grep is a separate process: it still prints the last lines of this process after a crash.
    """
    grep = shutil.which("grep")
    if grep is None:
        return
    # Python writes to the original standard error, not through grep: behind a pipe, the package
    # rich would find no terminal.
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
        # Wait at most two seconds, because a child process may still hold the pipe open.
        with contextlib.suppress(subprocess.TimeoutExpired):
            sifter.wait(timeout=2)

    atexit.register(end)

"""Conditions of the operating system: a limit on file sizes, and a record of opened files."""

import contextlib
import functools
import resource
import sys

_WATCHED = {}


@contextlib.contextmanager
def file_size_limit(most_bytes):
    """Let writes to longer files fail, as on a full disk. Print nothing in the block."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def audited(event):
    """Yield the list of arguments of one audit event of Python, such as "open"."""
    _install_hook()
    seen = _WATCHED[event] = []
    try:
        yield seen
    finally:
        del _WATCHED[event]


@functools.cache
def _install_hook():
    def note(event, arguments, watched=_WATCHED):  # The default outlives this module at exit.
        seen = watched.get(event)
        if seen is not None:
            seen.append(arguments)

    sys.addaudithook(note)

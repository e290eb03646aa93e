"""Peak memory of this process."""

import resource
import sys
from pathlib import Path


def peak_bytes() -> int:
    """Return the largest resident memory of this process so far, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    # On Linux, `ru_maxrss` would include the memory of the parent process at the fork. The unit of
    # `ru_maxrss` is bytes on macOS, and KiB on other systems.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

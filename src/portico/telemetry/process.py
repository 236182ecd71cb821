"""What the operating system says of this process."""

import errno
import os
import resource
import sys
import time
from pathlib import Path
from typing import Final

_STATM: Final = Path("/proc/self/statm")
_FILES: Final = Path("/proc/self/fd")


def resident_bytes() -> float:
    """Resident memory; where there is no /proc, the most there ever was."""
    try:
        return float(int(_STATM.read_bytes().split()[1]) * resource.getpagesize())
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return float(peak if sys.platform == "darwin" else peak * 1024)


def cpu_seconds() -> float:
    """User and system time so far."""
    return time.process_time()


def open_files() -> float:
    """Open file descriptors; 0 where there is no /proc."""
    try:
        return float(len(os.listdir(_FILES)) - 1)  # the listing itself is one
    except OSError as error:
        return most_files() if error.errno == errno.EMFILE else 0.0


def most_files() -> float:
    """How many may be open."""
    return float(resource.getrlimit(resource.RLIMIT_NOFILE)[0])

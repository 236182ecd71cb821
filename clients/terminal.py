"""A client at a terminal, for what it does only there: keys are pressed when what they wait for stands on the screen."""

import contextlib
import errno
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from uuid import uuid4

from clients.processes import MARK, Ended, end_all

_ROWS, _COLUMNS = 50, 140
_DRAWN_S: Final = 1.0
"""A screen that shows what was waited for is drawn to its end within this."""
_ENDED_S: Final = 5.0
_ESCAPES: Final = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\r")


def typed(
    command: Sequence[str], keys: Sequence[tuple[str, str]], *, env: Mapping[str, str], cwd: Path, within_s: float
) -> Ended:
    """Runs a command at a terminal of its own and ends it after the last key.

    `keys`: pairs of what has to appear (a regular expression, looked for since the keys before) and what is then typed.
    The code is 0 if all of them were, None if the time was over first, or what the command itself ended with.
    """
    mark, began = uuid4().hex, time.monotonic()
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
    environment = {**env, "TERM": "xterm-256color", MARK: mark}
    process = subprocess.Popen(
        command, env=environment, cwd=cwd, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    left, screen, seen = list(keys), b"", 0
    try:
        while left and time.monotonic() - began < within_s:
            if (data := _read(ours)) is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_ENDED_S)  # its terminal is closed before it is over
                break
            screen += data
            if re.search(left[0][0].encode(), _ESCAPES.sub(b"", screen[seen:])):
                screen += _rest(ours)
                os.write(ours, left.pop(0)[1].encode())
                seen = len(screen)
    finally:
        code = process.poll()
        end_all(mark, process)
        os.close(ours)
    text = _ESCAPES.sub(b"", screen).decode("utf-8", "replace")
    return Ended(0 if not left else code, text, "", time.monotonic() - began)


def _read(terminal: int) -> bytes | None:
    """What came within a moment; None when nobody is there any more."""
    if not select.select([terminal], [], [], 0.2)[0]:
        return b""
    try:
        return os.read(terminal, 65536) or None
    except OSError as error:
        if error.errno == errno.EIO:  # Linux says so when the other end is closed
            return None
        raise


def _rest(terminal: int) -> bytes:
    until, made = time.monotonic() + _DRAWN_S, b""
    with contextlib.suppress(OSError):
        while time.monotonic() < until:
            made += _read(terminal) or b""
    return made

"""Lines of text to a file descriptor, in batches, without ever making the event loop wait.

Lines gather for a moment and are handed over together to a thread, which may block as long as it likes: on a full pipe, a
slow disk, a terminal that was stopped. What waits is bounded, and beyond the bound lines are dropped and counted.

Several processes may write to one log. A batch is whole lines and one write: to a file opened for appending it is not
torn, and neither is it to a pipe, up to PIPE_BUF bytes (POSIX, write): so there it is no longer than that. A disk that is
full may tear a line: what it took of that is taken back.
"""

import asyncio
import logging
import os
import select
import stat
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Final

GATHERED_S: Final = 0.15
GATHERED_BYTES: Final = 64 * 1024
WAITING_BYTES: Final = 4 * 1024 * 1024
"""What may wait for the thread. Beyond it lines are dropped."""
FLUSH_S: Final = 2.0
PIPE_BYTES: Final[int] = getattr(select, "PIPE_BUF", 512)

log = logging.getLogger("portico.log")

Opener = Callable[[], int]
"""Opens the log; returns a file descriptor that is the caller's to close. Raises `OSError`."""


def appending(path: Path) -> Opener:
    """Opens a file at its end; it is made if there is none, readable by its owner and group."""
    return lambda: os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)


def another(descriptor: int) -> Opener:
    """A second descriptor of what is open already, such as standard output."""
    return lambda: os.dup(descriptor)


class LineWriter:
    """Belongs to the loop it is made in. `written` and `dropped` count lines."""

    def __init__(self, opener: Opener) -> None:
        """A log that cannot be opened is tried again with each batch: it keeps nobody from being served."""
        self._opener = opener
        self._descriptor: int | None = None
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._lines: list[bytes] = []
        self._gathered_bytes = 0
        self._given_bytes = 0
        self._taken_bytes = 0
        self._refused_lines = 0
        self._lost_lines = 0
        self._failing = False
        self._open()
        self.written = 0
        self._batches: SimpleQueue[list[bytes] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="access log", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        return self._refused_lines + self._lost_lines

    @property
    def waiting_bytes(self) -> int:
        """What is not written yet."""
        return self._gathered_bytes + self._given_bytes - self._taken_bytes

    def write(self, line: bytes) -> None:
        """Takes a line, with its end."""
        self._lines.append(line)
        self._gathered_bytes += len(line)
        if self._timer is None:
            self._timer = self._loop.call_later(GATHERED_S, self._give)
        elif self._gathered_bytes >= GATHERED_BYTES:
            self._give()

    def reopen(self) -> None:
        """Opens the log anew before the next batch: it was renamed. What came so far goes to the old one."""
        self._give()
        self._batches.put([])

    def close(self) -> None:
        """Writes what there is, waiting for a moment at most; what is not taken by then is lost."""
        self._give()
        self._batches.put(None)
        self._thread.join(FLUSH_S)

    def _give(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lines, self._lines = self._lines, []
        size, self._gathered_bytes = self._gathered_bytes, 0
        if not lines:
            return
        if self._given_bytes - self._taken_bytes + size > WAITING_BYTES:
            self._refused_lines += len(lines)
            return
        self._given_bytes += size
        self._batches.put(lines)

    # The thread's side. What it alone writes: `written`, `_lost_lines`, `_taken_bytes`, `_descriptor`, `_failing`.

    def _run(self) -> None:
        while (lines := self._batches.get()) is not None:
            if not lines or self._descriptor is None:
                self._open()
            log_file = self._descriptor
            if log_file is None:
                self._lost_lines += len(lines)
            else:
                limit = GATHERED_BYTES if _appends(log_file) else PIPE_BYTES
                for batch in batches(lines, limit):
                    self._write(log_file, batch)
            self._taken_bytes += sum(map(len, lines))
        if self._descriptor is not None:
            os.close(self._descriptor)

    def _write(self, log_file: int, batch: list[bytes]) -> None:
        data, taken = b"".join(batch), 0
        try:
            while taken < len(data):  # more than once only where the system takes less than it is given
                taken += os.write(log_file, data[taken:])
        except OSError as error:
            whole = data.rfind(b"\n", 0, taken) + 1
            _take_back(log_file, taken - whole)
            written = data.count(b"\n", 0, whole)
            self.written += written
            self._lost_lines += len(batch) - written
            self._failed("written", error)
            return
        self.written += len(batch)
        if self._failing:
            self._failing = False
            log.warning("the access log is written again. Lines lost so far: %d", self._lost_lines)

    def _failed(self, to_be: str, error: OSError) -> None:
        if not self._failing:
            self._failing = True
            log.warning("the access log cannot be %s: %s. Its lines are lost until it can.", to_be, error.strerror)

    def _open(self) -> None:
        try:
            fresh = self._opener()
        except OSError as error:
            if self._descriptor is None:
                self._failed("opened", error)
            else:  # the old one is better than none
                log.warning("the access log cannot be opened anew: %s. The old one is written on.", error.strerror)
            return
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = fresh


def _appends(log_file: int) -> bool:
    return stat.S_ISREG(os.fstat(log_file).st_mode)


def _take_back(log_file: int, torn_bytes: int) -> None:
    """Takes the beginning of a line, whose end a full disk did not take, out of a file: the next would stand behind it.
    Where another process has written since, it stays."""
    if not (torn_bytes and _appends(log_file)):
        return
    end = os.lseek(log_file, 0, os.SEEK_CUR)
    if os.fstat(log_file).st_size == end:
        os.ftruncate(log_file, end - torn_bytes)
        os.lseek(log_file, end - torn_bytes, os.SEEK_SET)


def batches(lines: list[bytes], limit_bytes: int) -> list[list[bytes]]:
    """Lines in batches of at most so many bytes; a longer line is one of its own."""
    made: list[list[bytes]] = []
    size = 0
    for line in lines:
        if not made or size + len(line) > limit_bytes:
            made.append([])
            size = 0
        made[-1].append(line)
        size += len(line)
    return made

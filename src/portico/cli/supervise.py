"""Several workers under one supervisor: started by fork, replaced when one dies, and ended together.

- A worker that dies soon after its start is replaced later and later, so that a crash loop costs nothing but lines. One
  that the system has no room for is tried again in the same way, and the others go on.
- The first SIGTERM or SIGINT lets the workers finish; a second one ends everything at once.
- No worker outlives its supervisor: each holds the end of a pipe that closes with it, even by SIGKILL.
"""

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Final, NoReturn

from portico.cli.loop import STOP_SIGNALS

CANNOT_START: Final = 78
"""A worker's exit code (EX_CONFIG of sysexits.h) when no other would start either: then everything is ended."""
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
STEADY_S: Final = 30.0
"""A worker that lived this long did not die of its start."""

Work = Callable[[int, int], int]
"""`(number, lifeline) -> exit code`, in a process of its own. `number` counts from 0 and is the same for a replacement."""


class _Slot:
    """One worker's place. `due_at`: when it is to be started; None while it runs."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.pid: int | None = None
        self.lived = False
        """A worker has been here."""
        self.started_at = 0.0
        self.deaths = 0
        """In a row, each soon after a start."""
        self.due_at: float | None = 0.0

    def died(self, now: float) -> float:
        """Returns the pause before the next start."""
        steady = now - self.started_at >= STEADY_S
        self.deaths = 1 if steady else self.deaths + 1
        pause = min(FIRST_PAUSE_S * 2.0 ** (self.deaths - 1), LONGEST_PAUSE_S)
        self.pid, self.due_at = None, now + pause
        return pause


def _nothing(_number: int) -> None:
    pass


class Supervisor:
    """Runs `count` workers."""

    def __init__(
        self,
        count: int,
        work: Work,
        *,
        passed_on: tuple[signal.Signals, ...] = (),
        ended: Callable[[int], None] = _nothing,
        replaced: Callable[[int], None] = _nothing,
        stopping: Callable[[], None] = lambda: None,
    ) -> None:
        """`passed_on` are signals that every worker is sent when the supervisor gets them. `ended` is told the number of
        each worker that has gone, and `replaced` that of each whose place another has taken. `stopping` is called when the
        end begins."""
        self._slots = [_Slot(number) for number in range(count)]
        self._work = work
        self._passed_on = passed_on
        self._ended = ended
        self._replaced = replaced
        self._when_stopping = stopping
        self._stopping = False
        self._code = 0
        self._lifeline, self._held = os.pipe()
        self._woken, self._wake = os.pipe()

    def run(self) -> int:
        """Until told to stop; returns the exit code."""
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in STOP_SIGNALS:
            signal.signal(number, self._on_stop)
        for passed_on in self._passed_on:
            signal.signal(passed_on, lambda number, _: self._tell(signal.Signals(number)))
        while True:
            self._reap()
            if self._stopping and not self._pids():
                return self._code
            self._start_due()
            self._sleep()

    def _pids(self) -> list[int]:
        return [slot.pid for slot in self._slots if slot.pid is not None]

    def _tell(self, number: signal.Signals) -> None:
        for pid in self._pids():
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.kill(pid, number)

    def _on_stop(self, number: int, _frame: object) -> None:
        if not self._stopping:
            self._stop(0)
            return
        self._tell(signal.SIGKILL)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _stop(self, code: int) -> None:
        self._stopping = True
        self._code = code
        self._tell(signal.SIGTERM)
        self._when_stopping()

    def _sleep(self) -> None:
        """Until a signal comes, or a worker is due."""
        due = [slot.due_at for slot in self._slots if slot.due_at is not None and not self._stopping]
        timeout = max(0.0, min(due) - time.monotonic()) if due else None
        select.select([self._woken], [], [], timeout)
        with contextlib.suppress(BlockingIOError):
            os.read(self._woken, 4096)

    def _reap(self) -> None:
        for slot in self._slots:
            if slot.pid is None:
                continue
            pid, status = os.waitpid(slot.pid, os.WNOHANG)
            if pid == 0:
                continue
            code = os.waitstatus_to_exitcode(status)
            pause = slot.died(time.monotonic())
            self._ended(slot.number)
            if self._stopping:
                continue
            if code == CANNOT_START:
                self._stop(1)
                continue
            again = f" for the {_ordinal(slot.deaths)} time in a row" if slot.deaths > 1 else ""
            print(f"Worker {pid} ended ({_told(code)}){again}; starting another in {pause:g} s.", file=sys.stderr)

    def _start_due(self) -> None:
        for slot in self._slots:
            # A signal waits until the child is known, or handles it itself.
            with _deaf():
                if not self._stopping and slot.due_at is not None and slot.due_at <= time.monotonic():
                    self._start(slot)

    def _start(self, slot: _Slot) -> None:
        slot.started_at, slot.due_at = time.monotonic(), None
        try:
            slot.pid = os.fork()
        except OSError as error:  # no room for another process now
            pause = slot.died(time.monotonic())
            print(f"A worker cannot be started ({error.strerror}); trying again in {pause:g} s.", file=sys.stderr)
            return
        if slot.pid == 0:
            self._be_worker(slot.number)
        if slot.lived:
            self._replaced(slot.number)
        slot.lived = True

    def _be_worker(self, number: int) -> NoReturn:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for own in (signal.SIGCHLD, signal.SIGTERM):
                signal.signal(own, signal.SIG_DFL)
            # A terminal sends Ctrl-C to every process; this one is told by its supervisor. What is passed on waits until
            # the worker knows what to do with it.
            for ignored in (signal.SIGINT, *self._passed_on):
                signal.signal(ignored, signal.SIG_IGN)
            for descriptor in (self._held, self._woken, self._wake):
                os.close(descriptor)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD_BACK)
            code = self._work(number, self._lifeline)
        except BaseException:  # noqa: BLE001
            sys.excepthook(*sys.exc_info())  # The frames below are the supervisor's: it ends here.
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


_HELD_BACK: Final = (*STOP_SIGNALS, signal.SIGHUP)


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    signal.pthread_sigmask(signal.SIG_BLOCK, _HELD_BACK)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD_BACK)


def _told(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _ordinal(number: int) -> str:
    return f"{number}{ {2: 'nd', 3: 'rd'}.get(number if number < 20 else number % 10, 'th') }"

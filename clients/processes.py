"""Processes that end: each within its time, and with it whatever it started.

What a run starts is found (/proc) by the session that was made for it, by a mark in its environment if it left that, and as
the child of such if it has neither; it is ended by its id.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Final
from uuid import uuid4

MARK: Final = "PORTICO_CLIENTS_RUN"
_PROC: Final = Path("/proc")
_OVER: Final = ("Z", "X")
"""States of processes that only wait to be forgotten (proc(5))."""
_BEGAN: Final = 15
"""Where the time of its start stands in the rest of a process's line."""
_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_GRACE_S: Final = 3.0
_LOOK_S: Final = 0.02


@dataclass(frozen=True)
class Ended:
    """How a command ended. `code` is None when its time was over."""

    code: int | None
    out: str
    err: str
    took_s: float
    grew: tuple[str, ...] = ()
    """What it printed, in the pieces in which that was seen to appear."""


def run(command: Sequence[str], *, env: Mapping[str, str], cwd: Path, within_s: float) -> Ended:
    """Runs a command that nobody talks to; what it leaves behind is ended too."""
    mark = uuid4().hex
    began = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = _started(command, env, cwd, mark, out, err)
        sizes = [0]
        try:
            while (code := process.poll()) is None and time.monotonic() - began < within_s:
                if (size := os.fstat(out.fileno()).st_size) != sizes[-1]:
                    sizes.append(size)
                time.sleep(_LOOK_S)
        finally:
            end_all(mark, process)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read())
    sizes.append(len(texts[0]))
    grew = tuple(_text(texts[0][one:two]) for one, two in pairwise(sizes) if two > one)
    return Ended(code, _text(texts[0]), _text(texts[1]), time.monotonic() - began, grew)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


@contextlib.contextmanager
def kept(
    command: Sequence[str], *, env: Mapping[str, str], cwd: Path, said: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """A command that runs until it is not needed any more; what it says is added to a file."""
    mark = uuid4().hex
    with said.open("ab") as out:
        process = _started(command, env, cwd, mark, out, out)
    try:
        yield process
    finally:
        end_all(mark, process)


def _started(
    command: Sequence[str], env: Mapping[str, str], cwd: Path, mark: str, out: IO[bytes], err: IO[bytes]
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        env={**env, MARK: mark},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=err,
        start_new_session=True,
    )


def end_all(mark: str, process: "subprocess.Popen[bytes]") -> None:
    """Ends a process and everything that came of it: asked first, then made to. No signal interrupts it half-way."""
    known: frozenset[_Alive] = frozenset()
    with _undisturbed():
        for how, wait_s in ((signal.SIGTERM, _GRACE_S), (signal.SIGKILL, _GRACE_S)):
            known = _came_of(mark, process.pid, known)
            for one in known:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one.pid, how)
            until = time.monotonic() + wait_s
            while time.monotonic() < until and (process.poll() is None or known):
                time.sleep(_LOOK_S)
                known = _came_of(mark, process.pid, known)
        process.wait()


def leave_on_signals(say: Callable[[str], object]) -> None:
    """From now on a signal that asks this process to end makes it leave by `SystemExit`, which ends all that runs; of more
    such signals nothing comes, so that the ending is not left half-way."""

    def leave(number: int, _: object) -> None:
        for each in _ENDING:
            signal.signal(each, signal.SIG_IGN)
        say("ending all that runs; this takes some seconds")
        sys.exit(128 + number)

    for each in _ENDING:
        signal.signal(each, leave)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """A signal that asks this process to end does so afterwards."""
    if threading.current_thread() is not threading.main_thread():  # signals are told to the main one
        yield
        return
    came: list[int] = []
    before = {each: signal.signal(each, lambda number, _: came.append(number)) for each in _ENDING}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, signal.SIG_DFL if handler is None else handler)
    for number in came[:1]:
        signal.raise_signal(number)


@dataclass(frozen=True)
class _Alive:
    """A living process; `began` tells it from an earlier one of the same id."""

    pid: int
    parent: int
    session: int
    began: int


def _came_of(mark: str, session: int, known: frozenset[_Alive]) -> frozenset[_Alive]:
    """The living processes that carry a mark, are of a session, were known before, or are children of such."""
    living, with_mark = _living(), marked(mark)
    began = {(one.pid, one.began) for one in known}
    found = {one for one in living if one.pid in with_mark or one.session == session or (one.pid, one.began) in began}
    while more := {one for one in living if one.parent in {each.pid for each in found}} - found:
        found |= more
    return frozenset(found)


def _living() -> list[_Alive]:
    found = []
    for entry in _PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent, _, session, *rest = (entry / "stat").read_text().rpartition(")")[2].split()
            if state not in _OVER:
                found.append(_Alive(int(entry.name), int(parent), int(session), int(rest[_BEGAN])))
    return found


def marked(mark: str) -> set[int]:
    """The living processes that carry a mark."""
    wanted = f"{MARK}={mark}".encode()
    found = set()
    for entry in _PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.add(int(entry.name))
    return found

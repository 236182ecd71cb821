"""Processes that end: each within its time, and with it whatever it started, even what left its session.

Everything that a run starts carries a mark in its environment, by which it is found (/proc) and ended, each by its id.
"""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Final
from uuid import uuid4

MARK: Final = "PORTICO_CLIENTS_RUN"
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
    """Ends a process and everything that carries its mark: asked first, then made to."""
    for how, wait_s in ((signal.SIGTERM, _GRACE_S), (signal.SIGKILL, _GRACE_S)):
        for pid in marked(mark) | ({process.pid} if process.poll() is None else set()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, how)
        until = time.monotonic() + wait_s
        while time.monotonic() < until and (process.poll() is None or marked(mark)):
            time.sleep(0.02)
    process.wait()


def marked(mark: str) -> set[int]:
    """The living processes that carry a mark."""
    wanted = f"{MARK}={mark}".encode()
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.add(int(entry.name))
        except OSError:
            continue
    return found

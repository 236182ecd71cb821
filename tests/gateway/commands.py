"""`portico` as a process of its own: started, read line by line, signalled, and looked at from outside."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from gateway.house import PATIENCE_S, soon, until

PROGRAM = ("-m", "portico")
KEPT = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "PYTHONPATH", "SYSTEMROOT", "TMPDIR", "VIRTUAL_ENV")


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without any setting of Portico's, and what a test adds."""
    kept = {name: value for name, value in os.environ.items() if name in KEPT}
    return {**kept, "PYTHONUNBUFFERED": "1", **(extra or {})}


class Command:
    """A running `portico`. It leads a session of its own, so that nothing it leaves behind can hide."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path, env: Mapping[str, str]) -> None:
        self._process = process
        self._folder = folder
        self._env = env
        self.pid = process.pid
        self.said = ""
        """Standard output so far."""
        self.complained = ""
        """And the error output."""

    @classmethod
    async def start(
        cls, *arguments: str, folder: Path, env: Mapping[str, str] | None = None, program: Sequence[str] = PROGRAM
    ) -> "Command":
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                *program,
                *arguments,
                cwd=folder,
                env=environment(env),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            ),
            folder,
            env or {},
        )

    async def read_until(self, pattern: str) -> re.Match[str]:
        """Reads what it says until the pattern is in it."""
        assert self._process.stdout is not None
        while (found := re.search(pattern, self.said)) is None:
            line = await soon(self._process.stdout.readline())
            if not line:
                raise AssertionError(f"it ended without saying {pattern!r}: {self.said}{(await self.end())[2]}")
            self.said += line.decode()
        return found

    async def complains(self, pattern: str) -> None:
        """Reads its error output until the pattern is in it."""
        assert self._process.stderr is not None
        while re.search(pattern, self.complained) is None:
            line = await soon(self._process.stderr.readline())
            assert line, self.complained
            self.complained += line.decode()

    async def port(self) -> int:
        """The port it says it listens on, once it has said everything of its greeting."""
        found = await self.read_until(r"https?://[^\s/]+:(\d+)")
        await self.read_until("Ctrl-C")
        return int(found.group(1))

    @property
    def key(self) -> str:
        """Of the account `default`, as the start that made it tells it, and the file keeps it."""
        found = re.search(r"Key +(\S+)\s+\(from (\S+)\)", self.said)
        assert found is not None
        if not found[1].endswith("…"):
            return found[1]
        if found[2] == "env:PORTICO_API_KEY":
            return self._env["PORTICO_API_KEY"]
        return (self._folder / found[2]).read_text(encoding="ascii").strip()

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def send_to_all(self, number: signal.Signals) -> None:
        """As a terminal does with Ctrl-C: the whole group gets it."""
        os.killpg(self.pid, number)

    async def end(self) -> tuple[int, str, str]:
        """Exit code, output and error output, once it has ended by itself."""
        out, err = await soon(self._process.communicate())
        self.said += out.decode()
        self.complained += err.decode()
        assert self._process.returncode is not None
        return self._process.returncode, self.said, self.complained

    @property
    def left(self) -> list[int]:
        """The processes of its session that are still there (zombies are not)."""
        return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _session(pid) == self.pid]

    @property
    def children(self) -> list[int]:
        return sorted(pid for pid in self.left if pid != self.pid)

    async def has_workers(self, workers: int) -> None:
        """Every worker is there: processes of their own, if they are several."""
        await until(lambda: len(self.children) == (0 if workers == 1 else workers))

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


def _session(pid: int) -> int | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
    except OSError:
        return None
    state, session = fields[0], int(fields[3])
    return None if state == "Z" else session


def resident_bytes(pid: int) -> int:
    """VmRSS."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found.group(1)) * 1024


def catches(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler of its own for a signal (proc(5), SigCgt)."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    found = re.search(r"^SigCgt:\s*([0-9a-f]+)$", status, re.MULTILINE)
    return found is not None and bool(int(found.group(1), 16) >> (number - 1) & 1)


def has_open(pid: int, path: Path) -> bool:
    """Whether a process has a file open, whatever its name was when it was opened."""
    return any(file.resolve() == path for file in Path(f"/proc/{pid}/fd").iterdir())


@contextlib.asynccontextmanager
async def portico(
    *arguments: str, folder: Path, env: Mapping[str, str] | None = None, program: Sequence[str] = PROGRAM
) -> AsyncIterator[Command]:
    """A `portico` that is gone, with all its children, when the test is over."""
    command = await Command.start(*arguments, folder=folder, env=env, program=program)
    try:
        yield command
    finally:
        command.kill()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await command._process.communicate()


async def run(
    *arguments: str, folder: Path, env: Mapping[str, str] | None = None, program: Sequence[str] = PROGRAM
) -> tuple[int, str, str]:
    """A `portico` that ends by itself: exit code, output, error output."""
    async with portico(*arguments, folder=folder, env=env, program=program) as command:
        return await command.end()


async def run_with(
    data: bytes, *arguments: str, folder: Path, env: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    """Runs a command that is told something on its standard input."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *PROGRAM, *arguments),
        cwd=folder,
        env=environment(env),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await soon(process.communicate(data))
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()

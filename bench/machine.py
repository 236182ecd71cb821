"""What the kernel knows of a process tree (/proc: CPU time, memory), and processes that are bound to a core.

Linux only. CPU time of a living process is read to the nanosecond from its own clock; that of children that have ended is
known in ticks of 10 ms.
"""

import contextlib
import os
import platform
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from portico.web.evidence import Machine

_TICK_US: Final = 1_000_000 / os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_CORES: Final = sorted(os.sched_getaffinity(0))
GATEWAY_CORE: Final = _CORES[0]
LOAD_CORE: Final = _CORES[min(1, len(_CORES) - 1)]
"""The gateway has a core of its own; load and upstream share the other."""
PRIORITY: Final = -10
"""Niceness of what runs here, where that may be set: the gateways are measured, not the machine's other users."""
Command = tuple[list[str], dict[str, str]]
"""How a gateway is started: the command, and what its environment has beside ours."""
STOP_S: Final = 15.0
"""How long a process may take to end when told to."""


def tree(pid: int) -> list[int]:
    """A process and all its descendants that live now, parents before children."""
    pids = [pid]
    for parent in pids:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                pids += [int(child) for child in task.read_text().split()]
            except OSError:
                continue
    return pids


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third (state) on; none when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def cpu_us(pid: int) -> float:
    """User and system time of the whole tree so far, children that have ended included, in microseconds."""
    total = 0.0
    for member in tree(pid):
        if stat := _stat(member):
            total += _own_cpu_us(member) + sum(int(field) for field in stat[13:15]) * _TICK_US
    return total


def _own_cpu_us(pid: int) -> float:
    """Of all threads of one process: clock_getcpuclockid(3), of which Linux makes no secret."""
    try:
        return time.clock_gettime_ns((~pid << 3) | 2) / 1000
    except OSError:
        return 0.0


@contextmanager
def coming_first() -> Iterator[None]:
    """Lets this process, and what it starts, run before the machine's other users if that is allowed.

    Where the kernel shares out its cores by session first (man 7 sched, autogroup), the session has to come first too.
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
    session = Path("/proc/self/autogroup")
    before = None
    with contextlib.suppress(OSError):
        before = session.read_text().split()[-1]
        session.write_text(str(PRIORITY))
    try:
        yield
    finally:
        if before is not None:
            with contextlib.suppress(OSError):
                session.write_text(before)


def rss_bytes(pid: int) -> int:
    """Resident memory of the whole tree; pages shared between its processes count once for each."""
    total = 0
    for member in tree(pid):
        try:
            total += int(Path(f"/proc/{member}/statm").read_text().split()[1]) * _PAGE
        except OSError:
            continue
    return total


def peak_rss_bytes(pid: int) -> int:
    """The most memory that each process of the tree held since `forget_peak`, added up."""
    total = 0
    for member in tree(pid):
        try:
            lines = Path(f"/proc/{member}/status").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    return total


def forget_peak(pid: int) -> None:
    """Lets `peak_rss_bytes` begin anew at what is resident now (man 5 proc, clear_refs)."""
    for member in tree(pid):
        Path(f"/proc/{member}/clear_refs").write_text("5")


def started(
    command: Sequence[str], *, core: int, log: Path, env: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """A process bound to a core, its output added to a file."""
    with log.open("ab") as out:
        bound = ["taskset", "-c", str(core), *command]
        return subprocess.Popen(bound, env={**os.environ, **(env or {})}, stdout=out, stderr=out)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Ends a process that was started here and what it started, each by its id, and waits for it."""
    members = {pid: stat[19] for pid in tree(process.pid) if (stat := _stat(pid))}
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_S)
    for pid, born in members.items():
        if pid != process.pid and (stat := _stat(pid)) and stat[19] == born:
            os.kill(pid, signal.SIGKILL)


def wait_until(ready: Callable[[], bool], timeout_s: float) -> float:
    """Calls `ready()` every 5 ms until it is true; how long that took, in seconds. Raises `TimeoutError`."""
    begin = time.monotonic()
    while not ready():
        if time.monotonic() - begin > timeout_s:
            raise TimeoutError(f"not ready after {timeout_s:.0f} s")
        time.sleep(0.005)
    return time.monotonic() - begin


def facts() -> Machine:
    """The machine, and how busy it was in the last minute."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
    system, python = f"Linux {platform.release()}", platform.python_version()
    return Machine(model, len(_CORES), system, python, round(os.getloadavg()[0], 1))


def described(machine: Machine) -> str:
    """The same in a line."""
    return f"{machine.cpu}, {machine.cores} cores, {machine.system}, load average {machine.load_average:.1f}"

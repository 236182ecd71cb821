"""Where Portico's CPU time goes under one workload: `make profile`, `make profile WORKLOAD=agent OPTIONS=--calls`.

    python -m bench.profile small            sampled by the clock of the process's own CPU time: waiting costs nothing
    python -m bench.profile event --calls    every call counted (cProfile): exact, and several times slower

The gateway is started as the bench starts it, with this module around `portico serve`; nothing else is needed, and nothing
of it is in the gateway that is measured.
"""

import argparse
import atexit
import contextlib
import cProfile
import io
import os
import pstats
import runpy
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final

import msgspec

from bench import workloads
from bench.contenders import ROOT, Contender, portico_at
from bench.load import streams
from bench.machine import LOAD_CORE, Command
from bench.rows import QUICK, Bench, provider
from bench.upstream import Manner

EVERY_S: Final = 0.001
WORKLOADS: Final[dict[str, tuple[Callable[[str], workloads.Body], bool, Manner]]] = {
    "small": (workloads.small, False, Manner()),
    "agent": (workloads.agent, False, Manner()),
    "answer": (workloads.small, False, Manner(large=True)),
    "image": (workloads.image, False, Manner()),
    "event": (workloads.small, True, Manner()),
    "agent_stream": (workloads.agent, True, Manner()),
}
"""What is asked, whether streamed, and how the provider answers."""


# -- inside the gateway ----------------------------------------------------------------------------------------------


class Sampler:
    """Notes where the process is each time it has used up so much CPU time."""

    def __init__(self) -> None:
        self.lines: Counter[str] = Counter()
        self.within: Counter[str] = Counter()
        """Functions that were on the stack, each counted once."""

    def start(self) -> None:
        signal.signal(signal.SIGPROF, self._note)
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)

    def _note(self, _number: int, frame: FrameType | None) -> None:
        if frame is None:
            return
        self.lines[f"{_short(frame.f_code.co_filename)}:{frame.f_lineno} {frame.f_code.co_name}"] += 1
        names = set()
        at: FrameType | None = frame
        while at is not None:
            names.add(f"{_short(at.f_code.co_filename)} {at.f_code.co_name}")
            at = at.f_back
        self.within.update(names)

    def report(self) -> str:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, signal.SIG_IGN)  # One may be under way.
        total = max(1, self.lines.total())
        told = [f"{total} samples", "", "by line, itself (what it calls in C included)"]
        told += [f"{100 * count / total:6.1f} %  {place}" for place, count in self.lines.most_common(40)]
        told += ["", "by function, with all it calls"]
        told += [f"{100 * count / total:6.1f} %  {place}" for place, count in self.within.most_common(60)]
        return "\n".join(told)


def _short(path: str) -> str:
    return path.rpartition("/src/")[2] or path


def serve_profiled(out: Path, *, calls: bool, arguments: list[str]) -> None:
    """`portico` with these arguments, its profile written when it ends."""
    sys.argv = ["portico", *arguments]
    if calls:
        profile = cProfile.Profile()
        atexit.register(lambda: out.write_text(_calls_of(profile), encoding="utf-8"))
        profile.enable()
    else:
        sampler = Sampler()
        atexit.register(lambda: out.write_text(sampler.report(), encoding="utf-8"))
        sampler.start()
    runpy.run_module("portico", run_name="__main__")


def _calls_of(profile: cProfile.Profile) -> str:
    profile.disable()
    text = io.StringIO()
    pstats.Stats(profile, stream=text).sort_stats("tottime").print_stats(60)
    return text.getvalue()


# -- around it -------------------------------------------------------------------------------------------------------


def _profiled(out: Path, *, calls: bool) -> Contender:
    plain = portico_at(ROOT)

    def start(folder: Path, port: int, upstream_port: int) -> Command:
        command, env = plain.start(folder, port, upstream_port)
        arguments = command[command.index("portico") + 1 :]
        inner = ["-m", "bench.profile", "--inside", str(out), *(["--calls"] if calls else []), "--", *arguments]
        return [command[0], *inner], {**env, "PYTHONPATH": f"{env['PYTHONPATH']}{os.pathsep}{ROOT}"}

    return msgspec.structs.replace(plain, start=start)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def profiled(workload: str, *, calls: bool, seconds: float) -> str:
    """The profile of a workload."""
    made, streamed, manner = WORKLOADS[workload]
    with _folder() as folder, provider(folder) as port:
        out = folder / "profile.txt"
        bench = Bench(folder, QUICK, port, lambda _what, _error: None)
        running = bench.start(_profiled(out, calls=calls))
        try:
            bench.behave(manner)
            if streamed:
                streams(running.ask(made, stream=True), count=100, seconds=seconds)
            else:
                bench.whole(running, running.ask(made), seconds=seconds)
        finally:
            running.stop()
        return out.read_text(encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workload", nargs="?", default="small", choices=[*WORKLOADS])
    parser.add_argument("--calls", action="store_true", help="count every call")
    parser.add_argument("--seconds", type=float, default=5.0)
    options: Any = parser.parse_args()
    os.sched_setaffinity(0, {LOAD_CORE})
    print(profiled(options.workload, calls=options.calls, seconds=options.seconds))
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        at = sys.argv.index("--")
        serve_profiled(Path(sys.argv[2]), calls="--calls" in sys.argv[:at], arguments=sys.argv[at + 1 :])
    else:
        sys.exit(main())

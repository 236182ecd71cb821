"""Running until somebody says stop."""

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Final

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def listen_for_stop(lifeline: int | None = None) -> asyncio.Event:
    """Set on SIGINT or SIGTERM, from now on: who is told to stop while it starts stops in good order, too.

    `lifeline`: of a worker, the end of a pipe whose other end its supervisor holds. A worker also stops when that one is
    gone, however it went, and leaves to it what a second signal means: some managers send each signal to every process.
    """
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    if lifeline is not None:
        loop.add_reader(lifeline, stopped.set)
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stopped.set)
    return stopped


async def run_until_stopped(stopped: asyncio.Event, lifeline: int | None = None) -> None:
    """Returns once what `listen_for_stop` gave is set. A second signal is not caught: it ends the process at once."""
    loop = asyncio.get_running_loop()
    await stopped.wait()
    if lifeline is not None:
        loop.remove_reader(lifeline)
        return
    for number in STOP_SIGNALS:
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL)  # the kernel's, so that it works though the loop be busy


YOUNG_OBJECTS: Final = 50_000
"""How many more objects there may be before cycles among them are looked for. Most of what a call makes is freed without
being looked for; a stream's events alone would start a search many times a second."""


KEPT_BYTES: Final = 4 * 1024 * 1024
"""The C library gives memory back to the system as soon as 128 KB at the end of the heap are free, and asks for it again
with the next body: sixteen page faults for each turn of an agent. Of the largest piece that was ever freed it learns to
keep twice as much (mallopt(3), M_MMAP_THRESHOLD), so that it is shown one. Where it does not, nothing is lost."""


def settle_memory() -> None:
    """To be called once everything is set up: what is there now is not searched for cycles again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 5, 10)
    bytearray(KEPT_BYTES)  # and let go of, which is all that it is for


def allow_files() -> None:
    """Lets this process have as many files open as it may. A call takes two, and what systems give to a process that does
    not ask (1024) is there for who passes descriptors to `select`."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):  # macOS promises more than it gives
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def run(main: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Runs on uvloop where there is one."""
    allow_files()
    factory = None
    with contextlib.suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main())

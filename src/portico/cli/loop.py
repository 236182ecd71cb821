"""Running until somebody says stop."""

import asyncio
import contextlib
import gc
import signal
from collections.abc import Callable, Coroutine
from typing import Any, Final


async def run_until_stopped() -> None:
    """Returns on SIGINT or SIGTERM. A second one is not caught: it ends the process at once."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()

    def stop(number: int) -> None:
        stopped.set()
        loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    await stopped.wait()


YOUNG_OBJECTS: Final = 50_000
"""How many more objects there may be before cycles among them are looked for. Most of what a call makes is freed without
being looked for; a stream's events alone would start a search many times a second."""


def settle_memory() -> None:
    """To be called once everything is set up: what is there now is not searched for cycles again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 50)


def run(main: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Runs on uvloop where there is one."""
    factory = None
    with contextlib.suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main())

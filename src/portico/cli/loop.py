"""Running until somebody says stop."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine
from typing import Any


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


def run(main: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Runs on uvloop where there is one."""
    factory = None
    with contextlib.suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main())

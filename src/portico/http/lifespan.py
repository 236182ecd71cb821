"""The lifespan of an ASGI app: told of the start before the first request, and of the end after the last.

An app need not know of it: one that raises when it is told of the start, or returns, is served all the same and told no
more (ASGI, lifespan 2.0). One that says `lifespan.startup.failed` stops the start, with its message.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias

log = logging.getLogger("portico.http")

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

SHUTDOWN_S: Final = 10.0
"""How long an app may take to wind up."""
_COMPLETE: Final = "lifespan.startup.complete"
_FAILED: Final = "lifespan.startup.failed"


class StartupFailed(Exception):
    """The web app could not start."""


class Lifespan:
    """One run of an app's lifespan protocol, in a task of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.state: dict[str, Any] = {}
        """What the app made at its start; each request is given a shallow copy."""
        self._task: asyncio.Task[None] | None = None
        self._told: asyncio.Queue[str] = asyncio.Queue()
        self._said: list[tuple[str, str]] = []
        """What the app said: type and text of its messages."""
        self._heard = asyncio.Event()

    async def start(self) -> None:
        """Returns when the app is ready, or has shown that it has no lifespan. Raises `StartupFailed`."""
        task = self._task = asyncio.get_running_loop().create_task(self._run())
        task.add_done_callback(lambda _: self._heard.set())
        self._told.put_nowait("lifespan.startup")
        await self._heard.wait()
        said, text = self._said[0] if self._said else ("", "")
        if said == _COMPLETE:
            return
        await self._end()
        if said == _FAILED:
            raise StartupFailed(text or "The web app could not start.")

    async def stop(self) -> None:
        """Tells the app of the end and waits for it, for a while. Never raises for what the app does."""
        if self._task is not None and not self._task.done():
            self._heard.clear()
            self._told.put_nowait("lifespan.shutdown")
            try:
                async with asyncio.timeout(SHUTDOWN_S):
                    await self._heard.wait()
            except TimeoutError:
                log.error("the web app did not end within %g s", SHUTDOWN_S)
            for said, text in self._said[1:]:
                if said == "lifespan.shutdown.failed":
                    log.error("the web app did not end well: %s", text)
        await self._end()

    async def _end(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self._app(scope, self._receive, self._send)
        except Exception as error:
            if not self._said:
                log.info("the web app has no lifespan (%s)", type(error).__name__)
            elif self._said[-1][0] == _COMPLETE:  # else it has said itself what failed
                log.exception("the web app's lifespan failed")

    async def _receive(self) -> Message:
        return {"type": await self._told.get()}

    async def _send(self, message: Message) -> None:
        self._said.append((message["type"], message.get("message", "")))
        self._heard.set()

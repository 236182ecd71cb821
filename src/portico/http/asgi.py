"""The ASGI bridge: an ASGI 3 app served on the gateway's own listener, one exchange at a time.

The rule it keeps: an app sees what the ASGI specification (HTTP 2.3) says and nothing of ours. A caller that leaves is told
to the app as `http.disconnect`, not by cancelling it, for an app may have more to do than to answer; once the caller has
left, `send` raises `CallerGone`, which ends an app that writes for ever. (The specification asks for that from 2.4 on;
2.3 is what is declared, since apps then wait for the disconnect of their own accord, also while they have nothing to send.)

The body has been read to its end, within the server's limits, before an app is called. An upgrade offered is ignored.
"""

import asyncio
from typing import Final
from urllib.parse import unquote

from portico.http.exchange import HttpExchange
from portico.http.lifespan import ASGIApp, Lifespan, Message, Scope, StartupFailed

__all__ = ["ASGIApp", "AsgiBridge", "CallerGone", "StartupFailed"]

SPEC: Final = {"version": "3.0", "spec_version": "2.3"}
_WITHOUT_LENGTH: Final = frozenset({204, 304})


class CallerGone(ConnectionError):
    """The caller has left; nothing more can be sent to it."""


class AsgiBridge:
    """Serves one ASGI app. `start` before the first request and `stop` after the last run its lifespan."""

    def __init__(self, app: ASGIApp, *, root_path: str = "") -> None:
        self._app = app
        self._root_path = root_path
        self._lifespan = Lifespan(app)

    async def start(self) -> None:
        """Raises `StartupFailed` with the app's own message."""
        await self._lifespan.start()

    async def stop(self) -> None:
        await self._lifespan.stop()

    async def __call__(self, exchange: HttpExchange) -> None:
        call = _Call(exchange)
        exchange.on_gone(call.caller_gone)
        try:
            await self._app(self._scope(exchange), call.receive, call.send)
        except Exception as error:
            if not (call.left and _comes_of_leaving(error)):
                raise

    def _scope(self, exchange: HttpExchange) -> Scope:
        request = exchange.request
        caller, here = exchange.ends()
        if caller is None or caller[0] != request.peer:  # a trusted proxy told of another, and not of its port
            caller = (request.peer, 0) if request.peer else None
        return {
            "type": "http",
            "asgi": dict(SPEC),
            "http_version": "1.0" if exchange.version_1_0 else "1.1",
            "method": request.method,
            "scheme": request.scheme,
            "path": self._root_path + unquote(request.path),
            "raw_path": (self._root_path + request.path).encode("ascii"),
            "query_string": request.query.encode("ascii"),
            "root_path": self._root_path,
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers.items()],
            "client": caller,
            "server": here,
            "state": dict(self._lifespan.state),
            "extensions": {},
        }


class _Call:
    """`receive` and `send` of one exchange."""

    __slots__ = ("_exchange", "_given", "_over", "_start", "left")

    def __init__(self, exchange: HttpExchange) -> None:
        self._exchange = exchange
        self._given = False
        """The app has been given the body."""
        self._start: tuple[int, list[tuple[str, str]]] | None = None
        """Status and headers; held back until the body begins, so that until then a failure is a 500."""
        self._over = asyncio.Event()
        """The answer is complete, or the caller has left."""
        self.left = False

    def caller_gone(self) -> None:
        self.left = True
        self._over.set()

    async def receive(self) -> Message:
        if not self._given:
            self._given = True
            return {"type": "http.request", "body": self._exchange.request.body, "more_body": False}
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self.left:
            raise CallerGone("the caller has left")
        if self._over.is_set():
            raise RuntimeError(f"{message['type']} after the end of the answer")
        match message["type"]:
            case "http.response.start":
                if self._start is not None:
                    raise RuntimeError("an answer was already started")
                self._start = (message["status"], _headers(message))
            case "http.response.body":
                await self._body(bytes(message.get("body", b"")), more=message.get("more_body", False))
            case unknown:
                raise RuntimeError(f"{unknown!r} is no message of an HTTP answer")

    async def _body(self, data: bytes, *, more: bool) -> None:
        if self._start is None:
            raise RuntimeError("http.response.body before http.response.start")
        exchange = self._exchange
        if not exchange.started:
            status, headers = self._start
            if not more:
                exchange.send(status, headers, data)
                self._over.set()
                return
            exchange.start(status, headers)
        exchange.write(data)
        if more:
            await exchange.drain()
            if self.left:
                raise CallerGone("the caller has left")
        else:
            exchange.finish()
            self._over.set()


def _headers(message: Message) -> list[tuple[str, str]]:
    """A status without a body may tell of a length all the same (RFC 9110 8.6), and is framed without it."""
    bodiless = message["status"] in _WITHOUT_LENGTH
    fields = [(bytes(n).decode("latin-1").lower(), bytes(v).decode("latin-1")) for n, v in message.get("headers", ())]
    return [field for field in fields if not (bodiless and field[0] == "content-length")]


def _comes_of_leaving(error: BaseException | None) -> bool:
    """Whether an app failed only because its caller left: then there is nobody to tell and nothing to mend."""
    while error is not None:
        if isinstance(error, CallerGone):
            return True
        if isinstance(error, BaseExceptionGroup) and all(map(_comes_of_leaving, error.exceptions)):
            return True
        error = error.__cause__
    return False

"""What an app was asked, written down: a JSON line for each request, once it is answered.

The rule kept: no credential is written. Bodies are, whole: this is for tests and for whoever wants to see what a client, or
Portico itself, sends.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from portico.wire.http import App, Exchange, Headers, HttpRequest
from portico.wire.jsontext import NotJson, decode
from portico.wire.wrapped import Wrapped

_SECRET: Final = frozenset({"authorization", "x-api-key", "x-goog-api-key", "api-key", "cookie", "proxy-authorization"})


class Line(msgspec.Struct):
    """One request. `body` is its JSON, None where it has none; `status` is 0 where nobody waited for an answer."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: Any
    body_bytes: int
    status: int


class Recording:
    """An App that hands on to another, and gives `write` a line, with its end, for each exchange."""

    def __init__(self, app: App, write: Callable[[bytes], object]) -> None:
        self._app = app
        self._write = write

    async def __call__(self, exchange: Exchange) -> None:
        watched, body = _Watched(exchange), exchange.request.body
        try:
            await self._app(watched)
        finally:
            self._write(msgspec.json.encode(_line(exchange.request, body, watched.status)) + b"\n")


def _line(request: HttpRequest, body: bytes, status: int) -> Line:
    try:
        told = decode(body) if body else None
    except NotJson:
        told = None
    headers = {name: value for name, value in request.headers.items() if name not in _SECRET}
    return Line(request.method, request.path, request.query, headers, told, len(body), status)


class _Watched(Wrapped):
    """An exchange whose status is noted as it goes out."""

    status = 0

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        self.status = status
        self._exchange.send(status, headers, body)

    def start(self, status: int, headers: Headers) -> None:
        self.status = status
        self._exchange.start(status, headers)

    def write(self, data: bytes) -> bool:
        return self._exchange.write(data)

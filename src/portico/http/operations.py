"""What an operator's machines ask: is it alive, is it ready, what are its numbers.

    GET /healthz    200 while the event loop turns
    GET /readyz     200 while calls are taken; 503, and why not, while starting and draining, and while the database is away
                    (?exclude=storage: whatever is with that)
    GET /metrics    for Prometheus: on a listener of its own, or with the admin key

These say nothing that is secret, are not logged and count against no budget: who is overloaded is still alive. A caller's
key opens none of them.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final
from urllib.parse import parse_qs

from portico.http.adminkey import CHALLENGE, AdminKey
from portico.http.exchange import HttpExchange
from portico.http.readiness import Readiness
from portico.providers import Secret
from portico.wire import jsontext
from portico.wire.http import Exchange, Headers

_JSON: Final = ("content-type", "application/json")
_NEVER_KEPT: Final = ("cache-control", "no-store")
METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Operations:
    """What a server serves, around another app: answers these paths itself and leaves every other to the inner one."""

    def __init__(
        self,
        inner: Callable[[HttpExchange], Awaitable[None]] | None,
        readiness: Readiness,
        *,
        metrics: Callable[[], bytes] | None = None,
        admin_key: Secret | None = None,
        public: bool = False,
    ) -> None:
        """`inner`: None, and there is nothing else here. `metrics` are told to whoever brings the `admin_key`, or to
        everybody if the listener is a `public` one of its own."""
        self._inner = inner
        self._readiness = readiness
        self._admin_key = AdminKey(admin_key)
        self._pages: dict[str, Callable[[Exchange], Awaitable[None]]] = {
            "/healthz": self._healthz,
            "/readyz": self._readyz,
        }
        if metrics is not None and (public or admin_key is not None):
            self._pages["/metrics"] = partial(self._numbers, metrics, public)

    def __call__(self, exchange: HttpExchange) -> Awaitable[None]:
        page = self._pages.get(exchange.request.path)
        if page is not None:
            return page(exchange)
        return _nothing_here(exchange) if self._inner is None else self._inner(exchange)

    async def _healthz(self, exchange: Exchange) -> None:
        _answer(exchange, 200, {"status": "ok"})

    async def _readyz(self, exchange: Exchange) -> None:
        excluded = parse_qs(exchange.request.query).get("exclude", ())
        reasons = sorted(self._readiness.reasons.difference(excluded))
        if reasons:
            _answer(exchange, 503, {"status": "unready", "reasons": reasons})
        else:
            _answer(exchange, 200, {"status": "ready"})

    async def _numbers(self, metrics: Callable[[], bytes], public: bool, exchange: Exchange) -> None:
        if not (public or self._admin_key.is_brought(exchange.request.headers)):
            _answer(exchange, 401, {"error": "The admin key is missing or wrong."}, CHALLENGE)
        elif _is_read(exchange):
            exchange.send(200, [("content-type", METRICS_TYPE), _NEVER_KEPT], metrics())


async def _nothing_here(exchange: Exchange) -> None:
    _answer(exchange, 404, {"error": "There is nothing at this address."})


def _is_read(exchange: Exchange) -> bool:
    """Whether this is GET or HEAD; any other method is refused."""
    if exchange.request.method in ("GET", "HEAD"):
        return True
    body = jsontext.encode({"error": "This address answers to GET and HEAD."})
    exchange.send(405, [_JSON, ("allow", "GET, HEAD")], body)
    return False


def _answer(exchange: Exchange, status: int, body: object, *headers: tuple[str, str]) -> None:
    if _is_read(exchange):
        fields: Headers = [_JSON, _NEVER_KEPT, *headers]
        exchange.send(status, fields, jsontext.encode(body))

"""The gateway's app: who may call, what is done at which address, and how a failure is told.

Addresses are in `http/routes.py`, lists of models in `http/listing.py`, calls in `relay/relay.py`.

Every answer carries its request id three times: `x-portico-request-id`, and `x-request-id` and `request-id`, which SDKs
read. A caller's key is taken out of the query before anything else sees it.
"""

import logging
import math
import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from random import Random
from typing import Any, Final

import msgspec

from portico.accounts import Keyring
from portico.catalog import Catalog
from portico.core.dialect import Dialect
from portico.core.errors import MethodNotAllowed, PorticoError, RequestTooLarge, UpstreamError
from portico.core.ids import random_token
from portico.http.listing import gemini_list, gemini_model, openai_list, openai_model
from portico.http.query import NOTHING, Query, read_query
from portico.http.routes import GEMINI, METHODS, Action, Route, dialect_at, find_route
from portico.providers import Verb
from portico.relay.relay import Relay
from portico.wire import jsontext
from portico.wire.framing import ArrayFraming, EventFraming, Framing
from portico.wire.http import Exchange, Headers, HttpRequest

log = logging.getLogger("portico.gateway")
JSON: Final = ("content-type", "application/json")


class Gateway:
    """An `App`: authenticates, routes, and turns exceptions into answers."""

    def __init__(
        self,
        *,
        relay: Relay,
        catalog: Catalog,
        keyring: Keyring,
        rng: Random,
        now: Callable[[], float] = time.time,
        simulated: bool = False,
    ) -> None:
        self._relay = relay
        self._catalog = catalog
        self._keyring = keyring
        self._rng = rng
        self._now = now
        self._simulated = simulated

    async def __call__(self, exchange: Exchange) -> None:
        query = read_query(exchange.request.query)
        answer = _Identified(exchange, self._new_id(), query)
        request = answer.request
        route: Route | None = None
        try:
            route = find_route(request.method, request.path, query, request.headers)
            _expect(request, *METHODS[route.action])
            key = None if query.key is None else query.key.reveal()
            tenant = self._keyring.authenticate(request.headers, key).tenant
            await self._answer(answer, route, query, tenant)
        except PorticoError as error:
            self._refuse(answer, route, query, error)
        except Exception:
            log.exception("request %s failed", answer.request_id)
            if answer.started:
                answer.abort()
            else:
                self._refuse(answer, route, query, PorticoError("The gateway had an internal error."))

    async def _answer(self, exchange: "_Identified", route: Route, query: Query, tenant: str) -> None:
        if route.action is Action.CALL:
            framing = _framing(route, query)
            await self._relay.serve(
                exchange, route.dialect, tenant, model=route.model, verb=route.verb, framing=framing
            )
        else:
            exchange.send(200, [JSON], jsontext.encode(self._models(route, query)))

    def _models(self, route: Route, query: Query) -> dict[str, Any]:
        catalog, google = self._catalog, route.dialect is GEMINI
        if route.model is not None:
            return gemini_model(catalog, route.model) if google else openai_model(catalog, route.model)
        if google:
            return gemini_list(catalog, self._today(), query.parameters)
        return openai_list(catalog, self._today())

    def _today(self) -> date:
        return datetime.fromtimestamp(self._now(), UTC).date()

    def _refuse(self, exchange: "_Identified", route: Route | None, query: Query, error: PorticoError) -> None:
        if exchange.started:
            exchange.abort()
            return
        request = exchange.request
        telling = _Telling(dialect_at(request.path, query, request.headers))
        if route is not None:
            telling.be_as_asked(route, query)
        headers = [JSON, *error_headers(error)]
        if self._simulated:
            headers.append(("x-portico-simulated", "1"))
        exchange.send(error.http_status, headers, telling.body(error))

    def render_protocol_error(
        self, status: int, message: str, path: str, headers: Mapping[str, str]
    ) -> tuple[Headers, bytes]:
        """An error of the connection itself (malformed, too large, too slow) in the shape callers at that path know."""
        error = RequestTooLarge(message) if status == 413 else _ProtocolError(message)
        if isinstance(error, _ProtocolError):
            error.answered_with = status
        body = _Telling(dialect_at(path, NOTHING, headers)).body(error)
        return [JSON, *_ids(self._new_id())], body

    def _new_id(self) -> str:
        return f"req_{random_token(self._rng)}"


def _framing(route: Route, query: Query) -> Framing | None:
    """How an answer to this call is framed if it is a stream; None where its dialect has but one way."""
    if route.dialect is not GEMINI:
        return None
    return EventFraming(GEMINI.frame) if query.wants_events() else ArrayFraming()


class _Telling:
    """How a call is told that it failed: in its dialect, and in an array where its answer would have been one.

    Google does the latter for a stream without `alt=sse`, and clients that read such streams find no error elsewhere.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._in_array = False

    def be_as_asked(self, route: Route, query: Query) -> None:
        self._dialect = route.dialect
        self._in_array = route.verb is Verb.STREAM and query.alt != "sse"

    def body(self, error: PorticoError) -> bytes:
        body = self._dialect.render_error(error)
        return jsontext.encode([body] if self._in_array else body)


def _ids(request_id: str) -> Headers:
    return (("x-portico-request-id", request_id), ("x-request-id", request_id), ("request-id", request_id))


def error_headers(error: PorticoError) -> Headers:
    """What an error says in headers: when to come back, the provider's own status, which methods there are."""
    headers: list[tuple[str, str]] = []
    if isinstance(error, UpstreamError):
        if error.retry_after_s is not None and math.isfinite(error.retry_after_s):
            headers.append(("retry-after", str(math.ceil(error.retry_after_s))))
        if error.upstream_status is not None:
            headers.append(("x-upstream-status", str(error.upstream_status)))
    if isinstance(error, MethodNotAllowed):
        headers.append(("allow", error.allow))
    return headers


class _Identified:
    """An exchange whose every answer carries its request id, and whose request no longer shows the caller's key."""

    def __init__(self, exchange: Exchange, request_id: str, query: Query) -> None:
        self._exchange = exchange
        self.request = exchange.request
        if query.rest != self.request.query:
            self.request = msgspec.structs.replace(self.request, query=query.rest)
        self.request_id = request_id
        self._ids = _ids(request_id)
        self.write = exchange.write
        self.drain = exchange.drain
        self.finish = exchange.finish
        self.abort = exchange.abort

    @property
    def started(self) -> bool:
        return self._exchange.started

    @property
    def congested(self) -> bool:
        return self._exchange.congested

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        self._exchange.send(status, [*headers, *self._ids], body)

    def start(self, status: int, headers: Headers) -> None:
        self._exchange.start(status, [*headers, *self._ids])


class _ProtocolError(PorticoError):
    """The request could not be read."""

    answered_with = 400

    @property
    def http_status(self) -> int:
        return self.answered_with


def _expect(request: HttpRequest, *methods: str) -> None:
    if request.method not in methods:
        message = f"{request.method} is not allowed here; use {methods[0]}."
        raise MethodNotAllowed(message, allow=", ".join(methods))

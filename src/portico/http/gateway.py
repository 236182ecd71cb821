"""The gateway's app: who may call, what is done at which address, and how a failure is told.

Addresses are in `http/routes.py`, lists of models in `http/listing.py`, calls in `relay/relay.py`.

Every answer carries its request id three times: `x-portico-request-id`, and `x-request-id` and `request-id`, which SDKs
read. A caller's key is taken out of the query before anything else sees it.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import partial
from random import Random
from typing import Any, Final, Protocol

import msgspec

from portico.accounts import Caller, Keyring, NoKey, UnknownKey, presented_key
from portico.accounts.keys import NO_KEY
from portico.accounts.lending import KEY_HEADER, Lending, sealed_in
from portico.catalog import Catalog
from portico.core.dialect import Dialect
from portico.core.errors import (
    AuthenticationFailed,
    BodyNotJson,
    GatewayBusy,
    LimitReached,
    MethodNotAllowed,
    PorticoError,
    RequestTooLarge,
    RouteNotFound,
    StorageUnavailable,
    UpstreamError,
)
from portico.core.ids import timed_id, without_secrets
from portico.http.account import AccountPages
from portico.http.budget import Budget
from portico.http.filepages import FilePages
from portico.http.idempotency import HEADER as KEY_OF_REPEATS
from portico.http.idempotency import Recorded, keyed, replay
from portico.http.kept import ResponsePages
from portico.http.listing import LISTINGS
from portico.http.query import NOTHING, Query, read_query
from portico.http.reader import Inquiry, Refusal
from portico.http.routes import GEMINI, METHODS, Action, Route, dialect_at, find_route, is_call_path, route_name
from portico.http.server import CODES
from portico.providers import Verb
from portico.relay.relay import Relay
from portico.relay.report import ATTEMPTS_HEADER, CALLER_GONE, FAILED, NOBODY, REFUSED, Observer, Report, tries_header
from portico.relay.tab import Once, Replayed
from portico.wire import jsontext
from portico.wire.framing import ArrayFraming, EventFraming, Framing
from portico.wire.http import Exchange, Headers, HttpRequest
from portico.wire.wrapped import Wrapped

log = logging.getLogger("portico.gateway")
JSON: Final = ("content-type", "application/json")
_LISTS: Final = (Action.LIST_MODELS, Action.SHOW_MODEL)
_KEPT: Final = (Action.RESPONSE, Action.RESPONSE_ITEMS)
_FILED: Final = (Action.FILES, Action.FILE, Action.FILE_CONTENT, Action.UPLOAD)


class _Pages(Protocol):
    """What answers some routes that are no calls."""

    async def serve(self, exchange: Exchange, route: Route, query: Query, caller: Caller) -> None: ...


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
        budget: Budget | None = None,
        observer: Observer = NOBODY,
        pages: AccountPages | None = None,
        responses: ResponsePages | None = None,
        manual: str | None = None,
        lending: Lending | None = None,
        catch_up: Callable[[], Awaitable[None]] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`budget` bounds the calls that are open at once. The observer is told of every request, with times of `clock`.
        `pages`: what callers see of their accounts, where there are books; `responses`: what they see of answers that are
        kept, where any are. `manual`: the page that explains errors, each at its code; None: there is none. `lending`: lets
        pages call for who has signed in. `catch_up`: makes the keyring know every key that there is by now."""
        self._catch_up = catch_up
        self._lending = lending
        self._manual = manual
        self._pages = pages
        self._responses = responses
        self._files = None if relay.files is None else FilePages(relay.files)
        self._budget = budget or Budget()
        self._observer = observer
        self._clock = clock
        self._relay = relay
        self._catalog = catalog
        self._keyring = keyring
        self._rng = rng
        self._now = now
        self._simulated = simulated

    async def __call__(self, exchange: Exchange) -> None:
        asked, now = exchange.request, self._now()
        query = read_query(asked.query)
        report = Report(
            timed_id("req_", self._rng, now),
            asked.method,
            asked.path,
            asked.peer,
            asked.headers.get("user-agent", ""),
            asked.body_bytes,
            self._clock(),
        )
        answer = _Identified(exchange, report, query, self._clock)
        request = answer.request
        route: Route | None = None
        is_open = False
        try:
            route = find_route(request.method, request.path, query, request.headers)
            report.route, report.dialect = route_name(route), route.dialect.name
            if request.method not in METHODS[route.action]:
                raise _unexpected(request.method, METHODS[route.action])
            files = self._files if route.action is Action.UPLOAD else None
            if files is not None and (ticket := files.ticket(query)) is not None:
                report.tenant = ticket.tenant
                await files.go_on(answer, ticket)
                return
            now_us = int(now * 1_000_000)
            caller = self._caller(request, query, now_us) or await self._sought(request, query, now_us)
            report.tenant = caller.tenant
            if route.action is Action.CALL:
                served = self._begun(answer, route, query, caller)
                is_open = True
                await served
            elif route.action in _LISTS:
                answer.send(200, [JSON], jsontext.encode(self._models(route, query, caller)))
            else:
                await self._page(answer, route, query, caller)
        except Replayed as found:
            replay(answer, found.replay)
        except PorticoError as error:
            self._refuse(answer, route, query, _why_no_json(error, request.headers))
        except asyncio.CancelledError:
            if answer.ended:
                report.outcome = CALLER_GONE
            else:
                self._refuse(answer, route, query, _ShuttingDown())
            raise
        except MemoryError:
            log.warning("request %s: there is no memory for it", answer.request_id)
            self._refuse(
                answer, route, query, GatewayBusy("The gateway has no memory for this. Try again in a moment.")
            )
        except Exception:
            log.exception("request %s failed", answer.request_id)
            self._refuse(answer, route, query, PorticoError("The gateway had an internal error."))
        finally:
            if is_open:
                self._budget.end_call()
                self._observer.closed(report)
            report.ended = self._clock()
            report.bytes_out = exchange.written_bytes
            self._observer.finished(report)

    def _caller(self, request: HttpRequest, query: Query, now_us: int) -> Caller | None:
        """Whose key is brought; None: none is that is known."""
        key = None if query.key is None else query.key.reveal()
        try:
            return self._keyring.authenticate(request.headers, key, peer=request.peer, now_us=now_us)
        except (NoKey, UnknownKey):
            return None

    async def _sought(self, request: HttpRequest, query: Query, now_us: int) -> Caller:
        """Who brings a key that was made since the keys were read, or calls with one that was lent to them. Raises
        `AuthenticationFailed`, `StorageUnavailable`."""
        key = None if query.key is None else query.key.reveal()
        if presented_key(request.headers, key) is None:
            return await self._borrower(request, now_us)
        if self._catch_up is not None:
            await self._catch_up()
        return self._keyring.authenticate(request.headers, key, peer=request.peer, now_us=now_us)

    async def _borrower(self, request: HttpRequest, now_us: int) -> Caller:
        """Who calls with a key that was lent to them. Raises `NoKey` for who brings nothing at all."""
        if self._lending is None or KEY_HEADER not in request.headers:
            raise NoKey(NO_KEY)
        lent = partial(self._lending.caller, request.headers, scheme=request.scheme, peer=request.peer, now_us=now_us)
        try:
            return await lent()
        except UnknownKey:
            if self._catch_up is None:
                raise
        await self._catch_up()
        return await lent()

    def _begun(self, exchange: "_Identified", route: Route, query: Query, caller: Caller) -> Awaitable[None]:
        """A call that counts as open from now on, to be waited for. Raises `GatewayBusy`, and what is wrong with it."""
        framing = _framing(query) if route.dialect is GEMINI else None
        report = exchange.report
        answer: Exchange = exchange
        once: Once | None = None
        repeats = KEY_OF_REPEATS in exchange.request.headers and self._relay.charges
        if repeats and (key := keyed(exchange.request)) is not None:
            telling = _Telling(route.dialect)
            telling.be_as_asked(route, query)
            answer = recorded = Recorded(exchange, key, telling.body)
            once = Once(key.key, key.fingerprint, recorded.outcome)
        self._budget.begin_call()
        self._observer.opened(report)
        return self._relay.serve(
            answer,
            route.dialect,
            caller,
            model=route.model,
            verb=route.verb,
            framing=framing,
            report=report,
            once=once,
        )

    async def _page(self, exchange: Exchange, route: Route, query: Query, caller: Caller) -> None:
        pages: _Pages | None = self._responses if route.action in _KEPT else self._pages
        if route.action in _FILED:
            pages = self._files
        if pages is None:
            raise RouteNotFound
        await pages.serve(exchange, route, query, caller)

    def _models(self, route: Route, query: Query, caller: Caller) -> dict[str, Any]:
        scope, serves, today = caller.policy.models, self._relay.serves, self._today()
        rates = partial(self._relay.rates, account=caller.tenant)
        one, many = LISTINGS[route.dialect.name]
        if route.model is not None:
            return one(self._catalog, route.model, today, scope, serves=serves, rates=rates)
        return many(self._catalog, today, query.parameters, scope, serves=serves, rates=rates)

    def _today(self) -> date:
        return datetime.fromtimestamp(self._now(), UTC).date()

    def _refuse(self, exchange: "_Identified", route: Route | None, query: Query, error: PorticoError) -> None:
        error.with_traceback(None)  # its frames keep the call, which keeps it
        if exchange.ended and not exchange.started:  # whatever became of it, nobody waits to be told
            exchange.report.outcome = CALLER_GONE
            return
        exchange.report.outcome, exchange.report.error = _outcome(error), error.code or "internal_error"
        if exchange.started:
            exchange.abort()
            return
        request = exchange.request
        self._explain(error)
        telling = _Telling(dialect_at(request.path, query, request.headers))
        if route is not None:
            telling.be_as_asked(route, query)
        headers = [JSON, *error_headers(error)]
        if exchange.report.tries:
            headers.append((ATTEMPTS_HEADER, tries_header(exchange.report.tries)))
        if self._simulated:
            headers.append(("x-portico-simulated", "1"))
        exchange.send(error.http_status, headers, telling.body(error))

    def admit(self, path: str, query: str, headers: Mapping[str, str]) -> Inquiry | None:
        """Judges the head of a request before its long body is read. Raises `Refusal` if its caller has no key; of one that
        is not known the store is asked first. From which address it comes is judged when the request is there, and with
        it what trusted proxies say."""
        read = read_query(query)
        if self._files is not None and self._files.is_opened_by(path, read):
            return None
        try:
            self._recognise(read, headers)
        except UnknownKey as error:
            if self._catch_up is None:
                raise _refusal_of(error) from None
            return partial(self._inquire, self._catch_up, read, headers)
        except (AuthenticationFailed, StorageUnavailable) as error:
            raise _refusal_of(error) from None
        return None

    async def _inquire(self, catch_up: Callable[[], Awaitable[None]], query: Query, headers: Mapping[str, str]) -> None:
        """Whether the key was made since the keys were read. Raises `Refusal`."""
        try:
            await catch_up()
            self._recognise(query, headers)
        except (AuthenticationFailed, StorageUnavailable) as error:
            raise _refusal_of(error) from None

    def _recognise(self, query: Query, headers: Mapping[str, str]) -> None:
        key, now_us = query.key, int(self._now() * 1_000_000)
        try:
            self._keyring.recognise(headers, None if key is None else key.reveal(), now_us=now_us)
        except NoKey:
            sealed = sealed_in(headers, query.parameters)
            if self._lending is None or not sealed:
                raise
            self._lending.recognise(headers, sealed)

    def render_protocol_error(
        self, status: int, message: str, path: str, headers: Mapping[str, str]
    ) -> tuple[Headers, bytes]:
        """An error of the connection itself (malformed, too large, too slow) in the shape callers at that path know."""
        error = _PROTOCOL_ERRORS.get(status, _ProtocolError)(message)
        if isinstance(error, _ProtocolError):
            error.answered_with = status
        self._explain(error)
        body = _Telling(dialect_at(path, NOTHING, headers)).body(error)
        now, agent = self._clock(), headers.get("user-agent", "")
        shown = path if is_call_path(path) else without_secrets(path)
        request_id = timed_id("req_", self._rng, self._now())
        report = Report(request_id, path=shown, user_agent=agent, began=now, first_byte=now, ended=now)
        report.status, report.bytes_out = status, len(body)
        report.outcome, report.error = _outcome(error), error.code or "bad_request"
        self._observer.finished(report)
        return [JSON, *error_headers(error), *_ids(request_id)], body

    def _explain(self, error: PorticoError) -> None:
        if self._manual is not None:
            error.doc = f"{self._manual}#{error.code or CODES[500]}"


def _refusal_of(error: PorticoError) -> Refusal:
    return Refusal(error.http_status, error.message)


def _framing(query: Query) -> Framing:
    """How an answer to a call of Gemini's is framed if it is a stream; other dialects have but one way."""
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
    if error.retry_after_s is not None and math.isfinite(error.retry_after_s):
        headers.append(("retry-after", str(math.ceil(error.retry_after_s))))
    if not error.worth_retrying:
        headers.append(("x-should-retry", "false"))
    if isinstance(error, UpstreamError) and error.upstream_status is not None:
        headers.append(("x-upstream-status", str(error.upstream_status)))
    if isinstance(error, MethodNotAllowed):
        headers.append(("allow", error.allow))
    if isinstance(error, LimitReached):
        headers += error.headers
    return headers


class _Identified(Wrapped):
    """An exchange whose every answer carries its request id and is told to its report, and whose request no longer shows
    the caller's key."""

    def __init__(self, exchange: Exchange, report: Report, query: Query, clock: Callable[[], float]) -> None:
        super().__init__(exchange)
        self.report = report
        self._clock = clock
        if query.rest != self.request.query:
            # Of two requests that hold one body, who takes it from the one leaves it with the other.
            body = self.request.take_body()
            self.request = msgspec.structs.replace(self.request, query=query.rest, body=body)
        self.request_id = report.request_id
        self._ids = _ids(report.request_id)
        self.write = exchange.write

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        self.report.status, self.report.first_byte = status, self._clock()
        self._exchange.send(status, [*headers, *self._ids], body)

    def start(self, status: int, headers: Headers) -> None:
        self.report.status, self.report.first_byte = status, self._clock()
        self._exchange.start(status, [*headers, *self._ids])


def _why_no_json(error: PorticoError, headers: Mapping[str, str]) -> PorticoError:
    """The error, or of a body that could not be read because it is compressed, that it is."""
    coding = headers.get("content-encoding", "identity")
    if not isinstance(error, BodyNotJson) or coding.lower() == "identity":
        return error
    return BodyNotJson(f"The request body is compressed (Content-Encoding: {coding[:40]}). Send it as it is.")


def _outcome(error: PorticoError) -> str:
    return REFUSED if error.http_status < 500 or isinstance(error, GatewayBusy) else FAILED


class _ShuttingDown(PorticoError):
    """The server is shutting down."""

    status = 503
    code = "shutting_down"
    retry_after_s = 1.0


class _ProtocolError(PorticoError):
    """The request could not be read."""

    code = CODES[400]
    answered_with = 400

    @property
    def http_status(self) -> int:
        return self.answered_with


class _TooSlow(_ProtocolError):
    """The request did not come in time."""

    code = CODES[408]


class _Unexpected(_ProtocolError):
    """The request expects what nobody here does."""

    code = CODES[417]


class _LargeHeaders(_ProtocolError):
    """The headers of the request are too large."""

    code = CODES[431]


class _Broken(_ProtocolError):
    """The gateway had an internal error."""

    code = CODES[500]


def _unexpected(method: str, allowed: Sequence[str]) -> MethodNotAllowed:
    return MethodNotAllowed(f"{method} is not allowed here; use {allowed[0]}.", allow=", ".join(allowed))


_PROTOCOL_ERRORS: Final[Mapping[int, type[PorticoError]]] = {
    401: AuthenticationFailed,
    408: _TooSlow,
    413: RequestTooLarge,
    417: _Unexpected,
    431: _LargeHeaders,
    500: _Broken,
    503: GatewayBusy,
}

"""The gateway's app: which path is which call, who may make it, and how a failure is told.

    POST /v1/chat/completions   (also without /v1)
    GET  /v1/models, /v1/models/{id}   (also without /v1)

Every answer carries its request id three times: `x-portico-request-id`, and `x-request-id` and `request-id`, which SDKs
read.
"""

import logging
import math
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any, Final
from urllib.parse import unquote

from portico.accounts import Keyring
from portico.catalog import Catalog, ListedModel
from portico.core.dialect import Dialect
from portico.core.errors import (
    MethodNotAllowed,
    PorticoError,
    RequestTooLarge,
    RouteNotFound,
    UpstreamError,
)
from portico.core.ids import random_token
from portico.dialects import openai_chat
from portico.relay.relay import Relay
from portico.wire import jsontext
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
        answer = _Identified(exchange, self._new_id())
        dialect = openai_chat.DIALECT
        try:
            await self._route(answer, dialect)
        except PorticoError as error:
            self._refuse(answer, dialect, error)
        except Exception:
            log.exception("request %s failed", answer.request_id)
            if answer.started:
                answer.abort()
            else:
                self._refuse(answer, dialect, PorticoError("The gateway had an internal error."))

    async def _route(self, exchange: "_Identified", dialect: Dialect) -> None:
        request = exchange.request
        path = _unversioned(request.path)
        if path == "/chat/completions":
            _expect(request, "POST")
            tenant = self._keyring.authenticate(request.headers).tenant
            await self._relay.serve(exchange, dialect, tenant)
        elif path == "/models":
            _expect(request, "GET", "HEAD")
            self._keyring.authenticate(request.headers)
            rows = [_model_row(row) for row in self._listing()]
            exchange.send(200, [JSON], jsontext.encode({"object": "list", "data": rows}))
        elif path.startswith("/models/"):
            _expect(request, "GET", "HEAD")
            self._keyring.authenticate(request.headers)
            exchange.send(200, [JSON], jsontext.encode(self._model(unquote(path.removeprefix("/models/")))))
        else:
            raise RouteNotFound(f"Unknown request URL: {request.method} {_shown(request.path)}.")

    def _listing(self) -> list[ListedModel]:
        return self._catalog.listing(today=datetime.fromtimestamp(self._now(), UTC).date())

    def _model(self, name: str) -> dict[str, Any]:
        """One model by any name it is known by; the row carries the name asked for."""
        rows = {row.id: row for row in self._catalog.listing()}
        row = rows.get(name) or rows[self._catalog.resolve(name).name]
        return {**_model_row(row), "id": name}

    def _refuse(self, exchange: "_Identified", dialect: Dialect, error: PorticoError) -> None:
        if exchange.started:
            exchange.abort()
            return
        headers = [JSON, *error_headers(error)]
        if self._simulated:
            headers.append(("x-portico-simulated", "1"))
        exchange.send(error.http_status, headers, jsontext.encode(dialect.render_error(error)))

    def render_protocol_error(
        self, status: int, message: str, path: str, headers: Mapping[str, str]
    ) -> tuple[Headers, bytes]:
        """An error of the connection itself (malformed, too large, too slow) in the shape callers know."""
        del path, headers
        error = RequestTooLarge(message) if status == 413 else _ProtocolError(message)
        if isinstance(error, _ProtocolError):
            error.answered_with = status
        body = jsontext.encode(openai_chat.DIALECT.render_error(error))
        return [JSON, *_ids(self._new_id())], body

    def _new_id(self) -> str:
        return f"req_{random_token(self._rng)}"


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
    """An exchange whose every answer carries its request id."""

    def __init__(self, exchange: Exchange, request_id: str) -> None:
        self._exchange = exchange
        self.request_id = request_id
        self._ids = _ids(request_id)
        self.write = exchange.write
        self.drain = exchange.drain
        self.finish = exchange.finish
        self.abort = exchange.abort

    @property
    def request(self) -> HttpRequest:
        return self._exchange.request

    @property
    def started(self) -> bool:
        return self._exchange.started

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


def _unversioned(path: str) -> str:
    """The path without `/v1` and without a slash at its end: base URLs come with and without."""
    path = path.rstrip("/")
    return path.removeprefix("/v1") if path.startswith("/v1/") else path


def _expect(request: HttpRequest, *methods: str) -> None:
    if request.method not in methods:
        message = f"{request.method} is not allowed here; use {methods[0]}."
        raise MethodNotAllowed(message, allow=", ".join(methods))


def _shown(path: str) -> str:
    return path if len(path) <= 200 else path[:200] + "…"


def _model_row(row: ListedModel) -> dict[str, Any]:
    """A model as OpenAI lists it, and what people want to know beside (mapping.md 5.5)."""
    rendered: dict[str, Any] = {
        "id": row.id,
        "object": "model",
        "created": row.created,
        "owned_by": row.owned_by,
        "context_length": row.context_length,
        "max_output": row.max_output,
        "input_modalities": list(row.input_modalities),
        "output_modalities": list(row.output_modalities),
        "description": row.description.en,
    }
    if row.base is not None:
        rendered["base"] = row.base
    return rendered

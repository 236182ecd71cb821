"""The admin API: what `portico` does on the command line, over HTTP, at /admin/v1.

    Authorization: Bearer <admin key>      on every request, the document included; a caller's key opens nothing here
    GET /admin/v1/openapi.json             everything there is, as OpenAPI 3.1
    {"error": {"code", "message", "param"}}    how every failure is told; 422 for an argument that is wrong or unknown

Pages of other origins are told nothing (no CORS). Commands run beside the event loop, on a connection of their own.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import cached_property
from random import Random
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

import msgspec

from portico import __version__
from portico.admin.command import Command, Office
from portico.admin.commands import COMMANDS
from portico.admin.openapi import PREFIX, document
from portico.core.errors import (
    AuthenticationFailed,
    BodyNotJson,
    InvalidRequest,
    MethodNotAllowed,
    PorticoError,
    RouteNotFound,
)
from portico.core.ids import random_token
from portico.http.adminkey import CHALLENGE, AdminKey
from portico.http.exchange import HttpExchange
from portico.http.gateway import error_headers
from portico.http.reader import Admit, Inquiry, Refusal
from portico.providers import Secret
from portico.wire import jsontext
from portico.wire.http import Exchange, Headers

log = logging.getLogger("portico.admin")

DOCUMENT: Final = f"{PREFIX}/openapi.json"
MAX_QUERY_FIELDS: Final = 50
_JSON: Final = ("content-type", "application/json")
_FIELDS: Final[Headers] = (_JSON, ("cache-control", "no-store"))
Inner = Callable[[HttpExchange], Awaitable[None]]


def is_admin_path(path: str) -> bool:
    return path == PREFIX or path.startswith(PREFIX + "/")


class AdminApi:
    """What a server serves, around another app: answers paths under /admin/v1 itself and leaves every other to the inner
    one. Without an admin key there is nothing at these paths."""

    def __init__(
        self,
        inner: Inner,
        office: Office,
        admin_key: Secret | None,
        *,
        rng: Random,
        commands: Iterable[Command] = COMMANDS,
    ) -> None:
        self._inner = inner
        self._office = office
        self._key = AdminKey(admin_key)
        self._rng = rng
        self._commands = [command for command in commands if command.path]
        self._routes = _Routes(self._commands)

    def __call__(self, exchange: HttpExchange) -> Awaitable[None]:
        return self._answer(exchange) if is_admin_path(exchange.request.path) else self._inner(exchange)

    def admit(self, otherwise: Admit) -> Admit:
        """Judges the head of a request before its long body is read: here by the admin key, elsewhere as `otherwise`."""

        def judge(path: str, query: str, headers: Mapping[str, str]) -> Inquiry | None:
            if not is_admin_path(path):
                return otherwise(path, query, headers)
            if not self._key.is_brought(headers):
                raise Refusal(AuthenticationFailed.status, _WRONG_KEY)
            return None

        return judge

    async def _answer(self, exchange: Exchange) -> None:
        request_id = ("x-request-id", f"adm_{random_token(self._rng)}")
        try:
            body = await self._result(exchange)
        except PorticoError as error:
            status, headers, body = told(error)
            exchange.send(status, [*headers, request_id], body)
        except Exception:
            log.exception("admin request %s failed", request_id[1])
            status, headers, body = told(PorticoError("The gateway had an internal error."))
            exchange.send(status, [*headers, request_id], body)
        else:
            exchange.send(200, [*_FIELDS, request_id], body)

    async def _result(self, exchange: Exchange) -> bytes:
        request = exchange.request
        if not self._key:
            raise RouteNotFound("There is no admin API here: no admin key is set (PORTICO_ADMIN_KEY).")
        if not self._key.is_brought(request.headers):
            raise AuthenticationFailed(_WRONG_KEY)
        method = "GET" if request.method == "HEAD" else request.method
        if request.path == DOCUMENT:
            if method != "GET":
                raise MethodNotAllowed("The document is to be read: use GET.", allow="GET, HEAD")
            return self._document
        command, in_path = self._routes.find(method, request.path)
        if command.in_query:
            if request.body:
                raise InvalidRequest(f"{method} takes no body here; arguments stand in the query.")
            fields: Mapping[str, Any] = _query(request.query)
        else:
            if request.query:
                raise InvalidRequest(f"{method} takes no query here; arguments stand in a JSON body.")
            fields = _body(request.take_body())
        for name in in_path:
            if name in fields:
                raise InvalidRequest(f"{name} stands in the path, and not beside it.", param=name)
        args = command.read({**fields, **in_path}, lax=command.in_query)
        return jsontext.encode(await self._office.do(command, args, actor=f"api:{request.peer}"))

    @cached_property
    def _document(self) -> bytes:
        return msgspec.json.format(jsontext.encode(document(self._commands, __version__)), indent=2)


_WRONG_KEY: Final = "The admin key is missing or wrong. Send it as 'Authorization: Bearer ADMIN_KEY'."


def told(error: PorticoError) -> tuple[int, Headers, bytes]:
    """A failure as it is answered. An argument that is wrong is a 422; what is no JSON at all a 400."""
    status = error.http_status
    if isinstance(error, InvalidRequest) and not isinstance(error, BodyNotJson):
        status = 422
    headers = [*_FIELDS, *error_headers(error), *([CHALLENGE] if status == 401 else [])]
    detail = {"code": error.code or "internal_error", "message": error.message, "param": error.param}
    return status, headers, jsontext.encode({"error": detail})


def _query(text: str) -> dict[str, str]:
    """Raises `InvalidRequest` for a name that comes twice: it would be a guess which was meant."""
    fields: dict[str, str] = {}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS, errors="strict")
    except ValueError:
        raise InvalidRequest("The query cannot be read.") from None
    for name, value in pairs:
        if name in fields:
            raise InvalidRequest(f"{name} is given twice.", param=name)
        fields[name] = value
    return fields


def _body(data: bytes) -> dict[str, Any]:
    if not data:
        return {}
    try:
        fields = jsontext.decode(data)
    except jsontext.NotJson as error:
        raise BodyNotJson(f"The body is not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise InvalidRequest("The body is a JSON object with the command's arguments.")
    return fields


class _Routes:
    """Which command is at a path. A word of the path beats an argument of it."""

    def __init__(self, commands: Iterable[Command]) -> None:
        found: dict[tuple[str, ...], dict[str, Command]] = {}
        for command in commands:
            found.setdefault(tuple(command.path.strip("/").split("/")), {})[command.method] = command
        self._rows = sorted(found.items(), key=lambda item: [_is_argument(word) for word in item[0]])

    def find(self, method: str, path: str) -> tuple[Command, dict[str, str]]:
        """Raises `RouteNotFound`, `MethodNotAllowed`."""
        words = path.removeprefix(PREFIX).strip("/").split("/")
        for pattern, methods in self._rows:
            if len(pattern) != len(words) or not all(map(_fits, pattern, words)):
                continue
            command = methods.get(method)
            if command is None:
                allowed = ", ".join(sorted(methods) + (["HEAD"] if "GET" in methods else []))
                raise MethodNotAllowed(f"{method} is not allowed here; use {allowed}.", allow=allowed)
            return command, {
                part[1:-1]: unquote(word) for part, word in zip(pattern, words, strict=True) if _is_argument(part)
            }
        raise RouteNotFound(f"There is nothing at this address. What there is: {DOCUMENT}")


def _is_argument(word: str) -> bool:
    return word.startswith("{")


def _fits(part: str, word: str) -> bool:
    return bool(word) if _is_argument(part) else part == word

"""Calls from web pages of any origin (CORS): what a browser must be told so that a page may read an answer.

Any origin may call, since no call is authorised by what a browser adds of its own accord: the key is in a header that the
page itself sets, and credentials (cookies) are never allowed. Who sends no Origin is told nothing of all this.
(fetch.spec.whatwg.org, 3.2.)
"""

import re
from collections.abc import Sequence
from typing import Final

from portico.wire.http import Exchange, Headers, HttpRequest
from portico.wire.wrapped import Wrapped

EXPOSED: Final = (
    "retry-after",
    "x-request-id",
    "request-id",
    "x-upstream-status",
    "x-goog-upload-status",
    "x-goog-upload-url",
    "x-portico-attempts",
    "x-portico-changes",
    "x-portico-cost",
    "x-portico-estimated",
    "x-portico-next",
    "x-portico-replayed",
    "x-portico-request-id",
    "x-portico-simulated",
    "x-portico-upstream-model",
    "x-ratelimit-limit-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
    "x-should-retry",
)
"""Answer headers that a page may read beside the few that it always may. By name: `*` is not understood everywhere."""
MAX_AGE_S: Final = 86400
MAX_NAMES: Final = 64
MAX_NAMES_BYTES: Final = 4096
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")

_ANY: Final = ("access-control-allow-origin", "*")
VARIES: Final[Headers] = (("vary", "Origin"),)
"""For an answer that a cache may keep, to a caller without an Origin: with one it would read otherwise."""
ANSWERED: Final[Headers] = (_ANY, ("access-control-expose-headers", ", ".join(EXPOSED)), *VARIES)
"""For an answer to a caller with an Origin."""


def is_preflight(request: HttpRequest) -> bool:
    """A browser's own question, before it sends what the page asked for. It carries no key."""
    return request.method == "OPTIONS" and "access-control-request-method" in request.headers


def preflight(request: HttpRequest, methods: Sequence[str]) -> Headers:
    """The headers of the answer (204) to a preflight at a path with these methods. Only what is a name is echoed."""
    headers = [
        _ANY,
        ("access-control-allow-methods", ", ".join(methods)),
        ("access-control-max-age", str(MAX_AGE_S)),
        ("vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
    ]
    names = _names(request.headers.get("access-control-request-headers", ""))
    if names:
        headers.append(("access-control-allow-headers", ", ".join(names)))
    return headers


def _names(listed: str) -> list[str]:
    """The names of a list; none at all of a list that is no list of names."""
    if len(listed) > MAX_NAMES_BYTES:
        return []
    names = list(dict.fromkeys(name.strip().lower() for name in listed.split(",") if name.strip()))
    return names if len(names) <= MAX_NAMES and all(map(_TOKEN.fullmatch, names)) else []


class Told(Wrapped):
    """An exchange whose answer carries some headers more, whatever it is."""

    def __init__(self, exchange: Exchange, headers: Headers) -> None:
        super().__init__(exchange)
        self._headers = headers
        self.write = exchange.write

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        self._exchange.send(status, [*headers, *self._headers], body)

    def start(self, status: int, headers: Headers) -> None:
        self._exchange.start(status, [*headers, *self._headers])

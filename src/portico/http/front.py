"""The front door: calls go to the gateway, every other path to the web app on the same listener.

Which path is a call is said by `http/routes.py` and nowhere else. Without a web app the gateway answers every path. Pages
of any origin may make calls (`http/cors.py`), and may do nothing else.

`/models` and what lies under it are both: who brings a key gets the API, a reader (text/html or text/markdown in Accept, or
an address that ends as a page's twin does) the page.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from portico.http import cors
from portico.http.exchange import HttpExchange
from portico.http.query import read_query
from portico.http.routes import is_call_path, methods_at
from portico.http.server import RenderError
from portico.wire.http import App, Headers, HttpRequest

_SHARED: Final[Headers] = [("vary", "Accept, Authorization")]
_READERS: Final = ("text/html", "text/markdown")
_TWINS: Final = (".md", ".json")
_KEYS: Final = ("authorization", "x-api-key", "x-goog-api-key")

Web = Callable[[HttpExchange], Awaitable[None]]


def is_shared(path: str) -> bool:
    """Whether there are both calls and pages at a raw path."""
    return path == "/models" or path.startswith(("/models/", "/models."))


def wants_page(request: HttpRequest) -> bool:
    """Whether somebody who asks at an address of both wants the page. Whoever brings a key does not."""
    if request.method not in ("GET", "HEAD") or not is_shared(request.path):
        return False
    headers = request.headers
    if any(name in headers for name in _KEYS) or read_query(request.query).key is not None:
        return False
    accept = headers.get("accept", "")
    return request.path.endswith(_TWINS) or any(word in accept for word in _READERS)


class Front:
    """What the server serves."""

    def __init__(self, gateway: App, render_error: RenderError, web: Web | None = None) -> None:
        self._gateway = gateway
        self._render_error = render_error
        self._web = web

    def __call__(self, exchange: HttpExchange) -> Awaitable[None]:
        request = exchange.request
        if "origin" in request.headers or request.method != "POST":
            return self._look(exchange)
        if self._web is None or is_call_path(request.path):
            return self._gateway(exchange)
        return self._web(exchange)

    async def _look(self, exchange: HttpExchange) -> None:
        """What may be a page's request, or kept by a cache."""
        request = exchange.request
        if not is_call_path(request.path) or (self._web is not None and wants_page(request)):
            await (self._web or self._gateway)(exchange)
        elif "origin" not in request.headers:
            both = self._web is not None and is_shared(request.path)
            await self._gateway(cors.Told(exchange, [*cors.VARIES, *_SHARED] if both else cors.VARIES))
        elif cors.is_preflight(request):
            exchange.send(204, cors.preflight(request, methods_at(request.path)), b"")
        else:
            await self._gateway(cors.Told(exchange, cors.ANSWERED))

    def render_protocol_error(
        self, status: int, message: str, path: str, headers: Mapping[str, str]
    ) -> tuple[Headers, bytes]:
        """An error of the connection itself, which a page may read too."""
        fields, body = self._render_error(status, message, path, headers)
        if "origin" in headers and is_call_path(path):
            fields = [*fields, *cors.ANSWERED]
        return fields, body

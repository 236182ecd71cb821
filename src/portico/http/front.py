"""The front door: calls go to the gateway, every other path to the web app on the same listener.

Which path is a call is said by `http/routes.py` and nowhere else. Without a web app the gateway answers every path. Pages
of any origin may make calls (`http/cors.py`), and may do nothing else.
"""

from collections.abc import Awaitable, Callable, Mapping

from portico.http import cors
from portico.http.exchange import HttpExchange
from portico.http.routes import is_call_path, methods_at
from portico.http.server import RenderError
from portico.wire.http import App, Headers

Web = Callable[[HttpExchange], Awaitable[None]]


class Front:
    """What the server serves."""

    def __init__(self, gateway: App, render_error: RenderError, web: Web | None = None) -> None:
        self._gateway = gateway
        self._render_error = render_error
        self._web = web

    async def __call__(self, exchange: HttpExchange) -> None:
        request = exchange.request
        if "origin" in request.headers or request.method != "POST":
            await self._look(exchange)
        elif self._web is None or is_call_path(request.path):
            await self._gateway(exchange)
        else:
            await self._web(exchange)

    async def _look(self, exchange: HttpExchange) -> None:
        """What may be a page's request, or kept by a cache."""
        request = exchange.request
        if not is_call_path(request.path):
            await (self._web or self._gateway)(exchange)
        elif "origin" not in request.headers:
            await self._gateway(cors.Told(exchange, cors.VARIES))
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

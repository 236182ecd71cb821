"""The app of the public house: an address becomes a page, a page is rendered, and goes out with its headers.

GET, HEAD only; a slash too many at the end is a 308; HTML, Markdown (`.md`, or Accept: text/markdown), JSON (`.json`)
every answer: a strict Content-Security-Policy, nosniff, no referrer to others, an ETag; `Vary: Accept`
what is not there: a page that says so; for a program (it brings a key, or asks for no page) an error in OpenAI's shape
"""

import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qs, unquote

import brotli
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from portico.web import machine, static
from portico.web.addresses import MEDIA_TYPES, Address, Form
from portico.web.page import Moved, NotHere, Page, View, Visit
from portico.web.render import render_html, render_markdown, render_missing
from portico.web.showroom import Showroom
from portico.web.site import PAGES

_SOURCES: Final[Mapping[str, str]] = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'none'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
}
POLICY: Final = "; ".join(f"{name} {value}" for name, value in _SOURCES.items())
SECURITY: Final[Mapping[str, str]] = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), interest-cohort=()",
}
VARY: Final = "Accept, Authorization, Cookie"
_HOST: Final = re.compile(r"(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_FALLBACK_URL: Final = "http://localhost:8080"
_THEMES: Final = ("light", "dark")
_KEY_HEADERS: Final = ("authorization", "x-api-key", "x-goog-api-key")


class House:
    """The ASGI app."""

    def __init__(self, showroom: Showroom) -> None:
        self._showroom = showroom

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = encoded(request, await self._answer(request))
        for name, value in SECURITY.items():
            response.headers.setdefault(name, value)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return self._missing(request, 405 if self._is_page(request.url.path) else 404)
        path = unquote(request.scope["path"])
        if (found := static.find(path)) is not None:
            return _stamped(request, found.response())
        base_url = self._base_url(request)
        if (told := machine.find(path, self._showroom, base_url)) is not None:
            return _stamped(request, told)
        plain = path.rstrip("/") or "/"
        if path != plain and _find(Address.of(plain).path) is not None:
            return RedirectResponse(str(Address.of(plain)) + _query(request), 308)
        address = _form_asked_for(Address.of(path), request.headers)
        visit = Visit(address, base_url, parse_qs(request.url.query, max_num_fields=100) if request.url.query else {})
        try:
            return _stamped(request, await self._page(request, visit))
        except Moved as moved:
            there = Address(moved.path, address.locale, address.form)
            return RedirectResponse(str(there) + _query(request), 308, headers={"vary": VARY})
        except NotHere:
            return self._missing(request, 404)

    async def _page(self, request: Request, visit: Visit) -> Response:
        found = _find(visit.address.path)
        if found is None:
            raise NotHere
        page, names = found
        view = await page.look(self._showroom, visit, names)
        return self._rendered(request, visit, view)

    def _rendered(self, request: Request, visit: Visit, view: View) -> Response:
        form = visit.address.form
        headers = {"vary": VARY, "cache-control": "no-cache"}
        match form:
            case Form.JSON:
                if view.twin is None:
                    raise NotHere
                body = json.dumps(view.twin, ensure_ascii=False, indent=1) + "\n"
            case Form.MARKDOWN:
                body = render_markdown(visit, view)
                headers["link"] = f'<{visit.url()}>; rel="canonical"'
                headers["content-location"] = str(visit.address)
            case Form.HTML:
                body = render_html(visit, view, theme=_theme(request))
                headers["link"] = f'<{visit.url(Form.MARKDOWN)}>; rel="alternate"; type="text/markdown"'
        return Response(body, 200, headers, MEDIA_TYPES[form])

    def _missing(self, request: Request, status: int) -> Response:
        """What is said of an address at which there is nothing."""
        headers = {"vary": VARY, "cache-control": "no-store"}
        if status == 405:
            headers["allow"] = "GET, HEAD"
        if is_program(request.headers):
            told = {
                "error": {"message": machine.advice(request.method, request.url.path), "type": "invalid_request_error"}
            }
            told["error"] |= {"param": None, "code": "not_found" if status == 404 else "method_not_allowed"}  # type: ignore[dict-item]
            return Response(json.dumps(told), status, headers, "application/json")
        visit = Visit(Address.of(unquote(request.scope["path"])), self._base_url(request))
        return Response(render_missing(visit, theme=_theme(request)), status, headers, MEDIA_TYPES[Form.HTML])

    def _is_page(self, path: str) -> bool:
        return _find(Address.of(unquote(path)).path) is not None

    def _base_url(self, request: Request) -> str:
        """The address under which the visitor sees the house. A Host that is none is not repeated."""
        if self._showroom.public_url is not None:
            return self._showroom.public_url
        host = request.headers.get("host", "")
        return f"{request.url.scheme}://{host}" if _HOST.fullmatch(host) else _FALLBACK_URL


def is_program(headers: Mapping[str, str] | Headers) -> bool:
    """Whether somebody else than a reader asks: a key is brought, or no page is wanted."""
    accept = headers.get("accept", "*/*")
    return any(name in headers for name in _KEY_HEADERS) or not ("text/html" in accept or "text/markdown" in accept)


def _find(path: str) -> tuple[Page, dict[str, str]] | None:
    for page in PAGES:
        match = page.pattern.fullmatch(path)
        if match is not None:
            return page, match.groupdict()
    return None


def _form_asked_for(address: Address, headers: Headers) -> Address:
    """Markdown for who asks for it, and not for HTML before it."""
    accept = headers.get("accept", "")
    if address.form is Form.HTML and "text/markdown" in accept:
        html = accept.find("text/html")
        if html < 0 or accept.find("text/markdown") < html:
            return address.as_form(Form.MARKDOWN)
    return address


def _theme(request: Request) -> str:
    said = request.cookies.get("theme", "")
    return said if said in _THEMES else ""


def _query(request: Request) -> str:
    return f"?{request.url.query}" if request.url.query else ""


def _stamped(request: Request, response: Response) -> Response:
    """With an ETag; a 304 for who has it already (RFC 9110 13.1.2)."""
    tag = f'"{_digest(bytes(response.body))}"'
    if response.status_code == 200:
        response.headers["etag"] = tag
        if tag in [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]:
            kept = ("etag", "vary", "cache-control", "link", "content-location")
            return Response(None, 304, {name: response.headers[name] for name in kept if name in response.headers})
    return response


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:24]


def encoded(request: Request, response: Response) -> Response:
    """Compressed, where the visitor's browser takes that and it is worth it."""
    media_type = response.headers.get("content-type", "").partition(";")[0]
    if len(response.body) < WORTH_IT or media_type not in _COMPRESSED:
        return response
    response.headers["vary"] = ", ".join(filter(None, [response.headers.get("vary"), "Accept-Encoding"]))
    accepted = {word.partition(";")[0].strip() for word in request.headers.get("accept-encoding", "").split(",")}
    for name, compress in (("br", _brotli), ("gzip", _gzip)):
        if name in accepted:
            response.body = compress(bytes(response.body))
            response.headers["content-length"] = str(len(response.body))
            response.headers["content-encoding"] = name
            break
    return response


WORTH_IT: Final = 1024
_COMPRESSED: Final = frozenset(
    {"text/html", "text/css", "text/javascript", "text/markdown", "text/plain", "application/json", "application/xml"}
    | {"image/svg+xml", "application/atom+xml"}
)


@lru_cache(maxsize=32)
def _brotli(body: bytes) -> bytes:
    return bytes(brotli.compress(body, quality=5))


@lru_cache(maxsize=32)
def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, 6, mtime=0)

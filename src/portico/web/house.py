"""The app of the public house: an address becomes a page, a page is rendered, and goes out with its headers.

GET, HEAD only; a slash too many at the end is a 308; HTML, Markdown (`.md`, or Accept: text/markdown), JSON (`.json`)
every answer: a strict Content-Security-Policy, nosniff, no referrer to others, an ETag; `Vary: Accept`
what is not there: a page that says so; for a program (it brings a key, or asks for no page) an error in its dialect's shape

The loop that answers calls makes no page: one thread renders and compresses, one page at a time, and what it made is kept
until prices, the day or the traffic shown change.

A reader whose browser asks for another language than the page's is offered it by a bar, until one is chosen: `?language=`
at any page keeps the choice in a cookie and leads to the page in that language.
"""

import asyncio
import gzip
import hashlib
import json
import logging
import re
from collections.abc import Hashable, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

import brotli
import msgspec
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from portico.accounts.browser import cookies_of
from portico.web import machine, static
from portico.web.addresses import MEDIA_TYPES, Address, Form, Locale, locale_of, preferred
from portico.web.kept import Answer, Kept
from portico.web.page import Moved, NotHere, Page, View, Visit, finished
from portico.web.render import render_failed, render_html, render_markdown, render_missing
from portico.web.showroom import Showroom
from portico.web.site import PAGES

log = logging.getLogger("portico.web")

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


def policy(*, form_action: str = "", images: str = "") -> str:
    """The Content-Security-Policy of a page, with what it alone needs: another origin for its forms or its images."""
    more = {"form-action": form_action, "img-src": images}
    return "; ".join(f"{name} {value} {more.get(name, '')}".rstrip() for name, value in _SOURCES.items())


SECURITY: Final[Mapping[str, str]] = {
    "content-security-policy": policy(),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), interest-cohort=()",
}
VARY: Final = "Accept, Accept-Language, Authorization, X-Api-Key, X-Goog-Api-Key, Cookie"
_HOST: Final = re.compile(r"(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_FALLBACK_URL: Final = "http://localhost:8080"
_THEMES: Final = ("light", "dark")
LANGUAGE: Final = "language"
"""The parameter and the cookie of a language that was chosen."""
_LOCALES: Final = {locale.value: locale for locale in Locale}
_KEY_HEADERS: Final = ("authorization", "x-api-key", "x-goog-api-key")
MAX_KEPT_BYTES: Final = 16 * 1024 * 1024
MAX_FIELDS: Final = 100
"""A query of more fields is none that a form of the house sends: it is as if there were none."""
_STEP_S: Final = 15
"""For so long a page shows the same traffic."""


class Asked(msgspec.Struct, frozen=True):
    """Everything of a request that an answer depends on. Two that are equal get the same bytes."""

    path: str
    query: tuple[tuple[str, tuple[str, ...]], ...]
    raw_query: str
    """For a redirect alone: "" where there can be none."""
    base_url: str
    form: Form | None
    """What is asked for by Accept, where the address leaves it open."""
    theme: str
    offered: Locale | None
    """A language that the reader's browser asks for before the page's own; None where one was chosen."""
    coding: str
    """What the body is compressed with; "" for nothing."""


class House:
    """The ASGI app."""

    def __init__(self, showroom: Showroom) -> None:
        self._showroom = showroom
        self._kept = Kept(MAX_KEPT_BYTES)
        self._turn = asyncio.Semaphore(1)
        self._moment: tuple[Hashable, Showroom] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            answer = await self._answer(request)
        except Exception:
            log.exception("no page could be made for %s %s", request.method, scope["path"][:200])
            answer = self._failed(request)
        response = Response(answer.body, answer.status, {**SECURITY, **answer.headers})
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Answer:
        if request.method not in ("GET", "HEAD"):
            return await asyncio.to_thread(self._missing, request, 405 if _is_there(request.scope["path"]) else 404)
        asked = self._asked(request)
        if (there := _chosen(asked)) is not None:
            return there
        version = self._version()
        answer = self._kept.get((asked, version))
        if answer is None:
            async with self._turn:
                answer = self._kept.get((asked, version))  # whoever came first has made it
                if answer is None:
                    room = await self._at(version)
                    try:
                        answer = await asyncio.to_thread(made, room, asked)
                    except NotHere:
                        answer = await asyncio.to_thread(self._missing, request, 404)
                    if answer.status == 200:
                        self._kept.put((asked, version), answer)
        return _unless_known(request, answer)

    def _version(self) -> Hashable:
        """What pages are made of changes with this."""
        now = self._showroom.now()
        return self._showroom.version(), now.date(), int(now.timestamp()) // _STEP_S

    async def _at(self, version: Hashable) -> Showroom:
        """The showroom at one moment, with its traffic, so that a thread may look at it."""
        if self._moment is None or self._moment[0] != version:
            traffic, now = await self._showroom.traffic(), self._showroom.now()

            async def told() -> Any:
                return traffic

            changes: dict[str, Any] = {"traffic": told, "now": lambda: now, "kept": {}}
            self._moment = version, msgspec.structs.replace(self._showroom, **changes)
        return self._moment[1]

    def _asked(self, request: Request) -> Asked:
        raw = request.url.query
        try:
            query = parse_qs(raw, max_num_fields=MAX_FIELDS) if raw else {}
        except ValueError:
            query = {}
        return Asked(
            path=request.scope["path"],
            query=tuple(sorted((name, tuple(values)) for name, values in query.items())),
            raw_query=raw if query else "",
            base_url=self._base_url(request),
            form=_form_asked_for(request.headers),
            theme=theme_of(request),
            offered=_offered(request),
            coding=coding_of(request.headers.get("accept-encoding", "")),
        )

    def _missing(self, request: Request, status: int) -> Answer:
        """What is said of an address at which there is nothing."""
        code = "unknown_url" if status == 404 else "method_not_allowed"
        allow = {"allow": "GET, HEAD"} if status == 405 else {}
        if request.scope["path"] == machine.SECURITY and status == 404:
            return _now(machine.NO_CONTACT, status, "text/plain; charset=utf-8")
        if is_program(request.headers):
            advice = machine.advice(request.method, request.scope["path"])
            told = _error(request, "invalid_request_error", code, advice, self._explained(request, code))
            return _now(told, status, "application/json", allow)
        visit = Visit(Address.of(request.scope["path"]), self._base_url(request))
        return _now(render_missing(visit, theme=theme_of(request)), status, MEDIA_TYPES[Form.HTML], allow)

    def _failed(self, request: Request) -> Answer:
        """The last resort."""
        if is_program(request.headers):
            message, code = "Portico failed. The operator finds why in its log.", "internal_error"
            told = _error(request, "server_error", code, message, self._explained(request, code))
            return _now(told, 500, "application/json")
        visit = Visit(Address.of(request.scope["path"]), self._base_url(request))
        return _now(render_failed(visit, theme=theme_of(request)), 500, MEDIA_TYPES[Form.HTML])

    def _explained(self, request: Request, code: str) -> str:
        return f"{self._base_url(request)}/docs/errors#{code}"

    def _base_url(self, request: Request) -> str:
        return base_url_of(request, self._showroom.public_url)


def base_url_of(request: Request, public_url: str | None) -> str:
    """The address under which the visitor sees the house. A Host that is none is not repeated."""
    if public_url is not None:
        return public_url
    host = request.headers.get("host", "")
    return f"{request.url.scheme}://{host}" if _HOST.fullmatch(host) else _FALLBACK_URL


# -- made in a thread ----------------------------------------------------------------------------------------------------


def made(room: Showroom, asked: Asked) -> Answer:
    """The answer to a GET. Raises `NotHere`."""
    return encoded(_made(room, asked), asked.coding)


def _made(room: Showroom, asked: Asked) -> Answer:
    if (file := static.find(asked.path)) is not None:
        return _whole(file.body, file.headers)
    if (told := machine.find(asked.path, room, asked.base_url)) is not None:
        return _whole(*told)
    plain = asked.path.rstrip("/") or "/"
    if asked.path != plain and _find(Address.of(plain).path) is not None:
        return _elsewhere(Address.of(plain), asked)
    address = Address.of(asked.path)
    if (spelt := _spelt_otherwise(address)) is not None:
        return _elsewhere(spelt, asked)
    if address.form is Form.HTML and asked.form is not None:
        address = address.as_form(asked.form)
    visit = Visit(address, asked.base_url, dict(asked.query))
    try:
        return _page(room, visit, asked)
    except Moved as moved:
        return _elsewhere(Address(moved.path, address.locale, address.form), asked)


def _spelt_otherwise(address: Address) -> Address | None:
    """The page whose language is spelt otherwise than it is here: `/zh-tw/docs`, `/en/docs`."""
    tag, _, rest = address.path.removeprefix("/").partition("/")
    locale = locale_of(tag)
    if locale is None or address.locale is not Locale.EN or _find(f"/{rest}") is None:
        return None
    return Address(f"/{rest}", locale, address.form)


def _elsewhere(address: Address, asked: Asked) -> Answer:
    query = f"?{asked.raw_query}" if asked.raw_query else ""
    return Answer(308, {"location": f"{address}{query}", "vary": VARY})


def _page(room: Showroom, visit: Visit, asked: Asked) -> Answer:
    found = _find(visit.address.path)
    if found is None:
        raise NotHere
    page, names = found
    view: View = finished(page.look(room, visit, names))
    headers = {"vary": VARY, "cache-control": "no-cache", "content-type": MEDIA_TYPES[visit.address.form]}
    match visit.address.form:
        case Form.JSON:
            if view.twin is None:
                raise NotHere
            body = json.dumps(view.twin, ensure_ascii=False, indent=1) + "\n"
        case Form.MARKDOWN:
            body = render_markdown(visit, view)
            headers["link"] = f'<{visit.url()}>; rel="canonical"'
            headers["content-location"] = str(visit.address)
        case Form.HTML:
            body = render_html(visit, view, theme=asked.theme, offered=asked.offered)
            headers["link"] = f'<{visit.url(Form.MARKDOWN)}>; rel="alternate"; type="text/markdown"'
    return _whole(body.encode(), headers)


def _whole(body: bytes, headers: Mapping[str, str]) -> Answer:
    """With an ETag, a weak one: the same page goes out in several codings."""
    return Answer(200, {**headers, "etag": f'W/"{hashlib.sha256(body).hexdigest()[:24]}"'}, body)


WORTH_IT: Final = 1024
_COMPRESSED: Final = frozenset(
    {"text/html", "text/css", "text/javascript", "text/markdown", "text/plain", "application/json", "application/xml"}
    | {"image/svg+xml", "application/atom+xml"}
)


def encoded(answer: Answer, coding: str) -> Answer:
    """Compressed, where that is worth it."""
    media_type = answer.headers.get("content-type", "").partition(";")[0]
    if len(answer.body) < WORTH_IT or media_type not in _COMPRESSED:
        return answer
    headers = {**answer.headers, "vary": ", ".join(filter(None, [answer.headers.get("vary"), "Accept-Encoding"]))}
    if not coding:
        return Answer(answer.status, headers, answer.body)
    body = brotli.compress(answer.body, quality=5) if coding == "br" else gzip.compress(answer.body, 6, mtime=0)
    return Answer(answer.status, {**headers, "content-encoding": coding}, body)


def coding_of(accepted: str) -> str:
    """What of an Accept-Encoding is used: a coding of the weight 0 is refused (RFC 9110 12.5.3)."""
    told = {}
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        told[name.strip()] = re.fullmatch(r"\s*q\s*=\s*0(?:\.0{0,3})?\s*", weight) is None
    return next((name for name in ("br", "gzip") if told.get(name, False)), "")


# -- what is asked ---------------------------------------------------------------------------------------------------------


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


def _is_there(path: str) -> bool:
    """Whether a GET would find something, as far as the address says."""
    return path in machine.ADDRESSES or static.find(path) is not None or _find(Address.of(path).path) is not None


def _form_asked_for(headers: Headers) -> Form | None:
    """Markdown for who asks for it, and not for HTML before it."""
    accept = headers.get("accept", "")
    if "text/markdown" not in accept:
        return None
    html = accept.find("text/html")
    return Form.MARKDOWN if html < 0 or accept.find("text/markdown") < html else None


def _chosen(asked: Asked) -> Answer | None:
    """Where a reader who chooses a language is led: the same page, the rest of the query kept. None: nobody does."""
    said = dict(asked.query).get(LANGUAGE, ())
    locale = _LOCALES.get(said[0]) if said else None
    address = Address.of(asked.path)
    if locale is None or _find(address.path) is None:
        return None
    rest = urlencode([(name, values) for name, values in asked.query if name != LANGUAGE], doseq=True)
    return Answer(
        303,
        {
            "location": f"{address.in_locale(locale)}{'?' + rest if rest else ''}",
            "set-cookie": f"{LANGUAGE}={locale.value}; Path=/; Max-Age=31536000; SameSite=Lax",
            "cache-control": "no-store",
            "vary": VARY,
        },
    )


def _offered(request: Request) -> Locale | None:
    """Only for pages that people read, so that nothing else is kept once for every language."""
    path = request.scope["path"]
    if path in machine.ADDRESSES or static.find(path) is not None or _cookie(request, LANGUAGE) in _LOCALES:
        return None
    address = Address.of(path)
    locale = preferred(request.headers.get("accept-language", ""))
    return None if address.form is not Form.HTML or locale is address.locale else locale


def _cookie(request: Request, name: str) -> str:
    """Not `request.cookies`, where a long one takes seconds before Python 3.11.10 (CVE-2024-7592)."""
    return cookies_of(request.headers.get("cookie", "")).get(name, "")


def theme_of(request: Request) -> str:
    said = _cookie(request, "theme")
    return said if said in _THEMES else ""


def _error(request: Request, kind: str, code: str, message: str, doc: str) -> str:
    """An error as the program's client reads it."""
    if "anthropic-version" in request.headers:
        theirs = {"unknown_url": "not_found_error", "internal_error": "api_error"}.get(code, "invalid_request_error")
        return json.dumps({"type": "error", "error": {"type": theirs, "message": message, "doc": doc}})
    return json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code, "doc": doc}})


def _now(body: str, status: int, media_type: str, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer that nobody may keep."""
    told = {"vary": VARY, "cache-control": "no-store", "content-type": media_type, **(headers or {})}
    return Answer(status, told, body.encode())


def _unless_known(request: Request, answer: Answer) -> Answer:
    """A 304 for who has it already (RFC 9110 13.1.2)."""
    tag = answer.headers.get("etag")
    theirs = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if tag is None or tag.removeprefix("W/") not in theirs:
        return answer
    kept = ("etag", "vary", "cache-control", "link", "content-location")
    return Answer(304, {name: answer.headers[name] for name in kept if name in answer.headers})

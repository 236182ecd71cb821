"""The app behind the door: a cookie becomes a visitor, an address a room, and what the room says goes out with its headers.

signed out, and the room needs somebody     303 to /sign-in, and from there back here
signed in, and they may not                 403, told why
what is another account's                   404, as what never was
every answer                                the strict policy of the public house, and no-store: nobody keeps these
"""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import msgspec
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from portico.accounts import people, rows, sessions
from portico.accounts.browser import cookies_of
from portico.accounts.forms import SentBefore
from portico.accounts.keys import seal_of
from portico.accounts.sessions import SEEN_EVERY_US
from portico.core.errors import Conflict, InvalidRequest, NotFound, PorticoError, RequestTooLarge, StorageUnavailable
from portico.core.ids import random_token, without_secrets
from portico.core.storage import Db
from portico.web.addresses import Locale, preferred
from portico.web.house import LANGUAGE, SECURITY, base_url_of, policy, theme_of
from portico.web.inside import guard
from portico.web.inside.asked import OF_FIELD, RANKS, Asked, Led, Needs, Reply, Sent, Shown, Visitor
from portico.web.inside.backstage import Backstage
from portico.web.inside.render import render
from portico.web.inside.room import Room

log = logging.getLogger("portico.web")

MAX_FORM_BYTES: Final = 4 * 1024 * 1024
MAX_FIELDS: Final = 500
_LOCALES: Final = {locale.value: locale for locale in Locale}
_HTML: Final = "text/html; charset=utf-8"
_NEVER_KEPT: Final = {"cache-control": "no-store", "vary": "Cookie"}
SIGN_IN: Final = "/sign-in"
_OF_ADDRESSES: Final = ":/?#[]@!$&'()*+,;=%~"
"""What stands in an address as it is (RFC 3986 2.2)."""


class Inside:
    """The ASGI app. `owns` says which paths are its."""

    def __init__(self, backstage: Backstage, rooms: Sequence[Room]) -> None:
        self._backstage = backstage
        self._rooms = rooms
        self._turn = asyncio.Semaphore(2)

    def owns(self, path: str) -> bool:
        """Whether a path leads behind the door, whatever is or is not there."""
        if path == "/admin/v1" or path.startswith("/admin/v1/"):
            return False  # the admin API's, also where there is none
        top = path.removeprefix("/").partition("/")[0]  # the path of OPTIONS * has no slash
        return top in ("console", "admin") or self._find(path) is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        answer = _Answer(request, self._backstage, self._turn)
        try:
            response = await self._answer(request, answer)
        except PorticoError as error:
            response = await answer.refused(error)
        except Exception:
            log.exception("no page could be made for %s %s", request.method, without_secrets(scope["path"][:200]))
            response = await answer.refused(PorticoError("Portico failed. The operator finds why in its log."))
        await response(scope, receive, send)

    async def _answer(self, request: Request, answer: "_Answer") -> Response:
        path = request.scope["path"]
        plain = path.rstrip("/") or "/"
        found = None if "\0" in plain else self._find(plain)
        if found is None:
            answer.know(await self._visitor(answer.secret))
            raise NotFound("There is no such page.")
        if plain != path:
            return answer.led(Led(to=_with_query(plain, request)), status=308)
        place, names = found
        if not place.open_to_programs:
            answer.know(await self._visitor(answer.secret))
        if (chosen := await self._choose_language(request, answer)) is not None:
            return chosen
        posts = request.method == "POST"
        serve = place.act if posts else place.look
        if serve is None or request.method not in ("GET", "HEAD", "POST"):
            allowed = ", ".join([*(["GET", "HEAD"] if place.look else []), *(["POST"] if place.act else [])])
            return answer.plain(405, "This is not done here.", {"allow": allowed})
        needs = place.act_needs if posts and place.act_needs is not None else place.needs
        if needs is not Needs.NOBODY and answer.visitor is None:
            return answer.led(_sign_in_first(request, place))
        if answer.visitor is not None and not answer.visitor.may(needs):
            raise NotAllowed(_NOT_ALLOWED[needs])
        asked = await self._asked(request, answer, names, place)
        if needs in RANKS.values() and asked.said(OF_FIELD, asked.account_id) != asked.account_id:
            raise Conflict(_OF_ANOTHER)
        try:
            reply = await serve(asked)
        except SentBefore:
            reply = Led(to=path, done="sent-before")
        return await answer.told(reply, asked)

    def _find(self, path: str) -> tuple[Room, dict[str, str]] | None:
        for place in self._rooms:
            match = place.pattern.fullmatch(path)
            if match is not None:
                return place, match.groupdict()
        return None

    async def _visitor(self, secret: str) -> Visitor | None:
        if not secret:
            return None
        found = await self._backstage.reading.read(lambda db: visitor_of(db, secret))
        if found is None:
            return None
        visitor, now_us = found
        if visitor.session.seen_us < now_us - SEEN_EVERY_US:
            await self._backstage.reading.work(lambda db: sessions.note_seen(db, visitor.session.id))
        return visitor

    async def _choose_language(self, request: Request, answer: "_Answer") -> Response | None:
        """`?language=` keeps the choice, of whoever has signed in for every browser, and leads back."""
        locale = _LOCALES.get(request.query_params.get(LANGUAGE, ""))
        if locale is None or request.method != "GET":
            return None
        if (visitor := answer.visitor) is not None:
            await self._backstage.reading.work(lambda db: people.set_locale(db, visitor.user.id, locale.value))
        response = answer.led(Led(to=_with_query(request.scope["path"], request, without=LANGUAGE)))
        response.headers.append("set-cookie", f"{LANGUAGE}={locale.value}; Path=/; Max-Age=31536000; SameSite=Lax")
        return response

    async def _asked(self, request: Request, answer: "_Answer", names: Mapping[str, str], place: Room) -> Asked:
        asked = Asked(
            backstage=self._backstage,
            path=request.scope["path"],
            names=names,
            query=_query(request),
            headers=request.headers,
            visitor_or_none=answer.visitor,
            locale=answer.locale,
            theme=answer.theme,
            base_url=answer.base_url,
            peer=request.client.host if request.client else "",
            secure=answer.secure,
            token=answer.token(),
            seal=partial(seal_of, secret=answer.secret),
        )
        if request.method != "POST":
            return asked
        body = await request.body()
        if place.open_to_programs:
            return msgspec.structs.replace(asked, body=body)
        form, files = await _form(request, body)
        if any("\0" in value for values in form.values() for value in values):
            raise InvalidRequest("The form cannot be read.")
        said = next(iter(form.get(guard.TOKEN_FIELD, ())), request.headers.get(guard.TOKEN_HEADER, ""))
        hosts = {request.headers.get("host", ""), urlsplit(answer.base_url).netloc}
        if not guard.comes_from_here(request.headers, hosts) or not answer.is_token(said):
            raise NotAllowed(_STALE)
        return msgspec.structs.replace(asked, form=form, files=files, body=body)


class NotAllowed(PorticoError):
    """You may not do this."""

    status = 403
    code = "permission_denied"


_NOT_ALLOWED: Final[Mapping[Needs, str]] = {
    Needs.PERSON: "Sign in first.",
    Needs.OPERATOR: "This page is for whoever runs this Portico.",
    Needs.VIEWER: "You are in no account yet. Ask an operator, or the owner of an account, to invite you.",
    Needs.MEMBER: "In this account you may look, and change nothing. Its owner can make you a member.",
    Needs.ADMIN: "This takes an admin or the owner of the account.",
    Needs.OWNER: "This takes the owner of the account.",
}
_STALE: Final = (
    "This form is no longer good: you signed in or out since it was shown. Nothing was changed. Open it anew."
)


def visitor_of(db: Db, secret: str) -> tuple[Visitor, int] | None:
    """Who comes with a session's secret, and what time it is; None: nobody who is signed in."""
    found = sessions.find_session(db, secret)
    if found is None:
        return None
    session, user = found
    memberships = people.memberships_of(db, user.id)
    accounts = rows.accounts_of(db, [one.account_id for one in memberships])
    roles = {one.account_id: one.role for one in memberships}
    chosen = session.account_id if session.account_id in roles else _first(roles)
    visitor = Visitor(
        user=user,
        session=session,
        memberships=memberships,
        account_names={key: account.name for key, account in accounts.items()},
        account=None if chosen is None else accounts[chosen],
        role=None if chosen is None else roles[chosen],
    )
    return visitor, db.now_us


def _first(roles: Mapping[str, str]) -> str | None:
    """The account of somebody who chose none: where they may most."""
    return min(roles, key=lambda account: (-RANKS[roles[account]], account), default=None)


_OF_ANOTHER: Final = (
    "You look at another account by now than when this form was shown. Nothing was changed. Open it anew."
)


class _Answer:
    """What an answer to one request has in common with every other to it."""

    def __init__(self, request: Request, backstage: Backstage, turn: asyncio.Semaphore) -> None:
        self._request = request
        self._backstage = backstage
        self._turn = turn
        self.base_url = base_url_of(request, backstage.showroom.public_url)
        self.secure = self.base_url.startswith("https://")
        self.theme = theme_of(request)
        self._cookies = cookies_of(request.headers.get("cookie", ""))
        self.secret = self._cookies.get(guard.cookie_name(guard.SESSION, secure=self.secure), "")
        self._visitor_secret = self._cookies.get(guard.cookie_name(guard.VISITOR, secure=self.secure), "")
        self._new_visitor_secret = ""
        self.visitor: Visitor | None = None

    def know(self, visitor: Visitor | None) -> None:
        self.visitor = visitor

    @property
    def locale(self) -> Locale:
        """The one that was chosen: by the person, else in this browser; else what the browser asks for."""
        said = [self.visitor.user.locale] if self.visitor is not None else []
        for word in (*said, self._cookies.get(LANGUAGE, "")):
            if word in _LOCALES:
                return _LOCALES[word]
        return preferred(self._request.headers.get("accept-language", "")) or Locale.EN

    def token(self) -> str:
        """What a form carries. Whoever has not signed in is given a cookie for it."""
        if self.visitor is not None:
            return guard.token_of(self.secret)
        if not self._visitor_secret and not self._new_visitor_secret:
            self._new_visitor_secret = random_token(self._backstage.rng, 32)
        return guard.token_of(self._visitor_secret or self._new_visitor_secret)

    def is_token(self, said: str) -> bool:
        return guard.is_token(said, self.secret if self.visitor is not None else self._visitor_secret)

    # -- forms of an answer

    async def told(self, reply: Reply, asked: Asked) -> Response:
        match reply:
            case Led():
                return self.led(reply)
            case Sent():
                return self._with(_sent(reply))
            case Shown():
                return await self._page(reply, asked)

    async def _page(self, reply: Shown, asked: Asked) -> Response:
        async with self._turn:
            text = await asyncio.to_thread(render, asked, reply)
        response = self._with(Response(text, reply.status, dict(reply.headers), media_type=_HTML))
        response.headers["content-security-policy"] = policy(form_action=reply.form_action, images=reply.images)
        self._sign(response, reply.sign_in)
        if self._new_visitor_secret and reply.sign_in is None:
            cookie = guard.set_cookie(guard.VISITOR, self._new_visitor_secret, secure=self.secure, max_age_s=None)
            response.headers.append("set-cookie", cookie)
        return response

    def led(self, reply: Led, status: int = 303) -> Response:
        mark = "&" if "?" in reply.to else "?"
        to = f"{reply.to}{mark}{urlencode({'done': reply.done})}" if reply.done else reply.to
        response = self._with(Response(b"", status, {**reply.headers, "location": quote(to, safe=_OF_ADDRESSES)}))
        self._sign(response, reply.sign_in)
        return response

    def plain(self, status: int, text: str, headers: Mapping[str, str]) -> Response:
        return self._with(Response(text + "\n", status, dict(headers), "text/plain; charset=utf-8"))

    async def refused(self, error: PorticoError) -> Response:
        """A failure, as whoever asks reads it."""
        status = 422 if isinstance(error, InvalidRequest) else error.http_status
        headers = {} if error.retry_after_s is None else {"retry-after": str(int(error.retry_after_s) + 1)}
        if _wants_json(self._request):
            told = {"error": {"code": error.code or "internal_error", "message": error.message, "param": error.param}}
            return self._with(Response(json.dumps(told), status, headers, "application/json"))
        asked = Asked(
            backstage=self._backstage,
            path=self._request.scope["path"],
            names={},
            query={},
            visitor_or_none=self.visitor,
            locale=self.locale,
            theme=self.theme,
            base_url=self.base_url,
            secure=self.secure,
            token=guard.token_of(self.secret) if self.visitor is not None else "",
        )
        data = {"message": error.message, "retry": isinstance(error, StorageUnavailable), "status": status}
        shown = Shown(
            template="inside/refused", title=_TITLES.get(status, "This did not work"), data=data, status=status
        )
        response = await self._page(shown, asked)
        response.headers.update(headers)
        return response

    def _sign(self, response: Response, sign_in: str | None) -> None:
        """The cookie of a new session, or the end of the one there was."""
        if sign_in is None:
            return
        response.headers.append("set-cookie", guard.set_cookie(guard.SESSION, sign_in, secure=self.secure))
        response.headers.append("set-cookie", guard.set_cookie(guard.VISITOR, "", secure=self.secure))

    def _with(self, response: Response) -> Response:
        for name, value in {**SECURITY, **_NEVER_KEPT}.items():
            response.headers.setdefault(name, value)
        # A receipt, an invitation: nobody else learns of their addresses.
        response.headers["referrer-policy"] = "same-origin"
        return response


_TITLES: Final[Mapping[int, str]] = {
    403: "You may not do this",
    404: "There is no such page",
    409: "This cannot be done now",
    422: "Something in it is wrong",
    429: "Too much at once",
    503: "The books cannot be reached",
}


def _sent(reply: Sent) -> Response:
    headers = dict(reply.headers)
    if isinstance(reply.body, bytes):
        return Response(reply.body, reply.status, headers, reply.media_type)
    return StreamingResponse(reply.body, reply.status, headers, reply.media_type)


def _query(request: Request) -> dict[str, list[str]]:
    """Without the character that no database of texts takes."""
    try:
        told = parse_qs(request.url.query, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        return {}
    return {name: [value.replace("\0", "") for value in values] for name, values in told.items()}


async def _form(request: Request, body: bytes) -> tuple[dict[str, list[str]], dict[str, UploadFile]]:
    """Fields and files. Raises `InvalidRequest`, `RequestTooLarge`."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if len(body) > MAX_FORM_BYTES:
        raise RequestTooLarge("The form is too large.")
    if kind == "application/x-www-form-urlencoded":
        try:
            return parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS), {}
        except ValueError:
            raise InvalidRequest("The form cannot be read.") from None
    if kind != "multipart/form-data":
        return {}, {}
    fields: dict[str, list[str]] = {}
    files: dict[str, UploadFile] = {}
    try:
        for name, value in (await request.form(max_files=10, max_fields=MAX_FIELDS)).multi_items():
            if isinstance(value, str):
                fields.setdefault(name, []).append(value)
            elif value.filename:
                files[name] = value
    except (MultiPartException, ValueError):
        raise InvalidRequest("The form cannot be read.") from None
    return fields, files


def _wants_json(request: Request) -> bool:
    accept = request.headers.get("accept", "")
    return request.scope["path"].endswith((".json", ".csv")) or (
        "application/json" in accept and "text/html" not in accept
    )


def _with_query(path: str, request: Request, *, without: str = "") -> str:
    """Of a path as it was decoded: a `?` in it is a part of it."""
    rest = [(name, value) for name, value in request.query_params.multi_items() if name != without]
    told = quote(path, safe="/:@!$&'()*+,;=~")
    return f"{told}?{urlencode(rest)}" if rest else told


def _sign_in_first(request: Request, place: Room) -> Led:
    """Where somebody is led who has to sign in. Afterwards they are led back: to what they wanted to look at, or to the
    page of a form that came to nothing."""
    done = "not-signed-in" if request.method == "POST" else ""
    if place.look is None:
        return Led(to=SIGN_IN, done=done)
    return Led(to=f"{SIGN_IN}?{urlencode({'to': _with_query(request.scope['path'], request)})}", done=done)

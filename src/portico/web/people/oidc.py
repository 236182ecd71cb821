"""Signing in with a provider of identities: there and back.

What goes along is in a cookie of this browser alone, for ten minutes: a state, a nonce and a verifier, where to go
afterwards, and whether somebody who is signed in wants to connect. Whoever comes back without it was sent by somebody else.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hmac import compare_digest
from typing import Final

import msgspec

from portico.accounts import identities
from portico.accounts.browser import cookies_of
from portico.admin import outside
from portico.admin.people import UserView
from portico.core.errors import Conflict, InvalidRequest, NotFound, PermissionDenied, PorticoError
from portico.core.ids import random_token
from portico.web.inside import guard
from portico.web.inside.asked import Asked, Led, Reply, Shown
from portico.web.people.door import welcomed
from portico.web.people.issuer import Issuer, Told

START: Final = "/auth/oidc/start"
CALLBACK: Final = "/auth/oidc/callback"
COOKIE: Final = "portico-oidc"
LIFE_S: Final = 600
MAX_COOKIE: Final = 3500
"""Of a longer one no browser keeps anything (RFC 6265 6.1: 4096 bytes with its name and attributes)."""
_SETTINGS: Final = "/console/settings"
_INVITE: Final = "/invite/"
_STRAY: Final = "This was begun in another browser, or too long ago. Begin again."
_REFUSED: Final = "Your provider did not let you in."


class Along(msgspec.Struct, frozen=True):
    """What goes along in the cookie."""

    state: str
    nonce: str
    verifier: str
    to: str = ""
    connect: str = ""
    """The session that wants to connect."""


async def start(asked: Asked) -> Reply:
    issuer = _issuer(asked)
    to = asked.first("to") if guard.is_here(asked.first("to")) else ""
    connect = ""
    if wanted := asked.first("connect"):
        if asked.visitor_or_none is None or not compare_digest(wanted.encode(), connect_token(asked).encode()):
            return _failed(_STRAY, 403)
        connect = asked.visitor.session.id
    rng = asked.backstage.rng
    along = Along(random_token(rng, 43), random_token(rng, 43), random_token(rng, 64), to, connect)
    try:
        where = await issuer.where(
            state=along.state, nonce=along.nonce, verifier=along.verifier, back=f"{asked.base_url}{CALLBACK}"
        )
    except PorticoError as error:
        return _failed(error.message, error.http_status)
    value = _written(along)
    if len(value) > MAX_COOKIE:
        value = _written(msgspec.structs.replace(along, to=""))
    return Led(to=where, headers={"set-cookie": guard.set_cookie(COOKIE, value, secure=asked.secure, max_age_s=LIFE_S)})


async def come_back(asked: Asked) -> Reply:
    issuer, along = _issuer(asked), _along(asked)
    if along is None or not compare_digest(asked.first("state").encode(), along.state.encode()):
        return _failed(_STRAY, 403)
    over = {"set-cookie": guard.set_cookie(COOKIE, "", secure=asked.secure)}
    if not asked.first("code"):
        return _failed(_REFUSED, 403, over)
    try:
        told = await issuer.who(
            asked.first("code"), nonce=along.nonce, verifier=along.verifier, back=f"{asked.base_url}{CALLBACK}"
        )
        if along.connect:
            return msgspec.structs.replace(await _connected(asked, along, told), headers=over)
        user = await _known(asked, issuer, along, told)
        led = await welcomed(asked, user.id, to=along.to if guard.is_here(along.to) else "")
    except (PermissionDenied, Conflict) as error:
        return _failed(error.message, 403, over)
    except InvalidRequest:
        return _failed(outside.UNVERIFIED, 403, over)
    except PorticoError as error:
        return _failed(error.message, error.http_status, over)
    return msgspec.structs.replace(led, done="", headers=over)


async def disconnect(asked: Asked) -> Reply:
    """One of a person's own identities."""
    fields = {"user": asked.visitor.user.id, "issuer": asked.said("issuer"), "subject": asked.said("subject")}
    command = outside.DISCONNECT
    await asked.backstage.office.do(command, command.read(fields), actor=asked.visitor.actor)
    return Led(to=_SETTINGS, done="disconnected")


async def connections(asked: Asked) -> list[identities.Identity]:
    user = asked.visitor.user.id
    return await asked.backstage.reading.read(lambda db: identities.identities_of(db, user))


def connect_token(asked: Asked) -> str:
    """What the link in the settings carries: only a page of this session can make it, and a form's token is not in it."""
    return guard.token_of(f"connect {asked.token}")


async def _known(asked: Asked, issuer: Issuer, along: Along, told: Told) -> UserView:
    registered = issuer.registered
    fields = {
        "issuer": told.issuer,
        "subject": told.subject,
        "email": told.email,
        "verified": told.verified,
        "name": told.name,
        "link": along.to.removeprefix(_INVITE)[:200] if along.to.startswith(_INVITE) else "",
        "may_come": asked.backstage.signup == "open" or registered.may_come(told.email),
        "operator": told.verified and registered.is_operator(told.email),
    }
    command = outside.COME
    actor = f"oidc:{told.email or told.subject}"
    user: UserView = await asked.backstage.office.do(command, command.read(fields), actor=actor)
    return user


async def _connected(asked: Asked, along: Along, told: Told) -> Led:
    """Connects whoever is still signed in as they were when they left."""
    visitor = asked.visitor_or_none
    if visitor is None or visitor.session.id != along.connect:
        raise PermissionDenied(_STRAY)
    fields = {"user": visitor.user.id, "issuer": told.issuer, "subject": told.subject}
    command = outside.CONNECT
    await asked.backstage.office.do(command, command.read(fields), actor=visitor.actor)
    return Led(to=_SETTINGS, done="connected")


def _issuer(asked: Asked) -> Issuer:
    found: Issuer | None = asked.backstage.extras.get("oidc")
    if found is None:
        raise NotFound("There is no such page.")
    return found


def _written(along: Along) -> str:
    return urlsafe_b64encode(msgspec.json.encode(along)).decode()


def _along(asked: Asked) -> Along | None:
    value = cookies_of(asked.headers.get("cookie", "")).get(guard.cookie_name(COOKIE, secure=asked.secure), "")
    try:
        return msgspec.json.decode(urlsafe_b64decode(value), type=Along)
    except (binascii.Error, msgspec.DecodeError, ValueError):
        return None


def _failed(why: str, status: int, headers: dict[str, str] | None = None) -> Shown:
    return Shown(
        template="people/oidc-failed",
        title="You are not signed in",
        status=status,
        data={"why": why},
        headers=headers or {},
    )

"""Signing in, up and out.

Whoever signs in gets a new session, whatever cookie they came with, and the one they had ends: a secret that somebody else
put there opens nothing. What was wrong, the address or the password, is not told, and takes the same time to find out.
"""

from typing import Final
from urllib.parse import urlencode

from portico.accounts import attempts, passwords, people, sessions
from portico.accounts.people import User
from portico.admin import door
from portico.admin.people import actor_of
from portico.core.errors import Conflict, InvalidRequest
from portico.core.storage import Db
from portico.web.inside.asked import Asked, Led, Reply, Shown
from portico.web.inside.guard import is_here

SIGN_IN: Final = "/sign-in"
SIGN_UP: Final = "/sign-up"
_WRONG: Final = "The address or the password is not right."
_TAKEN: Final = "Somebody has this address already. If that is you, sign in."


async def look_in(asked: Asked) -> Reply:
    visitor = asked.visitor_or_none
    if visitor is not None:
        home = await asked.backstage.reading.read(lambda db: home_of(db, visitor.user))
        return Led(to=_wanted(asked.first("to")) or home)
    return _sign_in_form(asked, to=_wanted(asked.first("to")))


async def sign_in(asked: Asked) -> Reply:
    email, password, to = asked.said("email"), as_typed(asked, "password"), _wanted(asked.said("to"))
    reading = asked.backstage.reading
    wait = await reading.work(lambda db: attempts.wait_s(db, address=asked.peer, email=email))
    if wait:
        headers = {"retry-after": str(wait)}
        return _sign_in_form(asked, to=to, status=429, wait_minutes=-(-wait // 60), headers=headers)
    user, stored = await reading.read(lambda db: _known(db, email))
    checked = await passwords.check(password, stored)
    if user is None or stored is None or user.disabled_us is not None or not checked.good:
        return _sign_in_form(asked, to=to, status=422, errors={"": _WRONG})
    found, was = user, stored

    def begin(db: Db) -> tuple[str, str] | None:
        # Whoever sets another password meanwhile waits for this one's row, and then ends this session too.
        if not passwords.replace_hash(db, found.id, was, checked.rehashed or was):
            return None
        attempts.give_back(db, address=asked.peer, email=email)
        return open_for(db, asked, found), home_of(db, found)

    begun = await reading.work(begin)
    if begun is None:
        return _sign_in_form(asked, to=to, status=422, errors={"": _WRONG})
    secret, home = begun
    return Led(to=to or home, sign_in=secret)


async def look_up(asked: Asked) -> Reply:
    if asked.visitor_or_none is not None:
        return Led(to="/console")
    return _sign_up_form(asked)


async def sign_up(asked: Asked) -> Reply:
    """Somebody who comes by themselves, where everybody may."""
    if asked.backstage.signup != "open":
        return _sign_up_form(asked, status=403)
    wait = await asked.backstage.reading.work(lambda db: attempts.wait_s(db, address=asked.peer, email=""))
    if wait:
        headers = {"retry-after": str(wait)}
        return _sign_up_form(asked, status=429, wait_minutes=-(-wait // 60), headers=headers)
    fields = {"email": asked.said("email"), "name": asked.said("name"), "password": as_typed(asked, "password")}
    try:
        people.address_of(fields["email"])
        made = await asked.backstage.office.do(
            door.SIGN_UP, door.SIGN_UP.read(fields), actor=actor_of(fields["email"].lower())
        )
    except Conflict:
        return _sign_up_form(asked, status=422, errors={"email": _TAKEN})
    except InvalidRequest as error:
        return _sign_up_form(asked, status=422, errors={error.param or "": error.message})
    return await welcomed(asked, made.id)


async def sign_out(asked: Asked) -> Reply:
    if (visitor := asked.visitor_or_none) is not None:
        session = visitor.session
        await asked.backstage.reading.work(lambda db: sessions.close_session(db, session.id))
    return Led(to=SIGN_IN, done="signed-out", sign_in="")


# -- for all who come in -----------------------------------------------------------------------------------------------


async def welcomed(asked: Asked, user_id: str, *, to: str = "") -> Led:
    """Signs in somebody who has just become a user, or proved who they are otherwise."""

    def begin(db: Db) -> tuple[str, str]:
        user = people.show_user(db, user_id)
        return open_for(db, asked, user), home_of(db, user)

    secret, home = await asked.backstage.reading.work(begin)
    return Led(to=to or home, done="" if to else "welcome", sign_in=secret)


def open_for(db: Db, asked: Asked, user: User) -> str:
    """A new session for this browser, in place of the one it had."""
    if (visitor := asked.visitor_or_none) is not None:
        sessions.close_session(db, visitor.session.id)
    agent = asked.headers.get("user-agent", "")
    return sessions.open_session(db, asked.backstage.rng, user, agent=agent, address=asked.peer)


def home_of(db: Db, user: User) -> str:
    """Where somebody is led who wanted nothing in particular."""
    if people.memberships_of(db, user.id):
        return "/console"
    return "/admin" if user.operator else "/console/settings"


def as_typed(asked: Asked, name: str) -> str:
    """A field of the form with the blanks around it: a password may have some."""
    return next(iter(asked.form.get(name, ())), "")


def _wanted(to: str) -> str:
    """Where to go afterwards, if that is a page of ours."""
    return to if is_here(to) else ""


def _known(db: Db, email: str) -> tuple[User | None, str | None]:
    user = people.user_of(db, email)
    return user, None if user is None else passwords.stored_hash(db, user.id)


def _sign_in_form(
    asked: Asked,
    *,
    to: str,
    status: int = 200,
    errors: dict[str, str] | None = None,
    wait_minutes: int = 0,
    headers: dict[str, str] | None = None,
) -> Shown:
    return Shown(
        template="people/sign-in",
        title="Sign in",
        status=status,
        errors=errors or {},
        headers=headers or {},
        data={
            "email": asked.said("email"),
            "to": to,
            "wait_minutes": wait_minutes,
            "signup": asked.backstage.signup,
            "oidc": asked.backstage.extras.get("oidc"),
            "to_query": f"?{urlencode({'to': to})}" if to else "",
        },
    )


def _sign_up_form(
    asked: Asked,
    *,
    status: int = 200,
    errors: dict[str, str] | None = None,
    wait_minutes: int = 0,
    headers: dict[str, str] | None = None,
) -> Shown:
    return Shown(
        template="people/sign-up",
        title="Sign up",
        status=status,
        errors=errors or {},
        headers=headers or {},
        data={
            "email": asked.said("email"),
            "name": asked.said("name"),
            "wait_minutes": wait_minutes,
            "signup": asked.backstage.signup,
            "oidc": asked.backstage.extras.get("oidc"),
        },
    )

"""What a link opens: the first start, an invitation, another password. To look uses nothing up."""

from collections.abc import Mapping
from typing import Final

import msgspec

from portico.accounts import links, people, sessions
from portico.accounts.links import Link
from portico.accounts.rows import show_account
from portico.admin import door
from portico.admin.command import Command
from portico.admin.people import actor_of
from portico.core.errors import Conflict, InvalidRequest, NotFound
from portico.core.storage import Db
from portico.web.inside.asked import Asked, Led, Reply, Shown
from portico.web.people.door import SIGN_IN, as_typed, welcomed

_GONE: Final = Shown(template="people/gone", title="This link is no longer good", status=404)
_NOW_KNOWN: Final = "There is a user of this address by now. Sign in, and follow the link again."


class Invited(msgspec.Struct, frozen=True):
    """An invitation, and whom it meets."""

    link: Link
    account_name: str
    known: bool
    """Whether there is a user of its address."""


# -- the first start ---------------------------------------------------------------------------------------------------


async def look_first(asked: Asked) -> Reply:
    if await _found(asked, links.FIRST_START) is None:
        return _GONE
    return _form(asked, "people/first-start", "Begin")


async def start(asked: Asked) -> Reply:
    if await _found(asked, links.FIRST_START) is None:
        return _GONE
    try:
        people.address_of(asked.said("email"))
        return await _followed(asked, door.FIRST_START, asked.said("email"))
    except InvalidRequest as error:
        return _form(asked, "people/first-start", "Begin", error=error)
    except (NotFound, Conflict):
        return _GONE


# -- invitations -------------------------------------------------------------------------------------------------------


async def look_invited(asked: Asked) -> Reply:
    invited = await _invited(asked)
    return _GONE if invited is None else _invitation(asked, invited)


async def accept(asked: Asked) -> Reply:
    """A new user is made; one who has signed in joins."""
    invited = await _invited(asked)
    if invited is None:
        return _GONE
    visitor = asked.visitor_or_none
    try:
        if visitor is None:
            return await _followed(asked, door.ACCEPT, invited.link.email)
        if visitor.user.email != invited.link.email:
            return _invitation(asked, invited)
        fields = {"link": asked.names["link"], "user": visitor.user.id}
        await asked.backstage.office.do(door.JOIN, door.JOIN.read(fields), actor=visitor.actor)
        if (account_id := invited.link.account_id) is not None:
            session = visitor.session.id
            await asked.backstage.reading.work(lambda db: sessions.choose_account(db, session, account_id))
    except InvalidRequest as error:
        return _invitation(asked, invited, error=error)
    except NotFound:
        return _GONE
    except Conflict:
        return _invitation(asked, invited, error=InvalidRequest(_NOW_KNOWN))
    return Led(to="/console", done="joined")


def _invitation(asked: Asked, invited: Invited, error: InvalidRequest | None = None) -> Shown:
    data = {"invited": invited, "sign_in": f"{SIGN_IN}?to={asked.path}", "oidc": asked.backstage.extras.get("oidc")}
    return _form(asked, "people/invite", "You are invited", error=error, data=data)


async def _invited(asked: Asked) -> Invited | None:
    def ask(db: Db) -> Invited | None:
        try:
            link = links.find_link(db, asked.names["link"], links.INVITE)
        except NotFound:
            return None
        name = "" if link.account_id is None else show_account(db, link.account_id).name
        return Invited(link, name, people.user_of(db, link.email) is not None)

    return await asked.backstage.reading.read(ask)


# -- another password --------------------------------------------------------------------------------------------------


async def look_reset(asked: Asked) -> Reply:
    link = await _found(asked, links.RESET)
    return _GONE if link is None else await _reset_form(asked, link)


async def reset(asked: Asked) -> Reply:
    link = await _found(asked, links.RESET)
    if link is None:
        return _GONE
    email = await _email_of(asked, link)
    try:
        led = await _followed(asked, door.RESET, email)
    except InvalidRequest as error:
        return await _reset_form(asked, link, error=error)
    except NotFound:
        return _GONE
    return msgspec.structs.replace(led, done="password-set")


async def _reset_form(asked: Asked, link: Link, error: InvalidRequest | None = None) -> Shown:
    data = {"whose": await _email_of(asked, link)}
    return _form(asked, "people/reset", "Choose another password", error=error, data=data)


async def _email_of(asked: Asked, link: Link) -> str:
    user = await asked.backstage.reading.read(lambda db: people.show_user(db, link.user_id or ""))
    return user.email


# -- in common ---------------------------------------------------------------------------------------------------------


async def _found(asked: Asked, purpose: str) -> Link | None:
    def ask(db: Db) -> Link | None:
        try:
            return links.find_link(db, asked.names["link"], purpose)
        except NotFound:
            return None

    return await asked.backstage.reading.read(ask)


async def _followed(asked: Asked, command: Command, email: str) -> Led:
    """Follows the link with the form's password, and signs in who comes of it. Raises what the command does."""
    fields = {
        "link": asked.names["link"],
        "email": email,
        "name": asked.said("name"),
        "password": as_typed(asked, "password"),
    }
    made = await asked.backstage.office.do(command, command.read(fields), actor=actor_of(email.strip().lower()))
    return await welcomed(asked, made.id)


def _form(
    asked: Asked,
    template: str,
    title: str,
    *,
    error: InvalidRequest | None = None,
    data: Mapping[str, object] | None = None,
) -> Shown:
    errors = {} if error is None else {error.param or "": error.message}
    typed = {"email": asked.said("email"), "name": asked.said("name")}
    return Shown(
        template=template, title=title, status=422 if errors else 200, errors=errors, data={**typed, **(data or {})}
    )

"""One request behind the door: who makes it and what it says; and what may come back."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import date
from enum import IntEnum
from functools import partial
from typing import Any, Final

import msgspec
from starlette.datastructures import UploadFile

from portico.accounts import forms
from portico.accounts.people import Membership, User
from portico.accounts.rows import Account
from portico.accounts.sessions import Session
from portico.admin.people import actor_of
from portico.core.errors import InvalidRequest
from portico.core.ids import random_token
from portico.web.addresses import Locale
from portico.web.inside.backstage import Backstage
from portico.web.words import ISOLATES

ONCE_FIELD: Final = "once"
OF_FIELD: Final = "of"
"""The account that was looked at when a form was shown."""


class Needs(IntEnum):
    """Who may: each may what those above may, but an operator need not be of an account."""

    NOBODY = 0
    """Anybody, signed in or not."""
    PERSON = 1
    """Whoever has signed in."""
    VIEWER = 2
    """Sees what an account used."""
    MEMBER = 3
    """Has keys of their own in it."""
    ADMIN = 4
    """Looks after its keys, limits, people."""
    OWNER = 5
    OPERATOR = 9
    """Runs this Portico."""


RANKS: Final[Mapping[str, Needs]] = {
    "viewer": Needs.VIEWER,
    "member": Needs.MEMBER,
    "admin": Needs.ADMIN,
    "owner": Needs.OWNER,
}


class Purse(msgspec.Struct, frozen=True):
    """What stands at the top of every page of an account."""

    posted_nanos: int
    held_nanos: int
    prepaid: bool

    @property
    def spendable_nanos(self) -> int:
        return self.posted_nanos - self.held_nanos


class Visitor(msgspec.Struct, frozen=True):
    """Somebody who has signed in, and the account they look at."""

    user: User
    session: Session
    memberships: Sequence[Membership] = ()
    account_names: Mapping[str, str] = {}
    """Of all their accounts, by id."""
    account: Account | None = None
    """None: they are in none."""
    role: str | None = None

    @property
    def actor(self) -> str:
        """Who acts, for the audit."""
        return actor_of(self.user.email)

    @property
    def purse(self) -> Purse | None:
        if self.account is None:
            return None
        return Purse(self.account.posted_nanos, self.account.held_nanos, self.account.kind == "prepaid")

    def may(self, needs: Needs) -> bool:
        if needs is Needs.OPERATOR:
            return bool(self.user.operator)
        return needs <= Needs.PERSON or (self.role is not None and RANKS[self.role] >= needs)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request to a room."""

    backstage: Backstage
    path: str
    names: Mapping[str, str]
    """The groups of the room's pattern."""
    query: Mapping[str, Sequence[str]]
    form: Mapping[str, Sequence[str]] = {}
    files: Mapping[str, UploadFile] = {}
    body: bytes = b""
    """Of a request that is no form, such as a webhook's."""
    headers: Mapping[str, str] = {}
    visitor_or_none: Visitor | None = None
    locale: Locale = Locale.EN
    theme: str = ""
    base_url: str
    """Scheme, host and port under which the visitor sees the house, without a slash."""
    peer: str = ""
    secure: bool = False
    """Whether they came by TLS."""
    token: str = ""
    """What a form of ours carries, so that no other site's does."""
    seal: Callable[[str], str] = str
    """Seals the digest of a key for this session, so that a page of it may call with that (`accounts.lending`)."""

    @property
    def visitor(self) -> Visitor:
        """Who has signed in. Only of rooms that need somebody."""
        if self.visitor_or_none is None:
            raise RuntimeError("this room is open to everybody")
        return self.visitor_or_none

    @property
    def account_id(self) -> str:
        """The account that is looked at. Only of rooms that need a role in one."""
        account = self.visitor.account
        if account is None:
            raise RuntimeError("this room needs no account")
        return account.id

    def first(self, name: str, default: str = "") -> str:
        """A parameter of the address."""
        return next(iter(self.query.get(name, ())), default)

    def day(self, name: str) -> date | None:
        """A parameter that is a day; None: none was said. Raises `InvalidRequest`."""
        text = self.first(name).strip()
        if not text:
            return None
        try:
            day = date.fromisoformat(text)
        except ValueError:
            day = date.min
        if not date(1970, 1, 1) <= day <= date(8000, 1, 1):
            raise InvalidRequest("A day is written as 2026-01-31.", param=name)
        return day

    def said(self, name: str, default: str = "") -> str:
        """A field of the form, without blanks around it."""
        return next(iter(self.form.get(name, ())), default).strip()

    async def do(self, name: str, /, **fields: Any) -> Any:
        """Carries out a command as whoever asks; what is None is not given. Raises the core's errors."""
        return await self.backstage.do(name, _given(fields), actor=self.visitor.actor)

    async def do_once(self, name: str, /, **fields: Any) -> Any:
        """The same of a form that is answered with what is shown once, and so is not led on: when its page is loaded again
        nothing is done. Raises `SentBefore` then."""
        session, mark = self.visitor.session, self.said(ONCE_FIELD)
        first = partial(forms.use_up, session=session, mark=mark)
        return await self.backstage.do(name, _given(fields), actor=self.visitor.actor, first=first)

    @property
    def once(self) -> str:
        """The mark of a form that is carried out once."""
        return random_token(self.backstage.rng, forms.MARK_CHARACTERS)

    def require_name(self, name: str) -> None:
        """A destructive act asks for the thing's name, in the field `name`. Raises `InvalidRequest`."""
        if self.said("name").strip(ISOLATES) != name:  # it may be copied from the text that asks for it
            raise InvalidRequest("This is not its name. Nothing was changed.", param="name")


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in fields.items() if value is not None}


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A page. `template` is its path without the ending: `console/usage`."""

    template: str
    title: str
    """In English; it is told in the reader's language."""
    data: Mapping[str, Any] = {}
    status: int = 200
    errors: Mapping[str, str] = {}
    """What is wrong with a form, by field; "" for all of it."""
    form_action: str = ""
    """Another origin that this page's forms may lead to."""
    images: str = ""
    """Where else this page's images may come from: `blob:`."""
    sign_in: str | None = None
    """A new session's secret, for the cookie; "" ends the one there is."""
    headers: Mapping[str, str] = {}
    """More of them: Retry-After, a cookie."""


class Led(msgspec.Struct, frozen=True, kw_only=True):
    """Elsewhere (303). `done`: what happened, as a word of `notices.py`, told on the page that comes."""

    to: str
    done: str = ""
    sign_in: str | None = None
    """As in `Shown`."""
    headers: Mapping[str, str] = {}
    """As in `Shown`."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """Something else than a page: a CSV file, JSON, a webhook's answer. A stream is sent as it is made."""

    body: bytes | AsyncIterator[bytes]
    media_type: str
    status: int = 200
    headers: Mapping[str, str] = {}


Reply = Shown | Led | Sent

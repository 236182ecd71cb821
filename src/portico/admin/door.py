"""What people do at the door for themselves: commands like every other, carried out and written down in the same way, but
in no table for administrators. Nobody else can do them: the proof is a link that was handed over, or a session.

A password comes as it was typed and is hashed before there is a transaction; neither it nor a link is written down.
"""

from random import Random
from typing import Annotated, Any, Final

import msgspec

from portico.accounts import identities, links, passwords, people, sessions
from portico.accounts.keys import DEFAULT_TENANT
from portico.accounts.rows import create_account
from portico.admin.command import Command
from portico.admin.desk import Args, Desk, says
from portico.admin.people import UserView, user_view
from portico.core.errors import Conflict, NotFound
from portico.core.ids import random_token
from portico.core.storage import Db

Email = Annotated[str, says("Whose password it is to be.", min_length=3, max_length=254)]
Name = Annotated[str, says("How they are called.", max_length=200)]
Secret = Annotated[str, says("What stands behind the last slash of a link.", max_length=200)]
Password = Annotated[str, says("As it was typed.", max_length=2000)]


class SignUp(Args, frozen=True, kw_only=True):
    email: Email
    name: Name = ""
    password: Password


class FollowLink(Args, frozen=True, kw_only=True):
    link: Secret
    email: Email
    name: Name = ""
    password: Password


class Join(Args, frozen=True, kw_only=True):
    link: Secret
    user: str


class ChangePassword(Args, frozen=True, kw_only=True):
    user: str
    email: Email
    session: Annotated[str, says("The one that stays.")]
    password: Password


async def _hashed(args: Any) -> Any:
    passwords.check_new(args.password, email=args.email)
    return msgspec.structs.replace(args, password=await passwords.hash_of(args.password))


def sign_up(desk: Desk, args: SignUp) -> UserView:
    """Makes a user, and a prepaid account that is theirs."""
    user = people.create_user(desk.db, desk.rng, email=args.email, name=args.name)
    passwords.keep_hash(desk.db, user.id, args.password)
    own_account(desk.db, desk.rng, user)
    return user_view(user)


def own_account(db: Db, rng: Random, user: people.User) -> None:
    """A prepaid account for somebody who came by themselves. It is called after their address, if nothing is yet."""
    name = user.email[:150]
    if db.rows("SELECT 1 FROM accounts WHERE name = ?", name):
        name = f"{name} {random_token(rng, 6)}"
    people.set_role(db, create_account(db, rng, name=name).id, user.id, "owner")


def first_start(desk: Desk, args: FollowLink) -> UserView:
    """Makes the first who runs this Portico, an owner of the built-in account."""
    db = desk.db
    links.use_link(db, args.link, links.FIRST_START)
    if links.has_operator(db):
        raise Conflict("Somebody runs this Portico already. Sign in.")
    user = people.user_of(db, args.email) or people.create_user(db, desk.rng, email=args.email, name=args.name)
    if user.disabled_us is not None:
        user = people.enable_user(db, user.id)
    if args.name:
        people.rename_user(db, user.id, args.name)
    # Somebody else may have come first with this address: nobody asks for a proof of it.
    passwords.keep_hash(db, user.id, args.password)
    identities.disconnect_all(db, user.id)
    sessions.end_sessions(db, user.id)
    people.set_role(db, DEFAULT_TENANT, user.id, "owner")
    return user_view(people.set_operator(db, user.id, True))


def accept(desk: Desk, args: FollowLink) -> UserView:
    """Makes the user who was invited. Who is one already signs in and joins: a link is no way past their password."""
    db = desk.db
    link = links.use_link(db, args.link, links.INVITE)
    if people.user_of(db, link.email) is not None:
        raise Conflict(f"{link.email} is a user already. Sign in, and follow the link again.")
    user = people.create_user(db, desk.rng, email=link.email, name=args.name)
    passwords.keep_hash(db, user.id, args.password)
    if link.account_id is not None:
        people.set_role(db, link.account_id, user.id, link.role or "member")
    if link.operator:
        user = people.set_operator(db, user.id, True)
    return user_view(user)


def join(desk: Desk, args: Join) -> UserView:
    """Takes a user who was invited into the account. Who is a member already stays what they are."""
    db, user = desk.db, people.show_user(desk.db, args.user)
    link = links.use_link(db, args.link, links.INVITE)
    if link.email != user.email:
        raise Conflict(f"This invitation is for {link.email}.")
    if link.account_id is not None and people.role_of(db, link.account_id, user.id) is None:
        people.set_role(db, link.account_id, user.id, link.role or "member")
    if link.operator:
        user = people.set_operator(db, user.id, True)
    return user_view(user)


def reset(desk: Desk, args: FollowLink) -> UserView:
    """Sets the password that was forgotten, and shuts out whoever came in so far."""
    db = desk.db
    link = links.use_link(db, args.link, links.RESET)
    user = people.show_user(db, link.user_id or "")
    if user.disabled_us is not None:
        raise NotFound("This link is no longer good. It works once, and for a time only.")
    passwords.keep_hash(db, user.id, args.password)
    links.withdraw_resets(db, user.id)
    # Somebody else may have connected theirs: the operator knows whom they give the link, and nobody knows that.
    identities.disconnect_all(db, user.id)
    sessions.end_sessions(db, user.id)
    return user_view(user)


def change_password(desk: Desk, args: ChangePassword) -> UserView:
    """Sets another password, and signs out every session but the one it was set in."""
    user = people.show_user(desk.db, args.user)
    passwords.keep_hash(desk.db, user.id, args.password)
    links.withdraw_resets(desk.db, user.id)
    sessions.end_sessions(desk.db, user.id, but=args.session)
    return user_view(user)


def _own(name: str, run: Any, *, hashes: bool = True) -> Command:
    secret = ("link", "password")
    return Command(name, None, run, changes=True, secret=secret, prepare=_hashed if hashes else None)


SIGN_UP: Final = _own("door sign-up", sign_up)
FIRST_START: Final = _own("door first-start", first_start)
ACCEPT: Final = _own("door accept", accept)
JOIN: Final = _own("door join", join, hashes=False)
RESET: Final = _own("door reset", reset)
PASSWORD: Final = _own("door password", change_password)

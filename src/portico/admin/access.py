"""Commands on how users come in: invitations, links for another password, sessions. What a link opens is in the answer once
and written down nowhere."""

from datetime import datetime
from typing import Annotated

import msgspec

from portico.accounts import links, people, sessions
from portico.accounts.rows import show_account
from portico.admin.desk import AccountRef, Args, Desk, Page, at, says
from portico.admin.people import Role, UserRef
from portico.core.errors import Conflict, InvalidRequest

Path = Annotated[str, says("The link, behind the address of this Portico. Shown this once; it works once.")]
Url = Annotated[str, says("The whole link, where `[web] public_url` says what stands before it.")]


class InvitationView(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation that nobody has followed yet."""

    id: str
    email: str
    account: str | None
    role: str | None
    operator: bool
    made_by: str
    created: datetime
    expires: datetime


class NewInvitation(InvitationView, frozen=True, kw_only=True):
    """An invitation that was just made."""

    path: Path
    url: Url | None = None


class NewReset(msgspec.Struct, frozen=True, kw_only=True):
    """A link for another password that was just made."""

    user: str
    email: str
    expires: datetime
    path: Path
    url: Url | None = None


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that is signed in."""

    id: str
    agent: Annotated[str, says("What the browser says it is.")]
    address: Annotated[str, says("Where it signed in from.")]
    created: datetime
    seen: Annotated[datetime, says("When it was used last, to five minutes.")]
    expires: datetime


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions that were ended."""

    user: str
    ended: int


class Invite(Args, frozen=True, kw_only=True):
    email: Annotated[str, says("Whom to invite: the address they will sign in with.", min_length=3, max_length=254)]
    account: AccountRef | None = None
    role: Role | None = None
    operator: Annotated[bool, says("Whether they are to run this Portico.")] = False


class OneUser(Args, frozen=True, kw_only=True):
    user: UserRef


class EndSessions(Args, frozen=True, kw_only=True):
    user: UserRef
    session: Annotated[str, says("Only this one; otherwise all of them.", max_length=100)] = ""


class ListInvitations(Args, frozen=True, kw_only=True):
    account: AccountRef


class OneInvitation(Args, frozen=True, kw_only=True):
    account: AccountRef
    invitation: Annotated[str, says("The id of an invitation.", min_length=1, max_length=100)]


def invite(desk: Desk, args: Invite) -> NewInvitation:
    """Makes a link by which somebody becomes a user, and a member of an account. It works once, for a week."""
    db, email = desk.db, people.address_of(args.email)
    if args.role is not None and args.account is None:
        raise InvalidRequest("role: of which account? Name it too.", param="account")
    account = None if args.account is None else show_account(db, args.account)
    if account is not None and account.closed_us is not None:
        raise Conflict(f"The account {account.name!r} is closed.")
    if (user := people.user_of(db, email)) is not None:
        _check_known(desk, user, None if account is None else account.id, operator=args.operator)
    account_id = None if account is None else account.id
    links.withdraw_invitations(db, email, account_id)
    role = None if account is None else args.role or "member"
    made = links.make_link(
        db,
        desk.rng,
        links.INVITE,
        email=email,
        account_id=account_id,
        role=role,
        operator=args.operator,
        made_by=desk.actor,
    )
    shown = msgspec.structs.asdict(_invitation(made.link))
    return NewInvitation(**shown, path=made.path, url=_url(desk, made.path))


def _check_known(desk: Desk, user: people.User, account_id: str | None, *, operator: bool) -> None:
    """Whether there is anything to invite a user to who is one already. Raises `Conflict`."""
    if account_id is None or operator:
        raise Conflict(
            f"{user.email} is a user already: change that with users set, or let them in with users reset.",
            param="email",
        )
    if people.role_of(desk.db, account_id, user.id) is not None:
        raise Conflict(f"{user.email} is a member of this account already.", param="email")


def reset(desk: Desk, args: OneUser) -> NewReset:
    """Makes a link by which a user chooses another password. It works once, for a day, and ends the one before it."""
    user = people.show_user(desk.db, args.user)
    if user.disabled_us is not None:
        raise Conflict(f"{user.email} is disabled: enable them first.")
    links.withdraw_resets(desk.db, user.id)
    made = links.make_link(desk.db, desk.rng, links.RESET, user_id=user.id, made_by=desk.actor)
    return NewReset(
        user=user.id,
        email=user.email,
        expires=at(made.link.expires_us),
        path=made.path,
        url=_url(desk, made.path),
    )


def list_sessions(desk: Desk, args: OneUser) -> Page[SessionView]:
    """Lists where a user is signed in, all of it."""
    user = people.show_user(desk.db, args.user)
    return Page(data=[_session(one) for one in sessions.sessions_of(desk.db, user.id)])


def end_sessions(desk: Desk, args: EndSessions) -> Ended:
    """Signs a user out, everywhere or in one session."""
    user = people.show_user(desk.db, args.user)
    if not args.session:
        return Ended(user=user.id, ended=sessions.end_sessions(desk.db, user.id))
    sessions.end_session(desk.db, user.id, args.session)
    return Ended(user=user.id, ended=1)


def list_invitations(desk: Desk, args: ListInvitations) -> Page[InvitationView]:
    """Lists the invitations of an account that nobody has followed yet."""
    account = show_account(desk.db, args.account)
    return Page(data=[_invitation(one) for one in links.open_invitations(desk.db, account.id)])


def withdraw_invitation(desk: Desk, args: OneInvitation) -> InvitationView:
    """Takes an invitation back: its link opens nothing any more."""
    account = show_account(desk.db, args.account)
    return _invitation(links.withdraw_invitation(desk.db, account.id, args.invitation))


def _url(desk: Desk, path: str) -> str | None:
    return None if desk.house.public_url is None else desk.house.public_url + path


def _invitation(link: links.Link) -> InvitationView:
    return InvitationView(
        id=link.id,
        email=link.email,
        account=link.account_id,
        role=link.role,
        operator=bool(link.operator),
        made_by=link.made_by,
        created=at(link.created_us),
        expires=at(link.expires_us),
    )


def _session(session: sessions.Session) -> SessionView:
    return SessionView(
        id=session.id,
        agent=session.agent,
        address=session.address,
        created=at(session.created_us),
        seen=at(session.seen_us),
        expires=at(session.expires_us),
    )

"""Commands on users and on what they are in an account: owner, admin, member or viewer."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from portico.accounts import links, people, sessions
from portico.admin.desk import AccountRef, Args, Desk, Page, Paging, at, at_or_none, says
from portico.core.errors import NotFound

UserRef = Annotated[str, says("A user, by id or e-mail address.", min_length=1, max_length=254)]
Role = Annotated[Literal["owner", "admin", "member", "viewer"], says("What the user may do in the account.")]


class UserView(msgspec.Struct, frozen=True, kw_only=True):
    """A person."""

    id: str
    email: str
    name: str
    state: Annotated[str, says("`active` or `disabled`.")]
    operator: Annotated[bool, says("Whether they run this Portico.")] = False
    created: datetime
    disabled: datetime | None = None


class MemberView(msgspec.Struct, frozen=True, kw_only=True):
    """A user's part in an account."""

    account: str
    user: str
    email: str
    role: str


class AddUser(Args, frozen=True, kw_only=True):
    email: Annotated[str, says("The address they sign in with.", min_length=3, max_length=254)]
    name: Annotated[str, says("How they are called.", max_length=200)] = ""


class SetUser(Args, frozen=True, kw_only=True):
    user: UserRef
    name: Annotated[str, says("How they are called.", max_length=200)] | None = None
    operator: Annotated[bool, says("Whether they run this Portico. The last who does stays one.")] | None = None


class OneUser(Args, frozen=True, kw_only=True):
    user: UserRef


class AddMember(Args, frozen=True, kw_only=True):
    account: AccountRef
    user: UserRef
    role: Role = "member"


class OneMember(Args, frozen=True, kw_only=True):
    account: AccountRef
    user: UserRef


class ListMembers(Args, frozen=True, kw_only=True):
    account: AccountRef


def add_user(desk: Desk, args: AddUser) -> UserView:
    """Adds a user."""
    return user_view(people.create_user(desk.db, desk.rng, email=args.email, name=args.name))


def list_users(desk: Desk, args: Paging) -> Page[UserView]:
    """Lists users, oldest first."""
    found = people.list_users(desk.db, after=args.after, limit=args.limit + 1)
    return Page.cut([user_view(user) for user in found], args.limit, lambda user: user.id)


def set_user(desk: Desk, args: SetUser) -> UserView:
    """Changes what is given of a user."""
    user = people.show_user(desk.db, args.user)
    if args.name is not None:
        user = people.rename_user(desk.db, user.id, args.name)
    if args.operator is not None:
        user = people.set_operator(desk.db, user.id, args.operator)
    return user_view(user)


def remove_user(desk: Desk, args: OneUser) -> UserView:
    """Disables a user and signs them out. What they did stays in the books; `users enable` lets them in again."""
    user = people.disable_user(desk.db, args.user)
    sessions.end_sessions(desk.db, user.id)
    links.withdraw_resets(desk.db, user.id)
    links.withdraw_invitations_of(desk.db, actor_of(user.email))
    return user_view(user)


def enable_user(desk: Desk, args: OneUser) -> UserView:
    """Lets a removed user in again."""
    return user_view(people.enable_user(desk.db, args.user))


def add_member(desk: Desk, args: AddMember) -> MemberView:
    """Gives a user a role in an account, in place of the one they had."""
    member = people.set_role(desk.db, args.account, args.user, args.role)
    if member.role != "owner":
        links.withdraw_invitations_of(desk.db, actor_of(member.email), member.account_id)
    return _member(member)


def remove_member(desk: Desk, args: OneMember) -> MemberView:
    """Takes a user out of an account."""
    user = people.show_user(desk.db, args.user)
    for member in people.members_of(desk.db, args.account):
        if member.user_id == user.id:
            people.remove_member(desk.db, args.account, user.id)
            links.withdraw_invitations_of(desk.db, actor_of(user.email), member.account_id)
            return _member(member)
    raise NotFound(f"{user.email} is not a member of the account {args.account!r}.")


def list_members(desk: Desk, args: ListMembers) -> Page[MemberView]:
    """Lists the users of an account, all of them."""
    return Page(data=[_member(member) for member in people.members_of(desk.db, args.account)])


def user_view(user: people.User) -> UserView:
    return UserView(
        id=user.id,
        email=user.email,
        name=user.name,
        state="active" if user.disabled_us is None else "disabled",
        operator=bool(user.operator),
        created=at(user.created_us),
        disabled=at_or_none(user.disabled_us),
    )


def actor_of(email: str) -> str:
    """Who somebody is in the audit, and of what they made."""
    return f"user:{email}"


def _member(member: people.Membership) -> MemberView:
    return MemberView(account=member.account_id, user=member.user_id, email=member.email, role=member.role)

"""Who is in an account, and what they may; who is invited. And which of their accounts somebody looks at.

An admin looks after everybody but owners; only an owner makes owners. The account is always the one that is looked at.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from portico.accounts import links, people, sessions
from portico.accounts.links import Link
from portico.accounts.people import ROLES, Membership
from portico.core.errors import Conflict, InvalidRequest, NotFound, PermissionDenied
from portico.core.storage import Db
from portico.web.inside.asked import RANKS, Asked, Led, Needs, Reply, Shown

HERE: Final = "/console/people"


async def look(asked: Asked) -> Reply:
    return await _page(asked)


async def act(asked: Asked) -> Reply:
    """Which of the page's forms it is stands in `do`."""
    what = _ACTS.get(asked.said("do"))
    if what is None:
        raise InvalidRequest("This page has no such form.", param="do")
    return await what(asked)


async def choose(asked: Asked) -> Reply:
    """Looks at another account of theirs."""
    visitor, account_id = asked.visitor, asked.said("account")
    if account_id not in visitor.account_names:
        raise NotFound("There is no such account.")
    await asked.backstage.reading.work(lambda db: sessions.choose_account(db, visitor.session.id, account_id))
    return Led(to="/console")


async def _invite(asked: Asked) -> Reply:
    if not _may_invite(asked):
        raise PermissionDenied("Whoever runs this Portico invites people here. Ask them.")
    email, role = asked.said("email"), asked.said("role")
    try:
        _check_role(asked, role)
        made = await asked.do_once("users invite", email=email, account=asked.account_id, role=role)
    except Conflict:
        return await _page(asked, errors={"email": "They are in this account already."})
    except InvalidRequest as error:
        return await _page(asked, errors={error.param or "": error.message})
    return await _page(asked, made=made)


async def _withdraw(asked: Asked) -> Reply:
    await asked.do("invitations withdraw", account=asked.account_id, invitation=asked.said("invitation") or "-")
    return Led(to=HERE, done="invitation-withdrawn")


async def _set_role(asked: Asked) -> Reply:
    user, role = asked.said("user"), asked.said("role")
    await _check_theirs(asked, user)
    _check_role(asked, role)
    await asked.do("memberships add", account=asked.account_id, user=user, role=role)
    return Led(to=HERE, done="role-set")


async def _remove(asked: Asked) -> Reply:
    user = asked.said("user")
    await _check_theirs(asked, user)
    await asked.do("memberships remove", account=asked.account_id, user=user)
    own = user == asked.visitor.user.id
    return Led(to="/console/settings", done="left") if own else Led(to=HERE, done="member-removed")


_ACTS: Final[Mapping[str, Callable[[Asked], Awaitable[Reply]]]] = {
    "invite": _invite,
    "withdraw": _withdraw,
    "role": _set_role,
    "remove": _remove,
}


def _may_invite(asked: Asked) -> bool:
    if not asked.visitor.may(Needs.ADMIN):
        return False
    return asked.backstage.signup in ("invite", "open") or asked.visitor.may(Needs.OPERATOR)


def _check_role(asked: Asked, role: str) -> None:
    """Nobody makes somebody more than they are. Raises `InvalidRequest`, `PermissionDenied`."""
    if role not in ROLES:
        raise InvalidRequest("A role is one of owner, admin, member, viewer.", param="role")
    if not asked.visitor.may(RANKS[role]):
        raise PermissionDenied("Only an owner makes owners.")


async def _check_theirs(asked: Asked, user_id: str) -> None:
    """That this is a member, and no more than whoever asks. Raises `NotFound`, `PermissionDenied`."""
    account_id = asked.account_id
    members = await asked.backstage.reading.read(lambda db: people.members_of(db, account_id))
    found = next((one for one in members if one.user_id == user_id), None)
    if found is None:
        raise NotFound("There is nobody of that name in this account.")
    if not asked.visitor.may(RANKS[found.role]):
        raise PermissionDenied("Only an owner changes owners.")


async def _page(asked: Asked, *, errors: Mapping[str, str] | None = None, made: Any = None) -> Shown:
    account_id, may = asked.account_id, asked.visitor.may

    def ask(db: Db) -> tuple[list[Membership], list[Link]]:
        invited = links.open_invitations(db, account_id) if may(Needs.ADMIN) else []
        return people.members_of(db, account_id), invited

    members, invited = await asked.backstage.reading.read(ask)
    return Shown(
        template="people/members",
        title="People",
        status=422 if errors else 200,
        errors=errors or {},
        data={
            "members": sorted(members, key=lambda one: (ROLES.index(one.role), one.email)),
            "invited": invited,
            "made": None if made is None else (made.email, f"{asked.base_url}{made.path}", made.expires),
            "email": asked.said("email") if errors else "",
            "may_invite": _may_invite(asked),
            "may_change": {one.user_id: may(Needs.ADMIN) and may(RANKS[one.role]) for one in members},
            "roles": [role for role in reversed(ROLES) if may(RANKS[role])],
            "role_names": ROLE_NAMES,
            "role_means": ROLE_MEANS,
        },
    )


ROLE_NAMES: Final[Mapping[str, str]] = {
    "owner": "Owner",
    "admin": "Administrator",
    "member": "Member",
    "viewer": "Viewer",
}
ROLE_MEANS: Final[Mapping[str, str]] = {
    "owner": "Everything, and says who else is an owner.",
    "admin": "Keys, limits, and everybody but owners.",
    "member": "Keys of their own, the playground, and what was used.",
    "viewer": "Sees what was used.",
}

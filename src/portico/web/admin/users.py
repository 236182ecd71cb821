"""Users: who may sign in, who runs this Portico, and what each is in which account."""

from typing import Any, Final

from portico.accounts import people, rows, sessions
from portico.accounts.finding import find_users
from portico.admin.people import actor_of
from portico.core.storage import Db
from portico.web.admin.forms import PAGE, Act, acted, back, page
from portico.web.inside.asked import Asked, Led, Reply, Shown

FEW: Final = 10


async def users(asked: Asked) -> Shown:
    return await _users(asked)


async def _users(asked: Asked, made: Any = None) -> Shown:
    text, before = asked.first("q").strip(), asked.first("before")

    def look(db: Db) -> dict[str, Any]:
        found = find_users(db, text, before=before, limit=PAGE + 1)
        return {"found": found[:PAGE], "more": len(found) > PAGE}

    data = await asked.backstage.reading.read(look)
    return page(asked, "users", "Users", q=text, before=before, made=_link(asked, made), **data)


def _link(asked: Asked, made: Any) -> tuple[str, str, Any] | None:
    """Whom a link is for, the link as this page's reader sees the house, and until when it works."""
    return None if made is None else (made.email, f"{asked.base_url}{made.path}", made.expires)


async def act_on_users(asked: Asked) -> Reply:
    return await acted(asked, {"add": _add, "invite": _invite}, users)


async def _invite(asked: Asked) -> Shown:
    """The link stands on the page that answers the form, and on no other."""
    account = asked.said("account")
    made = await asked.do_once(
        "users invite",
        email=asked.said("email"),
        account=account or None,
        role=(asked.said("role") or None) if account else None,
        operator=asked.said("operator") == "1",
    )
    return await _users(asked, made)


async def _add(asked: Asked) -> Led:
    made = await asked.do("users add", email=asked.said("email"), name=asked.said("person_name"))
    return Led(to=f"/admin/users/{made.id}", done="made")


# -- one of them


async def user(asked: Asked) -> Shown:
    return await _user(asked)


async def _user(asked: Asked, made: Any = None) -> Shown:
    name = asked.names["user"]

    def look(db: Db) -> dict[str, Any]:
        found = people.show_user(db, name)
        memberships = people.memberships_of(db, found.id)
        accounts = rows.accounts_of(db, [one.account_id for one in memberships])
        return {
            "user": found,
            "memberships": memberships,
            "account_names": {account_id: account.name for account_id, account in accounts.items()},
            "sessions": sessions.sessions_of(db, found.id),
        }

    data = await asked.backstage.reading.read(look)
    audit = (await asked.do("audit", subject=data["user"].id, limit=FEW)).data
    did = (await asked.do("audit", actor=actor_of(data["user"].email), limit=FEW)).data
    return page(asked, "user", data["user"].email, audit=audit, did=did, made=_link(asked, made), **data)


async def act_on_user(asked: Asked) -> Reply:
    return await acted(asked, _ACTS, user)


async def _disable(asked: Asked) -> Led:
    found = await asked.backstage.reading.read(lambda db: people.show_user(db, asked.names["user"]))
    asked.require_name(found.email)
    await asked.do("users remove", user=found.id)
    return back(asked, "disabled")


async def _enable(asked: Asked) -> Led:
    await asked.do("users enable", user=asked.names["user"])
    return back(asked, "enabled")


async def _member(asked: Asked) -> Led:
    fields = {"account": asked.said("account"), "user": asked.names["user"], "role": asked.said("role", "member")}
    await asked.do("memberships add", **fields)
    return back(asked, "saved")


async def _leave(asked: Asked) -> Led:
    await asked.do("memberships remove", account=asked.said("account"), user=asked.names["user"])
    return back(asked, "removed")


async def _reset(asked: Asked) -> Shown:
    """The link stands on the page that answers the form, and on no other."""
    made = await asked.do_once("users reset", user=asked.names["user"])
    return await _user(asked, made)


async def _operator(asked: Asked) -> Led:
    await asked.do("users set", user=asked.names["user"], operator=asked.said("operator") == "1")
    return back(asked, "saved")


async def _end(asked: Asked) -> Led:
    """One session, or all of them."""
    await asked.do("sessions end", user=asked.names["user"], session=asked.said("session"))
    return back(asked, "session-ended")


_ACTS: Final[dict[str, Act]] = {
    "disable": _disable,
    "enable": _enable,
    "reset": _reset,
    "operator": _operator,
    "end": _end,
    "member": _member,
    "leave": _leave,
}

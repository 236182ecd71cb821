"""Every account's keys: found by how they begin, by name or by account; and one of them."""

from typing import Any, Final

from portico.accounts.finding import find_keys
from portico.accounts.rows import show_account, show_key
from portico.core.errors import InvalidRequest
from portico.core.storage import Db
from portico.web.admin.forms import PAGE, Act, acted, back, page
from portico.web.console import keyform
from portico.web.inside.asked import Asked, Led, Reply, Shown

FEW: Final = 10
EFFORTS: Final = [(one, one) for one in keyform.CHOICES["default_effort"]]


async def keys(asked: Asked) -> Shown:
    text, account, before = asked.first("q").strip(), asked.first("account"), asked.first("before")

    def look(db: Db) -> dict[str, Any]:
        found = find_keys(db, text, account=account, before=before, limit=PAGE + 1)
        of = show_account(db, account) if account else None
        return {"found": found[:PAGE], "more": len(found) > PAGE, "of": of, "now_us": db.now_us}

    data = await asked.backstage.reading.read(look)
    return page(asked, "keys", "Keys", q=text, account=account, before=before, **data)


async def key(asked: Asked) -> Shown:
    name = asked.names["key"]

    def look(db: Db) -> dict[str, Any]:
        found = show_key(db, name)
        return {"key": found, "account": show_account(db, found.account_id), "now_us": db.now_us}

    data = await asked.backstage.reading.read(look)
    shown = await asked.do("keys show", key=name)
    audit = (await asked.do("audit", subject=name, limit=FEW)).data
    used = (await asked.do("usage", key=name, by="model", limit=50)).data
    title = data["key"].name or data["key"].prefix or name
    form = keyform.as_said(asked) if asked.said("do") == "limits" else keyform.of_key(shown)
    return page(asked, "key", title, form=form, efforts=EFFORTS, shown=shown, audit=audit, used=used, **data)


async def act_on_key(asked: Asked) -> Reply:
    return await acted(asked, _ACTS, key)


def _plain(command: str, done: str) -> Act:
    async def act(asked: Asked) -> Led:
        await asked.do(command, key=asked.names["key"])
        return back(asked, done)

    return act


async def _revoke(asked: Asked) -> Led:
    found = await asked.do("keys show", key=asked.names["key"])
    asked.require_name(found.name or found.prefix)
    await asked.do("keys revoke", key=found.id)
    return back(asked, "key-revoked")


async def _limits(asked: Asked) -> Led:
    """Limits, name and expiry, as in the console."""
    fields, errors = keyform.read(asked)
    if errors:
        param, message = next(iter(errors.items()))
        raise InvalidRequest(message, param=param)
    found = await asked.do("keys show", key=asked.names["key"])
    if found.expires is not None and found.expires.date().isoformat() == (fields["expires"] or "")[:10]:
        del fields["expires"]  # one that has passed stays as it is
    await asked.backstage.do("keys set", {"key": asked.names["key"], **fields}, actor=asked.visitor.actor)
    return back(asked, "saved")


_ACTS: Final[dict[str, Act]] = {
    "disable": _plain("keys disable", "disabled"),
    "enable": _plain("keys enable", "enabled"),
    "revoke": _revoke,
    "limits": _limits,
}

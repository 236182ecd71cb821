"""Keys: what an account's clients call with. Made, limited, paused, rotated, revoked; a secret is shown once, on the page
that answers the form which made it, and at no address.

viewers see them, members make and look after keys of their own, admins and owners look after all.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import msgspec

from portico.accounts import keyuse, people, rows
from portico.accounts.finding import find_keys
from portico.accounts.forms import SentBefore
from portico.accounts.scope import is_in_scope
from portico.admin.keys import IssuedKey, KeyView, settings_of
from portico.core.digits import whole
from portico.core.errors import Conflict, InvalidRequest, PermissionDenied
from portico.core.storage import Db
from portico.web.console import keyform
from portico.web.inside.asked import Asked, Led, Needs, Reply, Shown, Visitor
from portico.web.inside.room import room
from portico.web.site.models import SAMPLES
from portico.web.words import Say

PAGE: Final = 100
A_DAY: Final = 100
"""So many keys an account's people make in a day: every worker holds all keys in memory, whoever made them."""
_TOO_MANY: Final = "This account has made 100 keys within a day. Make more tomorrow, or ask whoever runs this Portico."
_MADE: Final = "SELECT COUNT(*) FROM keys WHERE account_id = ? AND created_us > ?"
OVERLAPS: Final[Mapping[int, str]] = {
    0: "At once",
    3_600: "After an hour",
    86_400: "After a day",
    604_800: "After a week",
    2_592_000: "After 30 days",
}
"""For how long the old secret opens beside the new one, in seconds."""
_EFFORTS: Final = [(one, one) for one in keyform.CHOICES["default_effort"]]
_ENVIRONMENTS: Final = (
    ("import os\n\n", ""),
    ('os.environ["PORTICO_API_KEY"]', '"{key}"'),
    ("process.env.PORTICO_API_KEY", '"{key}"'),
    ("${PORTICO_API_KEY}", "{key}"),
    ("$PORTICO_API_KEY", "{key}"),
)
"""How samples name the key -> how they hold it."""
_CONNECT: Final = "export PORTICO_API_KEY={key}\nportico connect codex --url {base_url} --write"


class Listed(msgspec.Struct, frozen=True):
    """A key as the list and its page show it."""

    key: rows.Key
    state: str
    use: keyuse.KeyUse
    mine: bool
    """Whoever looks may change it."""
    old_open: bool
    """The secret of before its rotation opens, too."""

    @property
    def title(self) -> str:
        return self.key.name or f"{self.key.prefix}…"


def may_change(visitor: Visitor, key: rows.Key) -> bool:
    return visitor.may(Needs.ADMIN) or (visitor.may(Needs.MEMBER) and key.user_id == visitor.user.id)


async def look(asked: Asked) -> Reply:
    """Every key of the account, the newest first, and apart from them those that open nothing any more."""
    before = asked.first("before")

    def found(db: Db) -> list[Listed]:
        keys = find_keys(db, account=asked.account_id, before=before, limit=PAGE + 1)
        return _listed(db, asked, [one.key for one in keys])

    listed = await asked.backstage.reading.read(found)
    shown, older = listed[:PAGE], listed[PAGE - 1].key.id if len(listed) > PAGE else ""
    return Shown(
        template="console/keys",
        title="Keys",
        data={
            "open": [one for one in shown if one.state in ("active", "disabled")],
            "closed": [one for one in shown if one.state not in ("active", "disabled")],
            "older": f"/console/keys?before={older}" if older else "",
            "before": before,
            "days": keyuse.DAYS,
        },
    )


def _listed(db: Db, asked: Asked, keys: list[rows.Key]) -> list[Listed]:
    uses = keyuse.uses_of(db, asked.account_id, keys)
    return [
        Listed(
            key=key,
            state=key.state(db.now_us),
            use=uses[key.id],
            mine=may_change(asked.visitor, key),
            old_open=(key.previous_expires_us or 0) > db.now_us,
        )
        for key in keys
    ]


# -- a new one ---------------------------------------------------------------------------------------------------------


async def look_new(_: Asked) -> Reply:
    return _new(keyform.empty(), {})


def _new(form: keyform.Form, errors: Mapping[str, str]) -> Shown:
    data = {"form": form, "efforts": _EFFORTS}
    status = 422 if errors else 200
    return Shown(template="console/key_new", title="Make a key", data=data, errors=errors, status=status)


async def make(asked: Asked) -> Reply:
    fields, errors = keyform.read(asked)
    if errors:
        return _new(keyform.as_said(asked), errors)
    given = {name: value for name, value in fields.items() if value is not None}
    if not asked.visitor.user.operator and await asked.backstage.reading.read(partial(_made_many, asked.account_id)):
        return _new(keyform.as_said(asked), {"": _TOO_MANY})
    try:
        issued = await asked.do_once("keys create", account=asked.account_id, user=asked.visitor.user.id, **given)
    except SentBefore:
        return Led(to="/console/keys", done="key-sent-before")
    except InvalidRequest as error:
        return _new(keyform.as_said(asked), _placed(error))
    return _made(asked, issued, "Your key")


def _made_many(account_id: str, db: Db) -> bool:
    return int(db.rows(_MADE, account_id, db.now_us - 86_400_000_000)[0][0]) >= A_DAY


def _placed(error: InvalidRequest) -> dict[str, str]:
    """What is wrong, at its field."""
    param = (error.param or "").partition("[")[0]
    known = ("name", "expires", *keyform.COUNTS, *keyform.BUDGETS, *keyform.LISTS, *keyform.CHOICES)
    return {param if param in known else "": error.message}


def _made(asked: Asked, issued: IssuedKey, title: str) -> Shown:
    """The page that hands a key over, and the only one that shows it."""
    model = _model_for(asked, issued)
    values = {old: new.format(key=issued.key) for old, new in _ENVIRONMENTS}
    if model is not None:
        values[SAMPLES["chat"].model] = model
    data = {
        "issued": issued,
        "sample_name": SAMPLES["chat"].name if model else "",
        "values": values,
        "connect": _CONNECT.format(key=issued.key, base_url=asked.base_url),
    }
    return Shown(template="console/key_made", title=title, data=data)


def _model_for(asked: Asked, key: IssuedKey) -> str | None:
    """A chat model that is served here and that the key may use: the samples' own, if it is one; None: there is none."""
    room, globs = asked.backstage.showroom, tuple(key.settings.models)
    models = sorted(room.catalog().models.values(), key=lambda one: one.name != SAMPLES["chat"].model)
    for one in models:
        if one.kind.value == "chat" and is_in_scope(globs, one.name, one.vendor, one.name) and room.offers(one):
            return one.name
    return None


# -- one key -----------------------------------------------------------------------------------------------------------


async def look_one(asked: Asked) -> Reply:
    return await _one(asked)


async def _one(asked: Asked, form: keyform.Form | None = None, errors: Mapping[str, str] | None = None) -> Shown:
    """Raises `NotFound`, also for another account's."""
    key_id = asked.names["key"]

    def found(db: Db) -> tuple[Listed, str]:
        key = rows.show_key(db, key_id, account_id=asked.account_id)
        owner = people.show_user(db, key.user_id).email if key.user_id else ""
        return _listed(db, asked, [key])[0], owner

    one, owner = await asked.backstage.reading.read(found)
    made, say = settings_of(one.key.policy), Say(asked.locale, markup=False)
    return Shown(
        template="console/key",
        title="Key",
        status=422 if errors else 200,
        errors=errors or {},
        data={
            "one": one,
            "owner": owner,
            "settings": made,
            "form": form or keyform.of_key(_view(one, made)),
            "efforts": _EFFORTS,
            "overlap_options": [(seconds, say(text)) for seconds, text in OVERLAPS.items()],
        },
    )


def _view(one: Listed, made: Any) -> KeyView:
    key = one.key
    expires = None if key.expires_us is None else datetime.fromtimestamp(key.expires_us / 1_000_000, UTC)
    return KeyView(
        id=key.id,
        account=key.account_id,
        account_name="",
        name=key.name,
        prefix=key.prefix,
        state=one.state,
        settings=made,
        created=datetime.fromtimestamp(key.created_us / 1_000_000, UTC),
        expires=expires,
    )


async def act_on_one(asked: Asked) -> Reply:
    """What a form of its page asks for. Raises `NotFound`, `PermissionDenied`."""
    key_id = asked.names["key"]
    key = await asked.backstage.reading.read(lambda db: rows.show_key(db, key_id, account_id=asked.account_id))
    if not may_change(asked.visitor, key):
        raise PermissionDenied(
            "A member looks after keys of their own. An admin or the owner of the account may do this."
        )
    match asked.said("do"):
        case "save":
            return await _save(asked, key)
        case "pause":
            await asked.do("keys disable", key=key.id)
            return Led(to=f"/console/keys/{key.id}", done="key-paused")
        case "resume":
            await asked.do("keys enable", key=key.id)
            return Led(to=f"/console/keys/{key.id}", done="key-resumed")
        case "rotate":
            return await _rotate(asked, key)
        case "revoke":
            try:
                asked.require_name(key.name or key.prefix)
            except InvalidRequest as error:
                return await _one(asked, errors={"revoke": error.message})
            await asked.do("keys revoke", key=key.id)
            return Led(to="/console/keys", done="key-revoked")
        case _:
            raise InvalidRequest("This is not done to a key.")


async def _save(asked: Asked, key: rows.Key) -> Reply:
    fields, errors = keyform.read(asked)
    if _is_unchanged(key, fields.get("expires")):
        del fields["expires"]  # one that has passed stays as it is
    if not errors:
        try:
            command = {"key": key.id, **fields}
            await asked.backstage.do("keys set", command, actor=asked.visitor.actor)
        except InvalidRequest as error:
            errors = _placed(error)
    if errors:
        return await _one(asked, keyform.as_said(asked), errors)
    return Led(to=f"/console/keys/{key.id}", done="saved")


def _is_unchanged(key: rows.Key, said: str | None) -> bool:
    """Whether a form says the day that a key expires on already, at whichever hour that is."""
    if said is None or key.expires_us is None:
        return False
    return datetime.fromtimestamp(key.expires_us / 1_000_000, UTC).date().isoformat() == said[:10]


async def _rotate(asked: Asked, key: rows.Key) -> Reply:
    overlap = whole(asked.said("overlap"))
    if overlap not in OVERLAPS:
        return await _one(asked, errors={"rotate": "Choose when the old one ends."})
    try:
        issued = await asked.do_once("keys rotate", key=key.id, overlap_s=overlap)
    except Conflict as error:
        return await _one(asked, errors={"rotate": error.message})
    return _made(asked, issued, "Your key, rotated")


ROOMS: Final = (
    room("/console/keys", look, needs=Needs.VIEWER),
    room("/console/keys/new", look_new, make, needs=Needs.MEMBER),
    room("/console/keys/{key}", look_one, act_on_one, needs=Needs.VIEWER, act_needs=Needs.MEMBER),
)

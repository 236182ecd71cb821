"""Commands on virtual keys. A key is shown once, when it is made or rotated, and is nowhere afterwards."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from portico.accounts import people, rows
from portico.accounts.policy import Policy
from portico.admin import dollars
from portico.admin.desk import AccountRef, Args, Desk, Page, Paging, at, at_or_none, says, us_of

KeyId = Annotated[str, says("A key's id (`key_…`).", min_length=1, max_length=200)]
Name = Annotated[str, says("What it is for.", max_length=200)]
Expires = Annotated[datetime, says("When it stops opening anything. Without an offset: UTC.")]


class Settings(Args, frozen=True, kw_only=True):
    """What a key may do, and how it is served. What is left out stays as it is; null is back to no limit or the default."""

    models: (
        Annotated[list[str], says("Names of models it may use; `*` stands for anything. Empty: all.")]
        | UnsetType
        | None
    ) = UNSET
    allow_ips: (
        Annotated[list[str], says("Addresses and networks it may be used from. Empty: any.")] | UnsetType | None
    ) = UNSET
    rpm: Annotated[int, says("Requests in a minute.", ge=1)] | UnsetType | None = UNSET
    tpm: Annotated[int, says("Tokens in a minute, input and output.", ge=1)] | UnsetType | None = UNSET
    concurrent: Annotated[int, says("Calls open at a time.", ge=1)] | UnsetType | None = UNSET
    budget_day_usd: Annotated[str, says("What it may spend in a day (UTC), in dollars.")] | UnsetType | None = UNSET
    budget_month_usd: Annotated[str, says("What it may spend in a month (UTC), in dollars.")] | UnsetType | None = UNSET
    image_form: Annotated[str, says("How images come: `markdown`, `images` or `parts`.")] | UnsetType | None = UNSET
    strict: Annotated[bool, says("Refuse what cannot be honoured exactly.")] | UnsetType | None = UNSET
    on_disconnect: (
        Annotated[
            str, says("When the caller hangs up in mid-answer: `cancel`, or `drain` to read on to the real usage.")
        ]
        | UnsetType
        | None
    ) = UNSET
    default_effort: Annotated[str, says("How much a model thinks where the call does not say.")] | UnsetType | None = (
        UNSET
    )


class CreateKey(Settings, frozen=True, kw_only=True):
    account: AccountRef = "default"
    name: Name = ""
    expires: Expires | None = None
    user: (
        Annotated[
            str,
            says("Who looks after it, of the account's users: by id or e-mail address.", min_length=1, max_length=254),
        ]
        | None
    ) = None


class ListKeys(Paging, frozen=True, kw_only=True):
    account: AccountRef | None = None


class OneKey(Args, frozen=True, kw_only=True):
    key: KeyId


class SetKey(Settings, frozen=True, kw_only=True):
    key: KeyId
    name: Name | UnsetType = UNSET
    expires: Expires | UnsetType | None = UNSET


class RotateKey(Args, frozen=True, kw_only=True):
    key: KeyId
    overlap_s: Annotated[int, says("For how many seconds the old one opens, too.", ge=0, le=366 * 86_400)] = 0


class KeySettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The settings that were made."""

    models: list[str] = []
    allow_ips: list[str] = []
    rpm: int | None = None
    tpm: int | None = None
    concurrent: int | None = None
    budget_day_usd: str | None = None
    budget_month_usd: str | None = None
    image_form: str | None = None
    strict: bool = False
    on_disconnect: str | None = None
    default_effort: str | None = None


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A key, without its secret."""

    id: str
    account: Annotated[str, says("The account's id.")]
    account_name: str
    name: str
    prefix: Annotated[str, says("How it begins.")]
    state: Annotated[str, says("`active`, `disabled`, `expired` or `revoked`.")]
    settings: KeySettings
    created: datetime
    expires: datetime | None = None
    old_secret_until: Annotated[datetime, says("Until when the secret of before a rotation opens, too.")] | None = None
    user: Annotated[str, says("Who looks after it, by id; null: who looks after the account.")] | None = None


class IssuedKey(KeyView, frozen=True, kw_only=True):
    """A key, and the only sight of its secret."""

    key: Annotated[str, says("The key itself. It is shown this once.")]

    def __repr__(self) -> str:
        return f"IssuedKey(id={self.id!r})"


def create(desk: Desk, args: CreateKey) -> IssuedKey:
    """Creates a key, and shows it this once."""
    issued = rows.create_key(
        desk.db,
        desk.rng,
        account=args.account,
        name=args.name,
        policy=_policy_fields(args),
        expires_us=us_of(args.expires, "expires"),
        user_id=None if args.user is None else people.show_user(desk.db, args.user).id,
    )
    return _issued(desk, issued)


def list_(desk: Desk, args: ListKeys) -> Page[KeyView]:
    """Lists keys, oldest first, of one account or of all."""
    found = rows.list_keys(desk.db, account=args.account, after=args.after, limit=args.limit + 1)
    accounts = rows.accounts_of(desk.db, {key.account_id for key in found})
    views = [KeyView(**_fields(desk, key, accounts[key.account_id].name)) for key in found]
    return Page.cut(views, args.limit, lambda key: key.id)


def show(desk: Desk, args: OneKey) -> KeyView:
    """Shows a key and its settings."""
    return view(desk, rows.show_key(desk.db, args.key))


def set_(desk: Desk, args: SetKey) -> KeyView:
    """Changes a key's settings, name or expiry. Workers follow within a second."""
    rows.show_key(desk.db, args.key)
    if args.name is not UNSET:
        rows.rename_key(desk.db, args.key, args.name)
    if args.expires is not UNSET:
        rows.set_expiry(desk.db, args.key, us_of(args.expires, "expires"))
    fields = _policy_fields(args)
    return view(desk, rows.set_policy(desk.db, args.key, fields) if fields else rows.show_key(desk.db, args.key))


def revoke(desk: Desk, args: OneKey) -> KeyView:
    """Revokes a key for good."""
    return view(desk, rows.revoke_key(desk.db, args.key))


def disable(desk: Desk, args: OneKey) -> KeyView:
    """Disables a key until it is enabled again."""
    return view(desk, rows.disable_key(desk.db, args.key))


def enable(desk: Desk, args: OneKey) -> KeyView:
    """Enables a disabled key."""
    return view(desk, rows.enable_key(desk.db, args.key))


def rotate(desk: Desk, args: RotateKey) -> IssuedKey:
    """Gives a key another secret, shown this once. Its id, limits and budgets stay."""
    return _issued(desk, rows.rotate_key(desk.db, desk.rng, args.key, overlap_s=args.overlap_s))


BUDGETS: Final = {"budget_day_usd": "budget_day_nanos", "budget_month_usd": "budget_month_nanos"}


def _policy_fields(args: Settings) -> dict[str, Any]:
    """The settings that were given, under the names of `accounts.Policy`."""
    fields: dict[str, Any] = {}
    for name in Settings.__struct_fields__:
        value = getattr(args, name)
        if value is UNSET:
            continue
        if name in BUDGETS:
            fields[BUDGETS[name]] = None if value is None else dollars.nanos(value, name)
        else:
            fields[name] = value
    return fields


def settings_of(policy: Policy) -> KeySettings:
    values = {name: getattr(policy, name) for name in KeySettings.__struct_fields__ if name not in BUDGETS}
    for shown, kept in BUDGETS.items():
        nanos = getattr(policy, kept)
        values[shown] = None if nanos is None else dollars.usd(nanos)
    return KeySettings(**(values | {"models": list(policy.models), "allow_ips": list(policy.allow_ips)}))


def view(desk: Desk, key: rows.Key) -> KeyView:
    return KeyView(**_fields(desk, key, rows.show_account(desk.db, key.account_id).name))


def _issued(desk: Desk, issued: rows.Issued) -> IssuedKey:
    name = rows.show_account(desk.db, issued.key.account_id).name
    return IssuedKey(key=issued.secret, **_fields(desk, issued.key, name))


def _fields(desk: Desk, key: rows.Key, account_name: str) -> dict[str, Any]:
    still_open = key.previous_expires_us is not None and key.previous_expires_us > desk.db.now_us
    return {
        "id": key.id,
        "account": key.account_id,
        "account_name": account_name,
        "name": key.name,
        "prefix": key.prefix,
        "state": key.state(desk.db.now_us),
        "settings": settings_of(key.policy),
        "created": at(key.created_us),
        "expires": at_or_none(key.expires_us),
        "old_secret_until": at_or_none(key.previous_expires_us) if still_open else None,
        "user": key.user_id,
    }

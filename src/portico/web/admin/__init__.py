"""The admin's desk: everything of this Portico, for whoever runs it."""

from typing import Final

from portico.web.admin import (
    accounts,
    audit,
    codes,
    deployments,
    drafts,
    home,
    keys,
    live,
    payments,
    prices,
    providers,
    receipts,
    usage,
    users,
)
from portico.web.inside.asked import Needs
from portico.web.inside.room import Room, Serve, room


def _room(path: str, look: Serve | None, act: Serve | None = None) -> Room:
    return room(path, look, act, needs=Needs.OPERATOR)


ROOMS: Final[tuple[Room, ...]] = (
    _room("/admin", home.home),
    _room("/admin/accounts", accounts.accounts, accounts.act_on_accounts),
    _room("/admin/accounts/{account}", accounts.account, accounts.act_on_account),
    _room("/admin/users", users.users, users.act_on_users),
    _room("/admin/users/{user}", users.user, users.act_on_user),
    _room("/admin/keys", keys.keys),
    _room("/admin/keys/{key}", keys.key, keys.act_on_key),
    _room("/admin/codes", codes.codes, codes.act_on_codes),
    _room("/admin/payments", payments.payments),
    _room("/admin/providers", providers.providers, providers.act_on_providers),
    _room("/admin/deployments", deployments.deployments),
    _room("/admin/prices", prices.prices, prices.act_on_prices),
    _room("/admin/prices/drafts/{draft}", drafts.draft, drafts.act_on_draft),
    _room("/admin/receipts/{id}", receipts.receipt, receipts.act_on_receipt),
    _room("/admin/usage", usage.usage),
    _room("/admin/usage.csv", usage.usage_csv),
    _room("/admin/live", live.live, live.act_on_live),
    _room("/admin/live.json", live.live_json),
    _room("/admin/audit", audit.audit),
)
"""All of it is for operators alone."""

"""Every command there is. The admin API, its OpenAPI document and the command line all follow this table."""

from collections.abc import Mapping
from typing import Final

from portico.admin import accounts, audit, codes, credentials, keys, ledger, markups, people, prices, upkeep, usage
from portico.admin.command import Command

COMMANDS: Final[tuple[Command, ...]] = (
    Command("accounts create", "POST /accounts", accounts.create),
    Command("accounts list", "GET /accounts", accounts.list_),
    Command("accounts show", "GET /accounts/{account}", accounts.show),
    Command("accounts set", "PATCH /accounts/{account}", accounts.set_),
    Command("accounts top-up", "POST /accounts/{account}/top-ups", accounts.top_up),
    Command("accounts refund", "POST /accounts/{account}/refunds", accounts.refund),
    Command("accounts delete", "DELETE /accounts/{account}", accounts.delete),
    Command("users add", "POST /users", people.add_user),
    Command("users list", "GET /users", people.list_users),
    Command("users remove", "DELETE /users/{user}", people.remove_user),
    Command("users enable", "POST /users/{user}/enable", people.enable_user),
    Command("memberships add", "PUT /accounts/{account}/members/{user}", people.add_member),
    Command("memberships remove", "DELETE /accounts/{account}/members/{user}", people.remove_member),
    Command("memberships list", "GET /accounts/{account}/members", people.list_members),
    Command("codes create", "POST /codes", codes.create),
    Command("codes list", "GET /codes", codes.list_),
    Command("codes redeem", "POST /codes/redeem", accounts.redeem, secret=("code",)),
    Command("keys create", "POST /keys", keys.create),
    Command("keys list", "GET /keys", keys.list_),
    Command("keys show", "GET /keys/{key}", keys.show),
    Command("keys set", "PATCH /keys/{key}", keys.set_),
    Command("keys revoke", "POST /keys/{key}/revoke", keys.revoke),
    Command("keys disable", "POST /keys/{key}/disable", keys.disable),
    Command("keys enable", "POST /keys/{key}/enable", keys.enable),
    Command("keys rotate", "POST /keys/{key}/rotate", keys.rotate),
    Command("prices list", "GET /prices", prices.list_),
    Command("prices diff", "POST /prices/diff", prices.diff, changes=False),
    Command("prices publish", "POST /prices", prices.publish),
    Command("prices import", "POST /prices/import", prices.import_, changes=False),
    Command("markup set", "PUT /markups", markups.set_),
    Command("markup list", "GET /markups", markups.list_),
    Command("usage", "GET /usage", usage.show),
    Command("ledger verify", "GET /ledger/verify", ledger.verify),
    Command("ledger export", "GET /ledger/entries", ledger.export),
    Command("receipts show", "GET /receipts/{request}", usage.receipt),
    Command("audit", "GET /audit", audit.list_),
    Command("credentials add", "POST /credentials", credentials.add, secret=("value",)),
    Command("credentials list", "GET /credentials", credentials.list_),
    Command("credentials disable", "POST /credentials/{credential}/disable", credentials.disable),
    Command("credentials enable", "POST /credentials/{credential}/enable", credentials.enable),
    Command("credentials remove", "DELETE /credentials/{credential}", credentials.remove),
    Command("secrets rotate", "POST /secrets/rotate", credentials.rotate),
    Command("backup", "POST /backups", upkeep.backup, apart=True),
    Command("db status", "GET /db", upkeep.status, apart=True),
)

BY_NAME: Final[Mapping[str, Command]] = {command.name: command for command in COMMANDS}

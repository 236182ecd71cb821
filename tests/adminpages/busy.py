"""Books with something of everything in them, made by the commands and, where only calls would, by rows as calls leave
them."""

import datetime as dt
import json
from typing import Any, Final

import msgspec

from admin.local import NOW_US
from inside.desk import Rooms
from portico.core.ids import from_time
from portico.core.storage import Db
from portico.routing.rest import FOREVER, Rest
from portico.routing.rows import KeepRest

DAY_US: Final = 86_400_000_000
TODAY: Final = dt.datetime.fromtimestamp(NOW_US / 1e6, dt.UTC).date()


class Money(msgspec.Struct, frozen=True):
    """What all of it comes to."""

    charge_usd: str = "3.900001"
    charge_nanos: int = 3_900_001_000


MONEY: Final = Money()


class Things(msgspec.Struct, frozen=True):
    names: dict[str, str]
    """Of what there is, for addresses."""
    fields: dict[str, str]
    """For forms."""


def busy(desk: Rooms, name: str = "laptop") -> Things:
    """Accounts in every state, keys, a draft, a code, a rest, an open call, usage with its receipts."""
    bench = desk.bench
    ids: dict[str, str] = {}
    for account in ("acme", "debtor", "runaway", "soon"):
        ids[account] = bench.do("accounts create", name=account)["id"]
    bench.do("accounts top-up", account="acme", amount_usd="1000", note=name)
    bench.do("accounts top-up", account="runaway", amount_usd="1000")
    bench.do("accounts top-up", account="soon", amount_usd="0.2")
    if name != "laptop":
        bench.do("accounts create", name=name)
    key = bench.do("keys create", account="acme", name=name)["id"]
    draft = bench.do("prices draft save", text=f'[[prices]]\nmodel = "{name}"\ninput = "1"\n', title=name)["id"]
    bench.do("codes create", amount_usd="5", note=name)
    bench.do("credentials add", provider="gemini", value="AIza-secret", name=name)
    bench.do("users add", email="bob@example.com", name=name)
    bench.do("memberships add", account="acme", user="bob@example.com", role="viewer")
    bench.do("markup set", factor="1.1", account="acme")

    def rows(db: Db) -> None:
        KeepRest(("gemini", "key:aaaa"), Rest(FOREVER, f"upstream_auth: {name}")).apply(db)
        db.run("UPDATE accounts SET posted_nanos = -1000 WHERE id = ?", ids["debtor"])
        used(db, ids["acme"], key, 0, 100_001_000, name)
        used(db, ids["soon"], key, 1, 800_000_000, name)
        used(db, ids["runaway"], key, 2, 100_000_000, name)
        used(db, ids["runaway"], key, 0, 2_900_000_000, name)
        hold = (
            "INSERT INTO holds (request_id, account_id, key_id, worker_id, amount_nanos, at_us, checkpoint)"
            " VALUES ('req_open', ?, ?, 'wrk_1', 5000, ?, ?)"
        )
        told = json.dumps({"request_id": "req_open", "account": ids["acme"], "model": name, "provider": name})
        db.run(hold, ids["acme"], key, NOW_US - 4_000_000, told)

    bench.reading.at_once(rows)
    names = {"account": ids["acme"], "key": key, "draft": draft, "id": "req_open"}
    fields = {
        "account": ids["acme"],
        "user": "bob@example.com",
        "name": name,
        "new_name": "new",
        "email": "new@example.com",
        "amount_usd": "1",
        "kind": "open",
        "role": "owner",
        "provider": "gemini",
        "value": "AIza-other",
        "factor": "2",
        "request": "req_open",
        "text": "x",
    }
    return Things(names, fields)


def used(db: Db, account: str, key: str, days_ago: int, nanos: int, model: str) -> None:
    """A call of some days ago, as its settlement leaves it: a receipt, and its part of the day."""
    at_us = NOW_US - days_ago * DAY_US
    day = (TODAY - dt.timedelta(days=days_ago)).isoformat()
    request = from_time("req_", at_us / 1_000_000) + account[-8:]
    body: dict[str, Any] = {
        "request_id": request,
        "account": account,
        "provider": "gemini",
        "charge_nanos": nanos,
        "cost_nanos": nanos // 2,
    }
    db.run(
        "INSERT INTO receipts (request_id, account_id, key_id, at_us, model, outcome, charge_nanos, cost_nanos, body)"
        " VALUES (?, ?, ?, ?, ?, 'ok', ?, ?, ?)",
        *(request, account, key, at_us, model, nanos, nanos // 2, json.dumps(body)),
    )
    db.run(
        "INSERT INTO usage_days (account_id, day, model, key_id, calls, input_tokens, output_tokens, charge_nanos,"
        " cost_nanos) VALUES (?, ?, ?, ?, 1, 10, 20, ?, ?)",
        *(account, day, model, key, nanos, nanos // 2),
    )

"""Holds and their ends, said briefly."""

from collections.abc import Sequence
from typing import Any

import msgspec

from portico.core.storage import Db, Write
from portico.ledger import Checkpoint, Hold, Limits, Release, Settle
from portico.metering.charge import FEMTOS, Line
from portico.metering.receipt import Receipt, encode

KEY = "key_1"
WORKER = "worker_1"

LIMITS = [
    (Limits(rpm=2), "rpm"),
    (Limits(tpm=25), "tpm"),
    (Limits(concurrent=2), "concurrent"),
    (Limits(budget_day_nanos=25), "budget_day"),
    (Limits(budget_month_nanos=25), "budget_month"),
]
"""Each lets two calls of ten through, and the reason that the third is refused for."""


def hold(request: str, amount: int, *, account: str = "alice", **more: Any) -> Hold:
    return Hold(
        **{"key_id": KEY, "worker_id": WORKER, **more}, request_id=request, account_id=account, amount_nanos=amount
    )


def settle(request: str, charge: int, *, account: str = "alice", **more: Any) -> Settle:
    values: dict[str, Any] = {"key_id": KEY, "model": "m", "outcome": "ok", **more}
    values = {"receipt": receipt(request, account, charge, values), **values}
    return Settle(request_id=request, account_id=account, charge_nanos=charge, cost_nanos=charge, **values)


def release(request: str, *, account: str = "alice", **more: Any) -> Release:
    values: dict[str, Any] = {"key_id": KEY, "outcome": "failed", **more}
    values = {"receipt": receipt(request, account, 0, values), **values}
    return Release(request_id=request, account_id=account, **values)


def lines(charge: int) -> tuple[Line, ...]:
    """That come to a charge, and to a cost that is the same."""
    femtos = charge * FEMTOS
    return (Line("output", "text", FEMTOS, "mtok", charge, charge, femtos, femtos),) if charge else ()


def receipt(request: str, account: str, charge: int, values: dict[str, Any]) -> bytes:
    said = {name: values[name] for name in ("key_id", "model", "outcome", "at_us") if name in values}
    charged: dict[str, Any] = {"charge_nanos": charge, "cost_nanos": charge, "lines": lines(charge)}
    return encode(Receipt(request_id=request, account=account, **said, **charged))


def checkpoint(request: str, charge: int, *, account: str = "alice", key_id: str = KEY, **more: Any) -> Checkpoint:
    """As the relay writes one: a receipt so far."""
    told = Receipt(
        request_id=request,
        account=account,
        key_id=key_id,
        model="m",
        charge_nanos=charge,
        cost_nanos=charge,
        lines=lines(charge),
        **more,
    )
    return Checkpoint(request, account, key_id, encode(told))


class Together(msgspec.Struct, frozen=True):
    """A Write[list]: writes of one batch, without savepoints. Raises `Apart` where they cannot be made together."""

    writes: Sequence[Write[Any]]

    @property
    def keys(self) -> Sequence[str]:
        return [key for write in self.writes for key in write.keys]

    def apply(self, db: Db) -> list[Any]:
        carried: dict[str, Any] = {}
        db.carried, db.batch = carried, self.writes
        try:
            results = [write.apply(db) for write in self.writes]
            for one in carried.values():
                one.flush()
        finally:
            db.carried, db.batch = None, ()
        return results

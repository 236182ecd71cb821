"""Holds and their ends, said briefly."""

from typing import Any

from portico.ledger import Checkpoint, Hold, Release, Settle
from portico.metering.receipt import Receipt, encode

KEY = "key_1"
WORKER = "worker_1"


def hold(request: str, amount: int, *, account: str = "alice", **more: Any) -> Hold:
    return Hold(
        **{"key_id": KEY, "worker_id": WORKER, **more}, request_id=request, account_id=account, amount_nanos=amount
    )


def settle(request: str, charge: int, *, account: str = "alice", **more: Any) -> Settle:
    values: dict[str, Any] = {"key_id": KEY, "receipt": b"{}", "model": "m", "outcome": "ok", **more}
    return Settle(request_id=request, account_id=account, charge_nanos=charge, cost_nanos=charge, **values)


def release(request: str, *, account: str = "alice", **more: Any) -> Release:
    values: dict[str, Any] = {"key_id": KEY, "receipt": b"{}", "outcome": "failed", **more}
    return Release(request_id=request, account_id=account, **values)


def checkpoint(request: str, charge: int, *, account: str = "alice", **more: Any) -> Checkpoint:
    """As the relay writes one: a receipt so far."""
    told = Receipt(
        request_id=request,
        account=account,
        key_id=KEY,
        model="m",
        charge_nanos=charge,
        cost_nanos=charge,
        **more,
    )
    return Checkpoint(request, account, KEY, encode(told))

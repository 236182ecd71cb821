"""The holds of workers that are gone: booked from their last checkpoint, or released.

Whoever finds that a lease was ended does it, and who comes second finds nothing left to do. A checkpoint never says more
than was really used, so nobody is charged more than the real charge, and never more than was held.
"""

from typing import Final

import msgspec

from portico.core.storage import Db
from portico.ledger.settle import Outcome, Release, Settle
from portico.metering.receipt import CAPPED, RECOVERED, Receipt, decode, encode

PIECE: Final = 100
"""Holds that are resolved in one transaction."""

_GONE: Final = (
    "SELECT DISTINCT worker_id FROM holds h WHERE NOT EXISTS"
    " (SELECT 1 FROM leases l WHERE l.worker_id = h.worker_id AND l.expires_us > 0)"
)
_HOLDS: Final = (
    "SELECT request_id, account_id, key_id, amount_nanos, checkpoint, at_us FROM holds WHERE worker_id = ?"
    " ORDER BY request_id LIMIT ?"
)
_ONE_AFTER_ANOTHER: Final = "UPDATE leases SET expires_us = expires_us WHERE worker_id = ?"
"""Of several workers that find the same one gone the others wait here, and then find nothing left."""
_CLAIMED: Final = "SELECT key FROM idempotency WHERE request_id = ? AND account_id = ?"


class _Left(msgspec.Struct, frozen=True):
    """An open hold, as its worker left it."""

    request_id: str
    account_id: str
    key_id: str
    amount_nanos: int
    checkpoint: str
    at_us: int


def gone_workers(db: Db) -> list[str]:
    """The workers with open holds whose lease was ended (its expiry is not above 0), or that have none."""
    return [row[0] for row in db.rows(_GONE)]


def recover(db: Db, worker_id: str, limit: int = PIECE) -> int:
    """Resolves up to `limit` holds of a worker that is gone, in this transaction; how many. Call it until that is 0."""
    db.run(_ONE_AFTER_ANOTHER, worker_id)
    holds = [_Left(*row) for row in db.rows(_HOLDS, worker_id, limit)]
    holds.sort(key=lambda left: left.account_id)  # accounts are locked in the order in which batches do
    for left in holds:
        claimed = db.rows(_CLAIMED, left.request_id, left.account_id)
        _last(left, Outcome(claimed[0][0]) if claimed else None).apply(db)
    return len(holds)


def _last(left: _Left, forget: Outcome | None) -> Settle | Release:
    so_far = _read(left.checkpoint)
    if so_far is None:
        told = Receipt(
            request_id=left.request_id,
            account=left.account_id,
            key_id=left.key_id,
            at_us=left.at_us,
            outcome=RECOVERED,
            hold_nanos=left.amount_nanos,
            flags=(RECOVERED,),
        )
    else:
        told = _told(so_far, left.amount_nanos)
    write = Release if so_far is None else Settle
    return write(
        request_id=left.request_id,
        account_id=left.account_id,
        key_id=left.key_id,
        charge_nanos=told.charge_nanos,
        cost_nanos=told.cost_nanos,
        receipt=encode(told),
        model=told.model,
        outcome=RECOVERED,
        at_us=left.at_us,
        input_tokens=told.input_tokens,
        cached_tokens=told.cached_tokens,
        output_tokens=told.output_tokens,
        reasoning_tokens=told.reasoning_tokens,
        note=RECOVERED,
        idempotency=forget,
    )


def _told(so_far: Receipt, held: int) -> Receipt:
    """A receipt so far as the receipt of a call that ended there, which says what is charged and no more."""
    flags = [flag for flag in so_far.flags if flag not in (RECOVERED, CAPPED)]
    flags.append(RECOVERED)
    if so_far.charge_nanos > held or CAPPED in so_far.flags:
        flags.append(CAPPED)
    charge = min(so_far.charge_nanos, held)
    return msgspec.structs.replace(so_far, charge_nanos=charge, outcome=RECOVERED, flags=tuple(flags))


def _read(checkpoint: str) -> Receipt | None:
    try:
        return decode(checkpoint)
    except ValueError:
        return None

"""The holds of workers that are gone: booked from their last checkpoint, or released.

Whoever finds that a lease was ended does it, and who comes second finds nothing left to do. A checkpoint never says more
than was really used, so nobody is charged more than the real charge, and never more than was held.
"""

from typing import Final

import msgspec

from portico.core.storage import Db
from portico.ledger.settle import RECOVERED, Outcome, Release, Settle

PIECE: Final = 100
"""Holds that are resolved in one transaction."""

_GONE: Final = (
    "SELECT DISTINCT worker_id FROM holds h WHERE NOT EXISTS"
    " (SELECT 1 FROM leases l WHERE l.worker_id = h.worker_id AND l.expires_us > 0)"
)
_HOLDS: Final = (
    "SELECT request_id, account_id, key_id, amount_nanos, checkpoint, at_us FROM holds WHERE worker_id = ?"
    " ORDER BY account_id, request_id LIMIT ?"
)
_CLAIMED: Final = "SELECT key FROM idempotency WHERE request_id = ? AND account_id = ?"


class Kept(msgspec.Struct):
    """What is read of a checkpoint, which is a receipt so far."""

    charge_nanos: int = 0
    cost_nanos: int = 0
    model: str = ""
    usage: dict[str, dict[str, int]] | None = None
    """Disjoint buckets by modality, named as `core.usage` has them."""

    def tokens(self, bucket: str) -> int:
        """Of all buckets whose names begin so."""
        found = [counts for name, counts in (self.usage or {}).items() if name.startswith(bucket)]
        return sum(sum(counts.values()) for counts in found)


def gone_workers(db: Db) -> list[str]:
    """The workers with open holds whose lease was ended (its expiry is not above 0), or that have none."""
    return [row[0] for row in db.rows(_GONE)]


def recover(db: Db, worker_id: str, limit: int = PIECE) -> int:
    """Resolves up to `limit` holds of a worker that is gone, in this transaction; how many. Call it until that is 0."""
    holds = db.rows(_HOLDS, worker_id, limit)
    for request_id, account_id, key_id, amount, checkpoint, at_us in holds:
        claimed = db.rows(_CLAIMED, request_id, account_id)
        forget = Outcome(claimed[0][0]) if claimed else None
        kept = _read(checkpoint)
        if kept is None:
            body = msgspec.json.encode(_without_checkpoint(request_id, account_id, key_id, at_us, amount))
            release = Release(
                request_id=request_id,
                account_id=account_id,
                key_id=key_id,
                receipt=body,
                outcome=RECOVERED,
                at_us=at_us,
                note=RECOVERED,
                idempotency=forget,
            )
            release.apply(db)
            continue
        settle = Settle(
            request_id=request_id,
            account_id=account_id,
            key_id=key_id,
            charge_nanos=min(kept.charge_nanos, amount),
            cost_nanos=kept.cost_nanos,
            receipt=checkpoint.encode(),
            model=kept.model,
            outcome=RECOVERED,
            at_us=at_us,
            input_tokens=kept.tokens("input_"),
            cached_tokens=kept.tokens("input_cache_read"),
            output_tokens=kept.tokens("output_"),
            reasoning_tokens=kept.tokens("output_reasoning"),
            note=RECOVERED,
            idempotency=forget,
        )
        settle.apply(db)
    return len(holds)


def _read(checkpoint: str) -> Kept | None:
    if not checkpoint:
        return None
    try:
        return msgspec.json.decode(checkpoint, type=Kept)
    except msgspec.DecodeError:
        return None


def _without_checkpoint(
    request_id: str, account_id: str, key_id: str, at_us: int, amount: int
) -> dict[str, str | int | list[str]]:
    return {
        "request_id": request_id,
        "account": account_id,
        "key_id": key_id,
        "at_us": at_us,
        "outcome": RECOVERED,
        "flags": [RECOVERED],
        "hold_nanos": amount,
        "charge_nanos": 0,
        "cost_nanos": 0,
    }

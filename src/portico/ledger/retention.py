"""What is kept for a time only: receipts, usage, idempotency keys, counters of windows that are over.
Entries are kept for good.

Removed in small pieces, so that no call waits behind a long transaction.
"""

from typing import Final

import msgspec

from portico.core.storage import Db
from portico.ledger import paid, windows

PIECE: Final = 500
_DAY_US: Final = windows.DAY_US
# The oldest days first: whoever compares usage with calls then knows which days are whole.
_OLD_USAGE: Final = (
    "DELETE FROM usage_days WHERE (account_id, day, model, key_id) IN"
    " (SELECT account_id, day, model, key_id FROM usage_days WHERE day < ? ORDER BY day LIMIT ?)"
)
_OLD_COUNTERS: Final = (
    'DELETE FROM counters WHERE kind = ? AND (subject, "window") IN'
    ' (SELECT subject, "window" FROM counters WHERE kind = ? AND "window" < ? LIMIT ?)'
)


class Retention(msgspec.Struct, frozen=True):
    """How long things are kept."""

    receipts_days: int = 400
    usage_days: int = 800
    idempotency_hours: int = 24


def sweep(db: Db, retention: Retention) -> int:
    """Removes a piece of what is too old, in this transaction; how many rows. Call it again while that is not 0."""
    now = db.now_us
    old_receipts = now - retention.receipts_days * _DAY_US
    old_keys = now - retention.idempotency_hours * 3_600_000_000
    first_day = windows.day_of(now - retention.usage_days * _DAY_US).isoformat()
    # Ids sort by time. A note goes with its receipt, however late it was written: alone it would stay for ever.
    oldest = (
        "SELECT request_id FROM (SELECT request_id, at_us FROM receipts ORDER BY request_id LIMIT ?) oldest"
        " WHERE at_us < ?"
    )
    removed = 0
    for table in ("receipt_notes", "receipts"):
        removed += db.run(f"DELETE FROM {table} WHERE request_id IN ({oldest})", PIECE, old_receipts)  # noqa: S608
    removed += db.run(
        "DELETE FROM idempotency WHERE request_id IN"
        " (SELECT request_id FROM idempotency WHERE at_us < ? AND (status <> 0 OR at_us < ?) ORDER BY at_us LIMIT ?)",
        old_keys,
        old_keys - _DAY_US,
        PIECE,
    )
    removed += db.run(_OLD_USAGE, first_day, PIECE)
    for kind, kept in (
        (windows.REQUESTS, 5),
        (windows.TOKENS, 60 * 24),
        (windows.BUDGET_DAY, 3),
        (windows.BUDGET_MONTH, 3),
    ):
        first = windows.window_of(kind, now) - kept
        removed += db.run(_OLD_COUNTERS, kind, kind, first, PIECE)
    removed += db.run(_OLD_COUNTERS, paid.GUESS, paid.GUESS, paid.hour_of(now) - 24, PIECE)
    return removed

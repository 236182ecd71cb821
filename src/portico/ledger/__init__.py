"""Accounts, entries and holds: the only code that moves money. Amounts are nano-dollars.

    hold -> (extend)* -> settle | release          one call
    recover                                        the calls of a worker that died; what it still says is one `adjust`
    top_up, refund, refund_call, redeem, withdraw  what is paid in, back and out

Everything is decided by the database: a conditional update, a unique index, a row count. Each change is one `Write` that
may be applied with others in one transaction, and applied again without doing anything twice.
"""

from portico.ledger.hold import Admit, Extend, Held, Hold, Limits, Refused, Replay
from portico.ledger.settle import Checkpoint, Outcome, Release, Settle

__all__ = [
    "Admit",
    "Checkpoint",
    "Extend",
    "Held",
    "Hold",
    "Limits",
    "Outcome",
    "Refused",
    "Release",
    "Replay",
    "Settle",
]

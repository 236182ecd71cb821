"""Whether the books add up, and the entries to look at. Runs while calls are served, of which a reading transaction
sees one moment.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final

import msgspec

from portico.core.storage import Db
from portico.ledger import agree
from portico.ledger.differences import SHOWN, Difference

PAGE: Final = 1000

_BALANCES: Final = (
    "SELECT a.id, a.posted_nanos, a.held_nanos, CAST(COALESCE(SUM(e.posted_nanos), 0) AS BIGINT),"
    " CAST(COALESCE(SUM(e.held_nanos), 0) AS BIGINT) FROM accounts a LEFT JOIN entries e ON e.account_id = a.id"
    " GROUP BY a.id, a.posted_nanos, a.held_nanos"
    " HAVING a.posted_nanos <> COALESCE(SUM(e.posted_nanos), 0) OR a.held_nanos <> COALESCE(SUM(e.held_nanos), 0)"
    " ORDER BY a.id LIMIT ?"
)
_HOLDS: Final = (
    "SELECT a.id, a.held_nanos, CAST(COALESCE(SUM(h.amount_nanos), 0) AS BIGINT) FROM accounts a"
    " LEFT JOIN holds h ON h.account_id = a.id GROUP BY a.id, a.held_nanos"
    " HAVING a.held_nanos <> COALESCE(SUM(h.amount_nanos), 0) ORDER BY a.id LIMIT ?"
)
_EACH_HOLD: Final = (
    "SELECT h.request_id, h.account_id, h.amount_nanos, CAST(COALESCE(SUM(e.held_nanos), 0) AS BIGINT) FROM holds h"
    " LEFT JOIN entries e ON e.request_id = h.request_id AND e.account_id = h.account_id AND e.kind IN ('hold', 'extend')"
    " GROUP BY h.request_id, h.account_id, h.amount_nanos"
    " HAVING h.amount_nanos <> COALESCE(SUM(e.held_nanos), 0) OR COUNT(e.id) = 0 ORDER BY h.request_id LIMIT ?"
)
_OPEN_BUT_RESOLVED: Final = (
    "SELECT h.request_id, h.account_id FROM holds h JOIN entries e ON e.request_id = h.request_id"
    " AND e.kind IN ('settle', 'release') ORDER BY h.request_id LIMIT ?"
)
_UNRESOLVED: Final = (
    "SELECT e.request_id, e.account_id FROM entries e WHERE e.kind = 'hold'"
    " AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.request_id = e.request_id AND h.account_id = e.account_id)"
    " AND NOT EXISTS (SELECT 1 FROM entries r WHERE r.request_id = e.request_id AND r.account_id = e.account_id"
    " AND r.kind IN ('settle', 'release'))"
    " ORDER BY e.request_id LIMIT ?"
)
_NOBODYS: Final = (
    "SELECT e.account_id, CAST(SUM(e.posted_nanos) AS BIGINT) FROM entries e"
    " WHERE NOT EXISTS (SELECT 1 FROM accounts a WHERE a.id = e.account_id)"
    " GROUP BY e.account_id ORDER BY e.account_id LIMIT ?"
)
_RECEIPTS: Final = (
    "SELECT r.request_id, r.account_id, r.charge_nanos, CAST(COALESCE(-SUM(e.posted_nanos), 0) AS BIGINT)"
    " FROM receipts r LEFT JOIN entries e ON e.request_id = r.request_id AND e.account_id = r.account_id"
    " AND e.kind IN ('settle', 'release')"
    " GROUP BY r.request_id, r.account_id, r.charge_nanos"
    " HAVING r.charge_nanos <> COALESCE(-SUM(e.posted_nanos), 0) OR COUNT(e.id) <> 1 ORDER BY r.request_id LIMIT ?"
)
_COUNTS: Final = "SELECT (SELECT COUNT(*) FROM accounts), (SELECT COUNT(*) FROM entries), (SELECT COUNT(*) FROM holds)"
_ENTRIES: Final = (
    "SELECT id, account_id, kind, posted_nanos, held_nanos, request_id, note, at_us FROM entries WHERE id > ?"
)


class Verdict(msgspec.Struct, frozen=True):
    """What was looked at, and what does not add up."""

    ok: bool
    accounts: int
    entries: int
    open_holds: int
    differences: tuple[Difference, ...] = ()


class Entry(msgspec.Struct, frozen=True):
    """One line of the ledger."""

    id: int
    account_id: str
    kind: str
    posted_nanos: int
    held_nanos: int
    request_id: str | None
    note: str
    at_us: int


def verify(db: Db) -> Verdict:
    """Adds every entry up again and compares: balances, what is held, open holds, resolutions, receipts; and with these
    what was paid by card, what days have used, and what receipts say."""
    wrong: list[Difference] = []
    for account, posted, held, entries_posted, entries_held in db.rows(_BALANCES, SHOWN):
        if posted != entries_posted:
            wrong.append(Difference("posted", account, None, posted, entries_posted))
        if held != entries_held:
            wrong.append(Difference("held", account, None, held, entries_held))
    wrong += [Difference("nobody's", account, None, None, posted) for account, posted in db.rows(_NOBODYS, SHOWN)]
    wrong += [Difference("open holds", account, None, held, holds) for account, held, holds in db.rows(_HOLDS, SHOWN)]
    for request, account, amount, held in db.rows(_EACH_HOLD, SHOWN):
        wrong.append(Difference("hold", account, request, amount, held))
    for what, sql in (("resolved but open", _OPEN_BUT_RESOLVED), ("unresolved", _UNRESOLVED)):
        wrong += [Difference(what, account, request, None, None) for request, account in db.rows(sql, SHOWN)]
    for request, account, charge, settled in db.rows(_RECEIPTS, SHOWN):
        wrong.append(Difference("receipt", account, request, charge, settled))
    for found in (agree.payments(db), agree.usage(db), agree.receipts(db)):
        wrong += islice(found, SHOWN)
    accounts, entries, holds = db.rows(_COUNTS)[0]
    return Verdict(not wrong, accounts, entries, holds, tuple(wrong))


def entries(db: Db, *, account_id: str | None = None, after: int = 0) -> Iterator[Entry]:
    """The entries in their order, of one account or of all, from behind an id on; read a page at a time."""
    own = "" if account_id is None else " AND account_id = ?"
    of = () if account_id is None else (account_id,)
    while True:
        page = db.rows(f"{_ENTRIES}{own} ORDER BY id LIMIT {PAGE}", after, *of)
        yield from (Entry(*row) for row in page)
        if len(page) < PAGE:
            return
        after = page[-1][0]

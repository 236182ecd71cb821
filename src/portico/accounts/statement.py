"""What an account may see of its own books: its balance, its receipts, what was used. Plain SQL on a question's connection.

Every statement names the account it is asked for. What is another's is not there: no error tells it from what never was.
What a call cost the operator is not the account's to see. What it was charged is, to the last line: the rates of sale, and
the markup on them, without which the lines would not add up.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

import msgspec

from portico.core.digits import whole
from portico.core.errors import InvalidRequest, NotFound
from portico.core.storage import Db

NANOS: Final = 1_000_000_000
GROUPS: Final[Mapping[str, str]] = {"day": "day", "model": "model", "key": "key_id"}
"""What usage can be told by, and the column of it."""
SUMS: Final = ("calls", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "charge_nanos")
MAX_DAYS: Final = 366
DEFAULT_DAYS: Final = 30
LARGEST_PAGE: Final = 1000
MAX_ID: Final = 100
_EPOCH: Final = date(1970, 1, 1)


class Balance(msgspec.Struct, frozen=True):
    """An account's money. `available_nanos` may be below zero: a call may cost more than was held for it."""

    account: str
    name: str
    kind: str
    posted_nanos: int
    held_nanos: int

    @property
    def available_nanos(self) -> int:
        return self.posted_nanos - self.held_nanos


class UsageQuery(msgspec.Struct, frozen=True):
    """Which usage is asked for: whole days of UTC, both ends included."""

    by: tuple[str, ...]
    first: date
    last: date
    limit: int = LARGEST_PAGE
    start: int = 0
    """How many rows come before this page."""

    @classmethod
    def of(cls, said: Mapping[str, str], today: date) -> "UsageQuery":
        """What a query string says: `by`, `from`, `to`, `limit`, `after`. Raises `InvalidRequest` with the parameter."""
        by = tuple([word.strip() for word in said.get("by", "day").split(",") if word.strip()])
        if not by or len(set(by)) < len(by) or not set(by) <= GROUPS.keys():
            raise InvalidRequest(f"by: some of {', '.join(GROUPS)}, each once, with commas.", param="by")
        last = _day(said, "to") or max(today, _day(said, "from") or today)
        first = _day(said, "from") or last - timedelta(days=DEFAULT_DAYS - 1)
        if not 0 <= (last - first).days < MAX_DAYS:
            raise InvalidRequest(f"From 'from' to 'to' are 1 to {MAX_DAYS} days.", param="from")
        limit = _count(said, "limit", LARGEST_PAGE)
        if not 0 < limit <= LARGEST_PAGE:
            raise InvalidRequest(f"limit: 1 to {LARGEST_PAGE}.", param="limit")
        return cls(by, first, last, limit, _count(said, "after", 0))


class UsagePage(msgspec.Struct, frozen=True):
    """Rows of the groups' values, then of `SUMS`; `following` is where the next page starts, None on the last."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]
    total: tuple[int, ...]
    """Of all pages, as `SUMS`."""
    following: int | None


def balance(db: Db, account_id: str) -> Balance:
    """Raises `NotFound` if nothing is known of the account."""
    rows = db.rows("SELECT id, name, kind, posted_nanos, held_nanos FROM accounts WHERE id = ?", account_id)
    if not rows:
        raise NotFound("There is no such account.")
    return Balance(*rows[0])


class StillOpen(NotFound):
    """There is no receipt of that id yet: the call is not over."""

    retry_after_s = 1.0


def receipt(db: Db, account_id: str, request_id: str, *, cost: bool = False) -> dict[str, Any]:
    """A call's receipt as plain JSON, and under `notes` what came after it; with `cost`, for who runs this Portico, all of
    it. Raises `NotFound`, also for another's, and
    `StillOpen` while something is held for the call: its receipt is written when that is settled."""
    if len(request_id) > MAX_ID or "\0" in request_id:
        raise NotFound("There is no receipt of that id.")
    # First what is held: one transaction takes the hold and leaves the receipt, so that no call that is over is missed.
    held = db.rows("SELECT 1 FROM holds WHERE request_id = ? AND account_id = ?", request_id, account_id)
    sql = "SELECT body FROM receipts WHERE request_id = ? AND account_id = ?"
    rows = db.rows(sql, request_id, account_id)
    if not rows:
        raise StillOpen if held else NotFound("There is no receipt of that id.")
    notes = db.rows("SELECT kind, body, at_us FROM receipt_notes WHERE request_id = ? ORDER BY id", request_id)
    told = [{"kind": kind, "at_us": at_us, "body": _plain(body)} for kind, body, at_us in notes]
    # A receipt is kept without what is nothing. That nothing was charged is told.
    nothing = {"object": "receipt", "charge_nanos": 0}
    found: dict[str, Any] = nothing | msgspec.json.decode(rows[0][0])
    if told:
        found["notes"] = told
    whole: dict[str, Any] = found if cost else without_cost(found)
    return whole


def usage(db: Db, account_id: str, asked: UsageQuery) -> UsagePage:
    """What an account used in some days, a line for each value of the groups, in their order."""
    columns = [GROUPS[word] for word in asked.by]
    sums = ", ".join([f"CAST(COALESCE(SUM({name}), 0) AS BIGINT)" for name in SUMS])
    within = "FROM usage_days WHERE account_id = ? AND day >= ? AND day <= ? AND calls > 0"
    values = (account_id, asked.first.isoformat(), asked.last.isoformat())
    grouped = ", ".join(columns)
    sql = f"SELECT {grouped}, {sums} {within} GROUP BY {grouped} ORDER BY {grouped} LIMIT ? OFFSET ?"
    rows = db.rows(sql, *values, asked.limit + 1, asked.start)
    total = db.rows(f"SELECT {sums} {within}", *values)[0]
    following = asked.start + asked.limit if len(rows) > asked.limit else None
    return UsagePage((*asked.by, *SUMS), rows[: asked.limit], total, following)


def dollars(nanos: int) -> str:
    """An amount for people, exact: every digit that matters, and at least two behind the point."""
    whole, fraction = divmod(abs(nanos), NANOS)
    return f"{'-' if nanos < 0 else ''}{whole}.{f'{fraction:09d}'.rstrip('0').ljust(2, '0')}"


def without_cost(value: Any) -> Any:
    """Plain JSON without what a call cost the operator: every field that is named for it, at any depth."""
    match value:
        case dict():
            return {name: without_cost(item) for name, item in value.items() if not _is_cost(name)}
        case list():
            return [without_cost(item) for item in value]
        case _:
            return value


def _is_cost(name: str) -> bool:
    return name == "cost" or name.startswith("cost_")


def _plain(body: str) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body


def _day(said: Mapping[str, str], name: str) -> date | None:
    text = said.get(name)
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if day < _EPOCH:
        raise InvalidRequest(f"{name}: a day as 2026-01-31.", param=name)
    return day


def _count(said: Mapping[str, str], name: str, default: int) -> int:
    text = said.get(name)
    if not text:
        return default
    number = whole(text)
    if number is None:
        raise InvalidRequest(f"{name}: a whole number.", param=name)
    return number

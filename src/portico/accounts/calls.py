"""An account's calls, one by one: its receipts as a list, filtered, in pages, and summed up. Plain SQL on a question's
connection.

A call's charge is what was booked for it in the end: its receipt's, and what a word after a recovery changed. So the sum of
a list is that of its rows, of `usage_days`, and of the ledger's entries. So is its cost.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeAlias

import msgspec

from portico.core.errors import InvalidRequest
from portico.core.ids import from_time
from portico.core.storage import Db, Row, Value
from portico.metering.receipt import Receipt, decode

OK: Final = "ok"
CALLER_GONE: Final = "caller_gone"
FAILED: Final = "failed"
"""As a filter: whatever went wrong. That a caller hung up is no failure."""
ADJUSTED: Final = "adjusted"
"""Beside a receipt's own flags: what was booked is not what it says, since something came after it."""
LARGEST_SUM: Final = 100_000
"""So many receipts are summed up one by one at most."""
MAX_TEXT: Final = 200
END_OF_IDS: Final = 8000
"""A year from which on ids no longer sort by time, and no day is a bound."""
_Where: TypeAlias = Callable[..., None]
_DAY_S: Final = 86_400
_CHARGE: Final = "(r.charge_nanos - COALESCE(e.posted_nanos, 0))"
_FROM: Final = (
    " FROM receipts r LEFT JOIN entries e ON e.request_id = r.request_id AND e.kind = 'adjust'"
    " LEFT JOIN keys k ON k.id = r.key_id"
)
_COLUMNS: Final = (
    f"SELECT r.request_id, r.account_id, r.at_us, r.model, r.key_id, COALESCE(k.name, ''), r.outcome, {_CHARGE},"
    " r.cost_nanos, CASE WHEN e.id IS NULL THEN 0 ELSE 1 END, r.body, n.body"
)
_NOTES: Final = " LEFT JOIN receipt_notes n ON n.request_id = r.request_id AND n.kind = 'adjust'"
_SUMS: Final = ("calls", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "charge_nanos")


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which calls are meant. Days are those of UTC, both ends included."""

    account: str | None = None
    """Its id; None: all accounts', for who runs this Portico."""
    model: str = ""
    key: str = ""
    """Its id."""
    outcome: str = ""
    """`ok`, a receipt's own word, or `failed`."""
    charged: bool | None = None
    first: date | None = None
    last: date | None = None
    search: str = ""
    """A request's id, a key's id or how it begins, a model, or an outcome."""

    @property
    def is_plain(self) -> bool:
        """Whether `usage_days` can tell its sums."""
        return not self.outcome and self.charged is None and not self.search


class Tokens(msgspec.Struct, frozen=True):
    """Of one call; None where nothing was reported. The second of each pair is a part of the first."""

    input: int | None = None
    cached: int | None = None
    output: int | None = None
    reasoning: int | None = None


class Call(msgspec.Struct, frozen=True):
    """One line of the list."""

    request_id: str
    account_id: str
    at_us: int
    model: str
    key_id: str
    key_name: str
    outcome: str
    charge_nanos: int
    cost_nanos: int
    adjusted: bool
    """The charge is another one than the receipt's: something came after it."""
    receipt: Receipt

    @property
    def tokens(self) -> "Tokens":
        told = self.receipt
        if told.usage is None:
            return Tokens()
        return Tokens(told.input_tokens, told.cached_tokens, told.output_tokens, told.reasoning_tokens)

    @property
    def flags(self) -> tuple[str, ...]:
        return (*self.receipt.flags, ADJUSTED) if self.adjusted else self.receipt.flags

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.at_us / 1_000_000, UTC)


class Sums(msgspec.Struct, frozen=True):
    """What all calls of a filter come to. Tokens are None where only receipts could tell them."""

    calls: int
    charge_nanos: int
    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None


def page(db: Db, asked: Filter, *, before: str = "", after: str = "", limit: int) -> list[Call]:
    """Calls, the newest first: those older than `before`, or the ones next newer than `after`."""
    wheres, values = _wheres(asked)
    order = "DESC"
    if after:
        wheres, values, order = [*wheres, "r.request_id > ?"], [*values, after], "ASC"
    elif before:
        wheres, values = [*wheres, "r.request_id < ?"], [*values, before]
    sql = f"{_COLUMNS}{_FROM}{_NOTES} WHERE {' AND '.join(wheres)} ORDER BY r.request_id {order} LIMIT ?"
    found = [_call(row) for row in db.rows(sql, *values, limit)]
    return found[::-1] if after else found


def _call(row: Row) -> Call:
    cost, adjusted, body, late = row[8:]
    if late is not None:
        cost = _read(row[0], row[1], late).cost_nanos
    return Call(*row[:8], *[cost, bool(adjusted), _read(row[0], row[1], body)])


def sums(db: Db, asked: Filter) -> Sums | None:
    """None: there are more than `LARGEST_SUM`, and only their receipts could tell."""
    if asked.is_plain:
        return _of_days(db, asked)
    wheres, values = _wheres(asked)
    inner = f"SELECT {_CHARGE} AS charge{_FROM} WHERE {' AND '.join(wheres)} LIMIT ?"
    sql = f"SELECT COUNT(*), CAST(COALESCE(SUM(charge), 0) AS BIGINT) FROM ({inner}) found"  # noqa: S608
    count, charge = db.rows(sql, *values, LARGEST_SUM + 1)[0]
    return None if count > LARGEST_SUM else Sums(int(count), int(charge))


def _of_days(db: Db, asked: Filter) -> Sums:
    wheres: list[str] = ["1 = 1"]
    values: list[str] = []
    for column, compare, value in (
        ("account_id", "=", asked.account),
        ("model", "=", asked.model or None),
        ("key_id", "=", asked.key or None),
        ("day", ">=", asked.first.isoformat() if asked.first else None),
        ("day", "<=", asked.last.isoformat() if asked.last else None),
    ):
        if value is not None:
            wheres.append(f"{column} {compare} ?")
            values.append(value)
    told = ["SUM(calls + released)", *[f"SUM({name})" for name in _SUMS[1:]]]
    columns = ", ".join([f"CAST(COALESCE({one}, 0) AS BIGINT)" for one in told])
    row = db.rows(f"SELECT {columns} FROM usage_days WHERE {' AND '.join(wheres)}", *values)[0]  # noqa: S608
    return Sums(**{name: int(value) for name, value in zip(_SUMS, row, strict=True)})


def _wheres(asked: Filter) -> tuple[list[str], list[Value]]:
    wheres: list[str] = []
    values: list[Value] = []

    def where(sql: str, *given: Value) -> None:
        wheres.append(sql)
        values.extend(given)

    if asked.account is not None:
        where("r.account_id = ?", asked.account)
    if asked.model:
        where("r.model = ?", asked.model)
    if asked.key:
        where("r.key_id = ?", asked.key)
    if asked.outcome == FAILED:
        # The first is what the index says.
        where("r.outcome <> 'ok'")
        where("r.outcome <> ?", CALLER_GONE)
    elif asked.outcome == OK:
        where("r.outcome = ?", OK)
    elif asked.outcome:
        where("r.outcome <> 'ok'")
        where("r.outcome = ?", asked.outcome)
    if asked.charged is not None:
        where(f"{_CHARGE} {'>' if asked.charged else '<='} 0")
    _within(asked, where)
    if asked.search:
        _search(asked.search, where)
    return wheres or ["1 = 1"], values


def _within(asked: Filter, where: _Where) -> None:
    """Days, and for the index the ids that requests of those days can have: a clock may be a day wrong."""
    if asked.first is not None:
        began = _second(asked.first)
        where("r.at_us >= ?", began * 1_000_000)
        where("r.request_id >= ?", from_time("req_", max(0, began - _DAY_S)))
    if asked.last is not None and asked.last.year < END_OF_IDS:
        ended = _second(asked.last + timedelta(days=1))
        where("r.at_us < ?", ended * 1_000_000)
        where("r.request_id < ?", from_time("req_", ended + _DAY_S))


def _search(text: str, where: _Where) -> None:
    if len(text) > MAX_TEXT or "\0" in text:
        raise InvalidRequest("A request's id, how a key begins, a model or an error code.", param="q")
    if text.startswith("req_"):
        where("r.request_id = ?", text)
    elif text.startswith("key_"):
        where("r.key_id = ?", text)
    elif text.startswith("sk-"):
        where("k.prefix = ?", text)
    else:
        where("(r.outcome = ? OR r.model = ?)", text, text)


def _second(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _read(request_id: str, account: str, body: str) -> Receipt:
    """Of one that cannot be read there is nothing to tell but what its columns say."""
    try:
        return decode(body)
    except ValueError:
        return Receipt(request_id=request_id, account=account)


def outcomes(db: Db, account: str) -> Sequence[str]:
    """The words that this account's calls ended with, beside `ok`."""
    sql = "SELECT DISTINCT outcome FROM receipts WHERE account_id = ? AND outcome <> 'ok' ORDER BY outcome"
    return [row[0] for row in db.rows(sql, account)]


class Choices(msgspec.Struct, frozen=True):
    """What there is to filter by."""

    models: Sequence[str]
    keys: Sequence[tuple[str, str]]
    """(id, name or how it begins)."""
    outcomes: Sequence[str]


def choices(db: Db, account: str) -> Choices:
    """Of an account's calls: models and keys (of very many the newest), and how calls ended beside well."""
    models = "SELECT DISTINCT model FROM usage_days WHERE account_id = ? AND model <> '' ORDER BY model"
    keys = "SELECT id, name, prefix FROM keys WHERE account_id = ? ORDER BY created_us DESC, id DESC LIMIT 500"
    return Choices(
        [row[0] for row in db.rows(models, account)],
        [(key, name or f"{prefix}…") for key, name, prefix in db.rows(keys, account)],
        outcomes(db, account),
    )

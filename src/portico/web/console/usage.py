"""Usage: one line for each call, filtered by what stands in the address, summed up over all of the filter; as CSV and JSON
too, with the same columns and the same sums."""

import logging
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec

from portico.accounts import calls
from portico.accounts.calls import Call, Filter, Sums
from portico.accounts.statement import dollars
from portico.core.digits import whole
from portico.core.errors import InvalidRequest, PorticoError
from portico.core.storage import Db
from portico.ledger.windows import day_of
from portico.web import money
from portico.web.console import asking
from portico.web.inside.asked import Asked, Led, Needs, Reply, Sent, Shown
from portico.web.inside.room import room
from portico.web.slip import OUTCOMES, SHORT, width
from portico.wire import csvtext

log = logging.getLogger("portico.web")

PAGE: Final = 50
PIECE: Final = 500
"""Rows of a file that are read at a time."""
HERE: Final = "/console/usage"
COLUMNS: Final = (
    "time",
    "request_id",
    "model",
    "key",
    "key_name",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "thinking_tokens",
    "charge_usd",
    "charge_nanos",
    "outcome",
    "notes",
)


class Found(msgspec.Struct, frozen=True):
    filtered: Filter
    rows: Sequence[Call]
    sums: Sums | None
    choices: calls.Choices
    more: bool
    """There are others behind these, in the direction that was gone."""


def filter_now(asked: Asked, db: Db) -> Filter:
    """Raises `InvalidRequest`."""
    today = day_of(db.now_us)
    kept = asked.backstage.showroom.keeping.receipts_days
    return asking.filter_of(asked, today, today - timedelta(days=kept))


async def look(asked: Asked) -> Reply:
    said = asked.first("q").strip()
    if (plain := asking.searched(said)) != said:  # no key stays in the address
        return Led(to=asking.address(HERE, Filter(search=plain)))
    found = await asked.backstage.reading.read(lambda db: _find(asked, db, PAGE))
    before, after = asked.first("before"), asked.first("after")
    ends = (found.rows[0].request_id, found.rows[-1].request_id) if found.rows else ("", "")
    newer = bool(found.rows) and (found.more if after else bool(before))
    older = bool(found.rows) and (found.more if not after else True)
    filtered = found.filtered
    return Shown(
        template="console/usage",
        title="Usage",
        data={
            "found": found,
            "filtered": filtered,
            "newer": asking.address(HERE, filtered, after=ends[0]) if newer else "",
            "older": asking.address(HERE, filtered, before=ends[1]) if older else "",
            "as_csv": asking.address(f"{HERE}.csv", filtered),
            "as_json": asking.address(f"{HERE}.json", filtered),
            "notes_of": notes_of,
            "OUTCOMES": OUTCOMES,
            "digits": digits,
            "most": calls.LARGEST_SUM,
            "is_narrow": not filtered.is_plain or bool(filtered.model or filtered.key),
        },
    )


def _find(asked: Asked, db: Db, limit: int) -> Found:
    filtered = filter_now(asked, db)
    before, after = asked.first("before"), asked.first("after")
    rows = calls.page(db, filtered, before=before, after=after, limit=limit + 1)
    more = len(rows) > limit
    shown = rows[-limit:] if after else rows[:limit]
    return Found(filtered, shown, calls.sums(db, filtered), calls.choices(db, asked.account_id), more)


def notes_of(call: Call) -> list[str]:
    """What there is to say of a charge, in English."""
    return [SHORT.get(flag, flag) for flag in call.flags]


def digits(sums: Sequence[int], rows: Sequence[Call]) -> int:
    """Behind the point of the longest of these amounts."""
    return width(money.usd(one) for one in (*sums, *(row.charge_nanos for row in rows)))


# -- as a file ---------------------------------------------------------------------------------------------------------


async def csv(asked: Asked) -> Reply:
    filtered = await asked.backstage.reading.read(lambda db: filter_now(asked, db))
    name = f"usage-{'-'.join(_words(filtered))}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Sent(body=_lines(asked, filtered), media_type="text/csv; charset=utf-8", headers=headers)


def _words(filtered: Filter) -> list[str]:
    """A filter as words of a file's name: letters, digits and dots only."""
    said = [
        filtered.first.isoformat() if filtered.first else "",
        filtered.last.isoformat() if filtered.last else "",
        filtered.model,
        filtered.key,
        filtered.outcome,
        "" if filtered.charged is None else "charged" if filtered.charged else "free",
        filtered.search,
    ]
    told = [
        "".join([char if char.isascii() and (char.isalnum() or char in "-.") else "_" for char in one]) for one in said
    ]
    return [one[:60] for one in told if one]


async def _lines(asked: Asked, filtered: Filter) -> AsyncIterator[bytes]:
    """The file, piece by piece. What goes wrong on the way is its last line: the status was sent long ago."""
    yield (csvtext.BOM + csvtext.rows([COLUMNS])).encode()
    before = ""
    try:
        while True:
            at = before
            rows = await asked.backstage.reading.read(lambda db: calls.page(db, filtered, before=at, limit=PIECE))  # noqa: B023
            if rows:
                yield csvtext.rows([_cells(row) for row in rows]).encode()
            if len(rows) < PIECE:
                return
            before = rows[-1].request_id
    except PorticoError as error:
        log.warning("a list of calls broke off: %s", error.message)
        yield csvtext.rows([["error", f"The list breaks off here: {error.message}"]]).encode()


def _cells(call: Call) -> list[object]:
    tokens = [one if one is not None else "" for one in msgspec.structs.astuple(call.tokens)]
    return [
        call.at.isoformat(),
        call.request_id,
        call.model,
        call.key_id,
        call.key_name,
        *tokens,
        dollars(call.charge_nanos),
        call.charge_nanos,
        call.outcome,
        " ".join(call.flags),
    ]


# -- as JSON -----------------------------------------------------------------------------------------------------------


async def json(asked: Asked) -> Reply:
    limit = whole(asked.first("limit") or str(PAGE)) or 0
    if not 0 < limit <= PIECE:
        raise InvalidRequest(f"limit: 1 to {PIECE}.", param="limit")
    found = await asked.backstage.reading.read(lambda db: _find(asked, db, limit))
    filtered = found.filtered
    told = {
        "object": "calls",
        "from": filtered.first,
        "to": filtered.last,
        "zone": "UTC",
        "currency": "USD",
        "data": [_told(row) for row in found.rows],
        "total": None if found.sums is None else _total(found.sums),
        "next": found.rows[-1].request_id if found.more and not asked.first("after") else None,
    }
    return Sent(body=msgspec.json.encode(told), media_type="application/json")


def _told(call: Call) -> dict[str, Any]:
    tokens = call.tokens
    return {
        "time": call.at,
        "request_id": call.request_id,
        "model": call.model,
        "key": call.key_id,
        "key_name": call.key_name,
        "input_tokens": tokens.input,
        "cached_tokens": tokens.cached,
        "output_tokens": tokens.output,
        "thinking_tokens": tokens.reasoning,
        "charge_usd": dollars(call.charge_nanos),
        "charge_nanos": call.charge_nanos,
        "outcome": call.outcome,
        "notes": list(call.flags),
    }


def _total(sums: Sums) -> dict[str, Any]:
    told = msgspec.to_builtins(sums)
    told["thinking_tokens"] = told.pop("reasoning_tokens")
    return {**told, "charge_usd": dollars(sums.charge_nanos)}


ROOMS: Final = (
    room(HERE, look, needs=Needs.VIEWER),
    room(f"{HERE}.csv", csv, needs=Needs.VIEWER),
    room(f"{HERE}.json", json, needs=Needs.VIEWER),
)

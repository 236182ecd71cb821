"""Prices: what is served without one, the book as it stands, markups, and the drafts that wait."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from portico.accounts.rows import accounts_of
from portico.admin.desk import LARGEST_PAGE
from portico.core.errors import ModelNotFound
from portico.web.admin.forms import Act, acted, back, page
from portico.web.admin.state import unpriced
from portico.web.inside.asked import Asked, Led, Reply, Shown

PLAIN: Final = ("input", "cached", "output")


async def prices(asked: Asked) -> Shown:
    model, book = asked.first("model").strip(), asked.first("book")
    rows, unknown = await _rows(asked, model, book)
    markups = (await asked.do("markup list", every=True)).data
    accounts = {rule.account for rule in markups if rule.account}
    known = await asked.backstage.reading.read(lambda db: accounts_of(db, accounts))
    names = {account_id: account.name for account_id, account in known.items()}
    return page(
        asked,
        "prices",
        "Prices",
        found=rows if model else (),
        lines=() if model else _lines(rows),
        unknown=unknown,
        model=model,
        book=book,
        markups=markups,
        account_names=names,
        drafts=(await asked.do("prices draft list")).data,
        unpriced=unpriced(asked.backstage.showroom),
        today=asked.backstage.showroom.now().date(),
    )


async def _rows(asked: Asked, model: str, book: str) -> tuple[list[Any], bool]:
    """Every price in force, of one model or of all; and whether there is no such model."""
    fields = {"book": book if book in ("sale", "cost") else None, "model": model or None}
    found: list[Any] = []
    after: str | None = ""
    try:
        while after is not None:
            listed = await asked.do("prices list", limit=LARGEST_PAGE, after=after, **fields)
            found, after = [*found, *listed.data], listed.next
    except ModelNotFound:
        return [], True
    return found, False


class Line(msgspec.Struct):
    """What a model costs in one book, on one line: its plain prices of tokens, and how many more there are."""

    model: str
    book: str
    provider: str
    free: bool = False
    plain: dict[str, str] = {}
    """Dollars by `input`, `cached`, `output`."""
    more: int = 0
    origin: str = ""


def _lines(rows: Sequence[Any]) -> list[Line]:
    found: dict[tuple[str, str, str], Line] = {}
    for row in rows:
        line = found.setdefault((row.model, row.book, row.provider), Line(row.model, row.book, row.provider))
        word = "cached" if row.cached else row.kind
        if row.kind == "free":
            line.free = True
        elif word in PLAIN and word not in line.plain and not row.above_tokens and row.modality in ("any", "text"):
            line.plain[word], line.origin = row.usd, row.origin
        else:
            line.more += 1
        line.origin = line.origin or row.origin
    return list(found.values())


async def act_on_prices(asked: Asked) -> Reply:
    return await acted(asked, _ACTS, prices)


async def _markup(asked: Asked) -> Led:
    await asked.do(
        "markup set",
        factor=asked.said("factor"),
        account=asked.said("account") or None,
        model=asked.said("markup_model") or None,
        effective_from=asked.said("effective_from") or None,
    )
    return back(asked, "saved")


_ACTS: Final[dict[str, Act]] = {"markup": _markup}

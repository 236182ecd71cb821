"""Commands on prices: what callers pay (sale) and what providers ask (cost).

Until something is published, the prices are those of the catalog. A price changes by a new row with the day it begins;
no row is ever changed or removed, so that every receipt can be explained by the rows it names.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Annotated, Final, Literal

import msgspec

from portico.accounts.rows import raise_revision
from portico.admin import dollars
from portico.admin.desk import Args, Desk, Page, Paging, says
from portico.admin.drafts import FORMATS, FREE, Cell, Line, cells_of, draft_text, read_lines
from portico.catalog import Model, PriceKind, PriceRow, rate_of
from portico.catalog.price import PriceList, Tier
from portico.core.errors import InvalidRequest, ModelNotFound
from portico.core.storage import Db

Book = Literal["sale", "cost"]
PUBLISHED, CATALOG = "published", "catalog"
_ORIGIN: Final = Annotated[str, says("`published`, or `catalog`: what the providers publish, shipped with Portico.")]


class PriceView(msgspec.Struct, frozen=True, kw_only=True):
    """One price."""

    model: str
    book: str
    provider: str
    kind: Annotated[str, says("`input`, `output`, `use`, or `free`.")]
    cached: bool
    modality: str
    above_tokens: int
    tier: str
    item: str
    unit: str
    backend: str
    usd: Annotated[str, says("Dollars for one unit; `mtok` is a million tokens.")]
    effective_from: date
    origin: _ORIGIN
    source: str


class PriceChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a line of a draft does."""

    model: str
    book: str
    provider: str
    what: Annotated[str, says("Which price: `input`, `cached audio`, `web_search`, `free`.")]
    unit: str
    old_usd: str | None
    new_usd: str
    change: Annotated[str, says("In percent; `new` where there was none.")]
    old_origin: str
    effective_from: date


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    """What publishing a draft would do. Nothing was changed."""

    changes: list[PriceChange]
    unchanged: int


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """What was published."""

    changes: list[PriceChange]
    unchanged: Annotated[int, says("Rows that say what is published already: they were left out.")]


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A draft that was checked, as a file and line by line."""

    lines: list[Line]
    toml: str


class ListPrices(Paging, frozen=True, kw_only=True):
    model: Annotated[str, says("Only of this model, by any name it is known by.", max_length=200)] | None = None
    book: Annotated[Book, says("`sale`: what callers pay. `cost`: what providers ask.")] | None = None
    every: Annotated[bool, says("Every row that was ever published, and those that have not begun.")] = False


class Prices(Args, frozen=True, kw_only=True):
    prices: Annotated[list[Line], says("The lines of a draft.", min_length=1)]


class ImportPrices(Args, frozen=True, kw_only=True):
    text: Annotated[str, says("The file's text.", min_length=1)]
    format: Annotated[Literal[FORMATS], says("What it is written in.")]  # type: ignore[valid-type]


def list_(desk: Desk, args: ListPrices) -> Page[PriceView]:
    """Lists the prices in force today, by model."""
    names = None if args.model is None else _names(desk, args.model)
    views = [
        view
        for view in _all(desk, every=args.every)
        if args.book in (None, view.book) and (names is None or view.model in names)
    ]
    views.sort(key=lambda view: (view.model, view.book != "sale", view.provider))
    start = _place(args.after)
    kept = views[start : start + args.limit]
    end = start + len(kept)
    return Page(data=kept, next=str(end) if end < len(views) else None)


def _names(desk: Desk, asked: str) -> set[str]:
    """A model by its name here, and by the name a provider's own price stands under. Raises `ModelNotFound`."""
    stored = desk.db.rows("SELECT 1 FROM prices WHERE model = ? LIMIT 1", asked)
    return {asked} if stored else {asked, desk.house.catalog.resolve(asked).name}


def diff(desk: Desk, args: Prices) -> Diff:
    """Shows what publishing a draft would change: old, new, percent."""
    changes, unchanged = _compared(desk, args.prices)
    return Diff(changes=[change for _, change in changes], unchanged=unchanged)


def publish(desk: Desk, args: Prices) -> Published:
    """Publishes a draft. Rows are added, never changed; each holds from its day on."""
    raise_revision(desk.db, "prices")
    changes, unchanged = _compared(desk, args.prices)
    sql = (
        "INSERT INTO prices (book, provider, model, row, effective_from, published_us) VALUES (?, ?, ?, ?, ?, ?)"
    )
    for cell, _ in changes:
        text = FREE if cell.row is None else msgspec.json.encode(cell.row).decode()
        day = cell.effective_from.isoformat()
        desk.db.run(sql, cell.book, cell.provider, cell.model, text, day, desk.db.now_us)
    return Published(changes=[change for _, change in changes], unchanged=unchanged)


def import_(desk: Desk, args: ImportPrices) -> Draft:
    """Reads prices in TOML, CSV or JSON, checks them, and gives them back as a draft. Publishes nothing."""
    lines = read_lines(args.text, args.format)
    _checked(desk, lines)
    return Draft(lines=lines, toml=draft_text(lines))


# -- what there is -----------------------------------------------------------------------------------------------------


class _Row(msgspec.Struct, frozen=True):
    """A row of the `prices` table."""

    number: int
    book: str
    provider: str
    model: str
    row: PriceRow | None
    effective_from: date


def _stored(db: Db) -> Iterator[_Row]:
    sql = "SELECT id, book, provider, model, row, effective_from FROM prices ORDER BY effective_from, id"
    for number, book, provider, model, text, begins in db.rows(sql):
        row = None if text == FREE else msgspec.json.decode(text, type=PriceRow)
        yield _Row(number, book, provider, model, row, date.fromisoformat(begins))


Place = tuple[str, str, str]
"""Book, provider, model."""


def _by_place(rows: Iterable[_Row]) -> dict[Place, list[_Row]]:
    """Later ones behind earlier ones."""
    found: dict[Place, list[_Row]] = {}
    for row in rows:
        found.setdefault((row.book, row.provider, row.model), []).append(row)
    return found


def _in_force(rows: Iterable[_Row], on: date) -> PriceList | None:
    """What was published for a place and has begun: since the last time it was made free, if it was. None: nothing."""
    begun = [row for row in rows if row.effective_from <= on]
    if not begun:
        return None
    last_free = max((index for index, row in enumerate(begun) if row.row is None), default=-1)
    kept = tuple(row.row for row in begun[last_free + 1 :] if row.row is not None)
    return PriceList(kept, free=not kept)


def _all(desk: Desk, *, every: bool) -> Iterator[PriceView]:
    places = _by_place(_stored(desk.db))
    for (book, provider, model), rows in places.items():
        if every:
            for row in rows:
                yield _view(book, provider, model, row.row, row.effective_from, PUBLISHED)
            continue
        listed = _in_force(rows, desk.today)
        if listed is None:
            continue
        if listed.free:
            began = max(row.effective_from for row in rows if row.effective_from <= desk.today)
            yield _view(book, provider, model, None, began, PUBLISHED)
        for tier in Tier:
            for price in listed.in_force(desk.today, tier=tier):
                yield _view(book, provider, model, price, price.effective_from, PUBLISHED)
    sold = {model for book, _, model in places if book == "sale"}
    for entry in desk.house.catalog.models.values():
        if entry.name not in sold and not (entry.is_gone(desk.today) and entry.successor is None):
            yield from _of_catalog(entry, desk.today)


def _of_catalog(model: Model, today: date) -> Iterator[PriceView]:
    if model.prices.free:
        yield _view("sale", "", model.name, None, model.as_of, CATALOG)
    for row in model.prices.in_force(today):
        yield _view("sale", "", model.name, row, row.effective_from, CATALOG)


def _view(book: str, provider: str, model: str, row: PriceRow | None, begins: date, origin: str) -> PriceView:
    return PriceView(
        model=model,
        book=book,
        provider=provider,
        kind=FREE if row is None else str(row.kind),
        cached=row is not None and row.cached,
        modality="any" if row is None else row.modality,
        above_tokens=0 if row is None else row.above_tokens,
        tier="standard" if row is None else str(row.tier),
        item="" if row is None else row.item,
        unit="mtok" if row is None else str(row.unit),
        backend="" if row is None else row.backend,
        usd=dollars.usd(0 if row is None else row.rate_nanos),
        effective_from=begins,
        origin=origin,
        source="" if row is None else row.source,
    )


# -- what would change -------------------------------------------------------------------------------------------------


def _compared(desk: Desk, lines: list[Line]) -> tuple[list[tuple[Cell, PriceChange]], int]:
    """The cells of a draft that say something new, each with what it changes, and how many do not."""
    cells, places = _checked(desk, lines), _by_place(_stored(desk.db))
    changes, unchanged = [], 0
    for cell in cells:
        published = _in_force(places.get((cell.book, cell.provider, cell.model), ()), cell.effective_from)
        if published is not None and _says_the_same(published, cell):
            unchanged += 1
        else:
            changes.append((cell, _change(desk, cell, published)))
    return changes, unchanged


def _checked(desk: Desk, lines: list[Line]) -> list[Cell]:
    """Raises `InvalidRequest` for what would never be anybody's price: an unknown model or provider, or a line too many."""
    catalog, providers = desk.house.catalog, desk.house.providers
    for index, line in enumerate(lines):
        if line.provider and line.provider not in providers:
            known = ", ".join(providers) or "none"
            message = f"There is no provider {line.provider!r} (configured: {known})."
            raise InvalidRequest(message, param=f"prices[{index}].provider")
        if not line.provider and line.model not in catalog.models:
            raise InvalidRequest(_no_model(desk, line.model), param=f"prices[{index}].model")
    cells = cells_of(lines, desk.today)
    seen: set[tuple[object, ...]] = set()
    for cell in cells:
        key = (cell.book, cell.provider, cell.model, cell.effective_from, None if cell.row is None else _cell_key(cell.row))
        if key in seen:
            message = f"{cell.model}: two prices for the same thing from the same day on ({_what(cell.row)})."
            raise InvalidRequest(message, param="prices")
        seen.add(key)
    return cells


def _no_model(desk: Desk, name: str) -> str:
    try:
        resolved = desk.house.catalog.resolve(name)
    except ModelNotFound as error:
        return error.message
    return f"A price stands under the model's own name: {resolved.name!r}, not {name!r}."


def _says_the_same(published: PriceList, cell: Cell) -> bool:
    if cell.row is None:
        return published.free
    held = _held(published, cell)
    return held is not None and held.rate_nanos == cell.row.rate_nanos and held.unit is cell.row.unit


def _held(listed: PriceList, cell: Cell) -> PriceRow | None:
    """The row for exactly the same thing."""
    assert cell.row is not None
    rows = [
        row for row in listed.rows if _cell_key(row) == _cell_key(cell.row) and row.effective_from <= cell.effective_from
    ]
    return rows[-1] if rows else None


def _cell_key(row: PriceRow) -> tuple[object, ...]:
    return (row.kind, row.modality, row.cached, row.above_tokens, row.item, row.tier, row.backend)


def _change(desk: Desk, cell: Cell, published: PriceList | None) -> PriceChange:
    listed, origin = published, PUBLISHED
    if listed is None:
        known = desk.house.catalog.models.get(cell.model)
        listed, origin = (PriceList() if known is None else known.prices), CATALOG
    old = _old_nanos(listed, cell)
    new = 0 if cell.row is None else cell.row.rate_nanos
    return PriceChange(
        model=cell.model,
        book=cell.book,
        provider=cell.provider,
        what=_what(cell.row),
        unit="mtok" if cell.row is None else str(cell.row.unit),
        old_usd=None if old is None else dollars.usd(old),
        new_usd=dollars.usd(new),
        change="new" if old is None else dollars.percent(old, new),
        old_origin="" if old is None else origin,
        effective_from=cell.effective_from,
    )


def _old_nanos(listed: PriceList, cell: Cell) -> int | None:
    """What was asked for the same until then: by a row of its own, else by the one for any modality."""
    if cell.row is None:
        return None
    if listed.free:
        return 0
    row, wanted = None, cell.row
    in_force = listed.in_force(cell.effective_from, backend=wanted.backend, tier=wanted.tier)
    exact = [found for found in in_force if _cell_key(found)[:5] == _cell_key(wanted)[:5]]
    if exact:
        row = exact[0]
    elif wanted.kind is not PriceKind.USE:
        row = rate_of(
            in_force, wanted.kind, wanted.modality, cached=wanted.cached, prompt_tokens=wanted.above_tokens + 1
        )
    return None if row is None else row.rate_nanos


def _what(row: PriceRow | None) -> str:
    """Which price a row is, in words."""
    if row is None:
        return FREE
    words = [row.item or ("cached" if row.cached else str(row.kind))]
    if row.modality != "any":
        words.append(row.modality)
    if row.above_tokens:
        words.append(f"above {row.above_tokens:,}")
    if row.tier is not Tier.STANDARD:
        words.append(str(row.tier))
    if row.backend:
        words.append(f"at {row.backend}")
    return " ".join(words)


def _place(after: str) -> int:
    if not after:
        return 0
    if not (after.isascii() and after.isdigit() and len(after) < 12):
        raise InvalidRequest("after: the `next` of the page before.", param="after")
    return int(after)

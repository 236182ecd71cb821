"""Commands on prices: what callers pay (sale) and what providers ask (cost).

Until something is published, the prices are those of the catalog. A price changes by a new row with the day it begins;
no row is ever changed or removed, so that every receipt can be explained by the rows it names.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import cached_property
from typing import Annotated, Literal, TypeAlias

import msgspec

from portico.admin import dollars
from portico.admin.desk import Args, Desk, Page, Paging, place_of, says
from portico.admin.drafts import FORMATS, FREE, Cell, Line, cells_of, draft_text, in_csv, read_lines
from portico.catalog import Model, OperatorModel, PriceKind, PriceRow, Tier, load_catalog, rate_of
from portico.catalog.books import COST, SALE, PriceBooks, Published, Rates, published
from portico.core.errors import InvalidRequest, ModelNotFound
from portico.core.storage import raise_revision

Book = Literal["sale", "cost"]
PUBLISHED, CATALOG, COSTS = "published", "catalog", "cost"
Origin: TypeAlias = Annotated[
    str,
    says("`published` here; `catalog`: as shipped with Portico; `cost`: a sale price that is what the provider asks."),
]


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
    origin: Origin
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


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """What was published."""

    changes: list[PriceChange]
    unchanged: Annotated[int, says("Rows that say what holds already on the day they begin.")]


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
    text: Annotated[str, says("The file's text.")]
    format: Annotated[Literal[FORMATS], says("What it is written in.")]  # type: ignore[valid-type]


def list_(desk: Desk, args: ListPrices) -> Page[PriceView]:
    """Lists the prices in force today, by model. Service tiers are listed of one model at a time."""
    names = None if args.model is None else _names(desk, args.model)
    shelf = _Shelf(desk)
    found = shelf.every() if args.every else shelf.in_force(tiers=tuple(Tier) if names else (Tier.STANDARD,))
    views = [view for view in found if args.book in (None, view.book) and (names is None or view.model in names)]
    views.sort(key=lambda view: (view.model, view.book != SALE, view.provider))
    start = place_of(args.after)
    end = start + args.limit
    if end < len(views):  # what is shown of a model is all of it, unless that is more than a page
        begins = next(number for number, view in enumerate(views) if view.model == views[end].model)
        end = begins if begins > start else end
    return Page(data=views[start:end], next=str(end) if end < len(views) else None)


def _names(desk: Desk, asked: str) -> set[str]:
    """A model by its name here, and by the name a provider's own price stands under. Raises `ModelNotFound`."""
    stored = desk.db.rows("SELECT 1 FROM prices WHERE model = ? LIMIT 1", asked)
    return {asked} if stored else {asked, desk.house.catalog.resolve(asked).name}


def diff(desk: Desk, args: Prices) -> Diff:
    """Shows what publishing a draft would change: old, new, percent. Where a model becomes free, or is not any more, all
    that changes beside the draft's own prices, too."""
    changes, unchanged = _compared(desk, args.prices)
    beside = _beside(desk, [cell for cell, _ in changes])
    return Diff(changes=[*(change for _, change in changes), *beside], unchanged=len(unchanged))


def publish(desk: Desk, args: Prices) -> Publication:
    """Publishes a draft. Rows are added, never changed; each holds from its day on."""
    raise_revision(desk.db, "prices")
    changes, unchanged = _compared(desk, args.prices)
    sql = "INSERT INTO prices (book, provider, model, row, effective_from, published_us) VALUES (?, ?, ?, ?, ?, ?)"
    for cell in [*(cell for cell, _ in changes), *(cell for cell, is_kept in unchanged if is_kept)]:
        text = FREE if cell.row is None else msgspec.json.encode(cell.row).decode()
        day = cell.effective_from.isoformat()
        desk.db.run(sql, cell.book, cell.provider, cell.model, text, day, desk.db.now_us)
    return Publication(changes=[change for _, change in changes], unchanged=len(unchanged))


def import_(desk: Desk, args: ImportPrices) -> Draft:
    """Reads prices in TOML, CSV or JSON, checks them, and gives them back as a draft. Publishes nothing."""
    lines = read_lines(args.text, args.format)
    try:
        check_lines(desk, lines)
    except InvalidRequest as error:
        raise in_csv(error, args.text) if args.format == "csv" else error from None
    return Draft(lines=lines, toml=draft_text(lines))


# -- what there is -----------------------------------------------------------------------------------------------------


class _Shelf:
    """Both books as they are kept now: the catalog's prices, and what was published over them."""

    def __init__(self, desk: Desk, draft: Iterable[Cell] = ()) -> None:
        """`draft`: what is looked at as if it were published."""
        self._desk = desk
        rows = desk.db.rows("SELECT book, provider, model, row, effective_from FROM prices ORDER BY id")
        self.published: list[Published] = [published(*row) for row in rows]
        self.published += [Published(one.book, one.model, one.row, one.effective_from, one.provider) for one in draft]
        self._books = PriceBooks(load_catalog(), self.published)

    @cached_property
    def _by_place(self) -> dict[tuple[str, str, str], list[Published]]:
        found: dict[tuple[str, str, str], list[Published]] = {}
        for row in self.published:
            found.setdefault((row.book, row.provider, row.model), []).append(row)
        return found

    def rates(self, provider: str, model: str, on: date, *, tier: Tier = Tier.STANDARD, backend: str = "") -> Rates:
        """What a call of this model is charged by at that provider; without one, at the one that is asked first."""
        entry = self._model(provider, model)
        upstream = entry.targets[0].upstream_model if entry.targets else entry.name
        at = provider or (entry.targets[0].provider if entry.targets else next(iter(self._desk.house.providers), ""))
        kind = backend or self._desk.house.providers.get(at, "gemini")
        return self._books.rates(
            model=entry, provider=at, provider_kind=kind, upstream_model=upstream, account="", on=on, tier=tier
        )

    def _model(self, provider: str, model: str) -> Model:
        catalog = self._desk.house.catalog
        if provider:  # a provider's price stands under the name that the model has there
            return catalog.with_models([OperatorModel("upstream", f"{provider}/{model}")]).models["upstream"]
        return catalog.models[model]

    def origin(self, book: str, provider: str, model: str, row: PriceRow) -> str:
        if self.is_published(book, provider, model, row):
            return PUBLISHED
        if book == SALE and any(row == other.price for other in self.published if other.book == COST):
            return COSTS
        return CATALOG

    def is_published(self, book: str, provider: str, model: str, row: PriceRow) -> bool:
        return any(row == other.price for other in self._by_place.get((book, provider, model), ()))

    def every(self) -> Iterator[PriceView]:
        """Every row that was published, in that order."""
        for row in self.published:
            yield _view(row.book, row.provider, row.model, row.price, row.effective_from, PUBLISHED)

    def in_force(self, *, tiers: tuple[Tier, ...]) -> Iterator[PriceView]:
        today = self._desk.today
        for entry in self._desk.house.catalog.models.values():
            if not (entry.is_gone(today) and entry.successor is None):
                yield from self._page(SALE, "", entry.name, tiers)
        for book, provider, model in self._by_place:
            if book == COST:
                yield from self._page(COST, provider, model, tiers)

    def _page(self, book: str, provider: str, model: str, tiers: tuple[Tier, ...]) -> Iterator[PriceView]:
        """What is in force today of one model in one book."""
        today = self._desk.today
        rates = self.rates(provider, model, today)
        if rates.free if book == SALE else rates.cost_free:
            begun = [row.effective_from for row in self._by_place.get((book, provider, model), ()) if row.price is None]
            since = max((day for day in begun if day <= today), default=None)
            yield _view(book, provider, model, None, since or date.min, CATALOG if since is None else PUBLISHED)
            return
        for tier in tiers:
            rates = self.rates(provider, model, today, tier=tier)
            for row in rates.sale if book == SALE else rates.cost:
                if row.tier is tier:
                    yield _view(book, provider, model, row, row.effective_from, self.origin(book, provider, model, row))


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


def _compared(desk: Desk, lines: list[Line]) -> tuple[list[tuple[Cell, PriceChange]], list[tuple[Cell, bool]]]:
    """The cells of a draft that say something new, each with what it changes; and those that do not, each with whether it
    is kept all the same, because it begins later: what holds until then may still be published anew. What the draft says
    of earlier days is published by then."""
    cells = check_lines(desk, lines)
    shelves = {
        day: _Shelf(desk, [cell for cell in cells if cell.effective_from < day])
        for day in {cell.effective_from for cell in cells}
    }
    changes, unchanged = [], []
    for cell in cells:
        held = _held(shelves[cell.effective_from], cell)
        if held is None or held.origin != PUBLISHED or not held.is_exact or held.nanos != _nanos(cell):
            changes.append((cell, _change(cell, held)))
        else:
            unchanged.append((cell, cell.effective_from not in (desk.today, held.begins)))
    return changes, unchanged


def check_lines(desk: Desk, lines: list[Line]) -> list[Cell]:
    """The single prices of a draft. Raises `InvalidRequest` for what would never be anybody's price: an unknown model or
    provider, or a line too many."""
    catalog, providers = desk.house.catalog, desk.house.providers
    for index, line in enumerate(lines):
        if line.provider and line.provider not in providers:
            known = ", ".join(providers) or "none"
            message = f"There is no provider {line.provider!r} (known: {known})."
            raise InvalidRequest(message, param=f"prices[{index}].provider")
        if not line.provider and line.model not in catalog.models:
            raise InvalidRequest(_no_model(desk, line.model), param=f"prices[{index}].model")
    cells = cells_of(lines, desk.today)
    seen: set[tuple[object, ...]] = set()
    for cell in cells:
        key = (
            cell.book,
            cell.provider,
            cell.model,
            cell.effective_from,
            None if cell.row is None else _cell_key(cell.row),
        )
        if key in seen:
            message = f"{cell.model}: two prices for the same thing from the same day on ({_what(cell.row)})."
            raise InvalidRequest(message, param="prices")
        seen.add(key)
    for *place, row in seen:
        if row is not None and (*place, None) in seen:
            message = f"{place[2]}: free and a price of it from the same day on. A model is free or has prices."
            raise InvalidRequest(message, param="prices")
    return cells


def _no_model(desk: Desk, name: str) -> str:
    try:
        resolved = desk.house.catalog.resolve(name)
    except ModelNotFound as error:
        return f"{error.message} Which there are: portico models."
    return f"A price stands under the model's own name: {resolved.name!r}, not {name!r}."


class _Held(msgspec.Struct, frozen=True):
    """What is asked for the same thing until now. Not `is_exact`: by a row for more than that, such as any modality."""

    nanos: int
    origin: str
    is_exact: bool
    begins: date | None = None


def _held(shelf: _Shelf, cell: Cell) -> _Held | None:
    """Of the day on which the cell begins. None: there is no price."""
    tier, backend = (Tier.STANDARD, "") if cell.row is None else (cell.row.tier, cell.row.backend)
    rates = shelf.rates(cell.provider, cell.model, cell.effective_from, tier=tier, backend=backend)
    free = rates.free if cell.book == SALE else rates.cost_free
    if free:
        begun = [
            row.effective_from
            for row in shelf.published
            if (row.book, row.provider, row.model, row.price) == (cell.book, cell.provider, cell.model, None)
        ]
        since = max([day for day in begun if day <= cell.effective_from], default=None)
        return _Held(0, CATALOG if since is None else PUBLISHED, cell.row is None, since)
    if cell.row is None:
        return None
    rows, wanted = (rates.sale if cell.book == SALE else rates.cost), cell.row
    found = next((row for row in rows if _cell_key(row)[:5] == _cell_key(wanted)[:5]), None)
    row = found
    if row is None and wanted.kind is not PriceKind.USE:
        row = rate_of(rows, wanted.kind, wanted.modality, cached=wanted.cached, prompt_tokens=wanted.above_tokens + 1)
    if row is None:
        return None
    origin = shelf.origin(cell.book, cell.provider, cell.model, row)
    is_exact = found is not None and _cell_key(row) == _cell_key(wanted) and row.unit is wanted.unit
    return _Held(row.rate_nanos, origin, is_exact, row.effective_from)


_Place: TypeAlias = tuple[str, str, str]
"""Of a price: its book, provider and model."""


def _beside(desk: Desk, cells: list[Cell]) -> Iterator[PriceChange]:
    """What changes though the draft does not say it: where a model becomes free all that is asked for it ends, and its
    first price after that brings back whatever else is listed."""
    now, then = _Shelf(desk), _Shelf(desk, cells)
    places: dict[_Place, dict[date, set[tuple[object, ...]]]] = {}
    for cell in sorted(cells, key=lambda cell: cell.effective_from):
        said = places.setdefault((cell.book, cell.provider, cell.model), {}).setdefault(cell.effective_from, set())
        if cell.row is not None:
            said.add(_cell_key(cell.row))
    for place, days in places.items():
        before = _asked(now, place, min(days))
        for day, said in days.items():
            after = _asked(then, place, day)
            if before is None:
                for row in after or ():
                    if _cell_key(row) not in said:
                        yield _change(Cell(*place, day, row), _Held(0, PUBLISHED, is_exact=False))
            elif after is None:
                for row in before:
                    held = _Held(row.rate_nanos, now.origin(*place, row), is_exact=True)
                    if held.nanos:
                        yield _change(Cell(*place, day, msgspec.structs.replace(row, rate_nanos=0)), held)
            before = after


def _asked(shelf: _Shelf, place: _Place, day: date) -> Sequence[PriceRow] | None:
    """What is asked from a day on; None: it is free."""
    book, provider, model = place
    rates = shelf.rates(provider, model, day)
    if rates.free if book == SALE else rates.cost_free:
        return None
    return rates.sale if book == SALE else rates.cost


def _nanos(cell: Cell) -> int:
    return 0 if cell.row is None else cell.row.rate_nanos


def _cell_key(row: PriceRow) -> tuple[object, ...]:
    return (row.kind, row.modality, row.cached, row.above_tokens, row.item, row.tier, row.backend)


def _change(cell: Cell, held: _Held | None) -> PriceChange:
    return PriceChange(
        model=cell.model,
        book=cell.book,
        provider=cell.provider,
        what=_what(cell.row),
        unit="mtok" if cell.row is None else str(cell.row.unit),
        old_usd=None if held is None else dollars.usd(held.nanos),
        new_usd=dollars.usd(_nanos(cell)),
        change="new" if held is None else dollars.percent(held.nanos, _nanos(cell)),
        old_origin="" if held is None else held.origin,
        effective_from=cell.effective_from,
    )


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

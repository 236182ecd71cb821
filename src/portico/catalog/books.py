"""The two price books, cost and sale, and the markup on top (money.md, Prices).

What a call costs the operator is kept by provider and upstream model, what it costs the caller by model. The catalog's own
prices are the first edition of both; rows that were published since override them cell by cell, by their date. A sale cell
that nobody set is the cost of whoever answers. Markup is a rule on top: of rules for all, for a model, for an account and
for a model of an account the most specific counts, and no price is ever rewritten.

An unknown price is not zero: `Rates.known` says so, and whoever asks decides.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import cached_property
from typing import Any, Final, Self

import msgspec

from portico.catalog.catalog import Catalog
from portico.catalog.model import Model
from portico.catalog.price import METERED, Cell, PriceKind, PriceList, PriceRow, Tier, TierRule, newest_of, with_uses

FREE: Final = "free"
"""What stands in the place of a row for a model that costs nothing from its day on."""
COST: Final = "cost"
SALE: Final = "sale"
BOOKS: Final = (COST, SALE)
NO_MARKUP: Final = 1000
_CACHED_RATES: Final = 4096
_TIERS: Final = {tier.value: tier for tier in Tier}


def tier_of(word: str | None) -> Tier:
    """The tier by the word that a request or an answer has for it (mapping.md 1.1, service_tier)."""
    return Tier.STANDARD if word is None else _TIERS.get(word, Tier.STANDARD)


class Published(msgspec.Struct, frozen=True):
    """A row of either book: a price, or FREE. `provider` is "" in the sale book, and in the cost book for all."""

    book: str
    model: str
    price: PriceRow | None
    """None: the model is free."""
    effective_from: date
    provider: str = ""


class Markup(msgspec.Struct, frozen=True):
    """A rule: for all ("", ""), a model, an account, or a model for an account. 1200 permille is a fifth on top."""

    permille: int
    effective_from: date
    account: str = ""
    model: str = ""


class Rates(msgspec.Struct, frozen=True, dict=True):
    """What one call is charged by: the rows in force in both books, and the markup."""

    sale: tuple[PriceRow, ...]
    cost: tuple[PriceRow, ...]
    markup_permille: int = NO_MARKUP
    known: bool = True
    """False: the sale price of the model is unknown."""
    free: bool = False
    cost_known: bool = True
    cost_free: bool = False
    tools_free: frozenset[str] = frozenset({"web_search"})
    """Tools of the provider whose tokens are not billed as input, for there is a fee (mapping.md 2.9, Billing)."""
    tier: Tier = Tier.STANDARD

    @cached_property
    def memo(self) -> dict[Any, Any]:
        """Where metering keeps what it has looked up in these rows."""
        return {}


class PriceBooks:
    """An immutable snapshot of both books. `catalog` is the one that Portico ships, without an operator's own names.

    `published` is in the order it was published: of two rows of one day the later counts.
    """

    def __init__(self, catalog: Catalog, published: Iterable[Published] = (), markups: Iterable[Markup] = ()) -> None:
        self._catalog = catalog
        self._published: dict[tuple[str, str, str], list[Published]] = {}
        for row in published:
            self._published.setdefault((row.book, row.provider, row.model), []).append(row)
        self._markups: dict[tuple[str, str], list[Markup]] = {}
        for rule in markups:
            self._markups.setdefault((rule.account, rule.model), []).append(rule)
        self._accounts = {account for account, _ in self._markups}
        self._tools_free = frozenset(tool for tool, billed in catalog.tool_input_billed.items() if not billed)
        self._found: dict[tuple[object, ...], Rates] = {}

    @classmethod
    def from_rows(cls, catalog: Catalog, prices: Iterable[Sequence[Any]], markups: Iterable[Sequence[Any]]) -> Self:
        """Of rows as the tables hold them: (book, provider, model, row, effective_from) in the order of `id`, and
        (account_id, model, permille, effective_from). Raises ValueError for one that cannot be read."""
        return cls(
            catalog,
            [published(*row) for row in prices],
            [Markup(permille, date.fromisoformat(day), account, model) for account, model, permille, day in markups],
        )

    def rates(
        self,
        *,
        model: Model,
        provider: str,
        provider_kind: str,
        upstream_model: str,
        account: str,
        on: date,
        tier: Tier = Tier.STANDARD,
    ) -> Rates:
        """What a call that begins `on` this day is charged by, `model` being the one that answers. Kept once found."""
        account = account if account in self._accounts else ""
        key = (model.name, provider, provider_kind, upstream_model, account, on, tier)
        found = self._found.get(key)
        if found is None:
            if len(self._found) >= _CACHED_RATES:
                self._found.clear()
            found = self._found[key] = self._rates(model, provider, provider_kind, upstream_model, account, on, tier)
        return found

    def _rates(
        self, model: Model, provider: str, kind: str, upstream_model: str, account: str, on: date, tier: Tier
    ) -> Rates:
        upstream = self._catalog.known(upstream_model)
        listed = model.prices if upstream is None else upstream.prices
        cost = self._page(listed, on, kind).under(self._rows(COST, "", upstream_model), by_date=True)
        cost = cost.under(self._rows(COST, provider, upstream_model), by_date=True)
        names = _names(model, upstream)
        sale = cost
        for name in reversed(names):
            sale = sale.under(self._rows(SALE, "", name))
        wants_output = model.capabilities.max_output_tokens > 0
        sale_rows, cost_rows = sale.at(tier, listed), cost.at(tier, listed)
        return Rates(
            sale=sale_rows,
            cost=cost_rows,
            markup_permille=self._markup(account, names, on),
            known=sale.free or _is_complete(sale_rows, wants_output=wants_output),
            free=sale.free,
            cost_known=cost.free or _is_complete(cost_rows, wants_output=wants_output),
            cost_free=cost.free,
            tools_free=self._tools_free,
            tier=tier,
        )

    def _rows(self, book: str, provider: str, model: str) -> list[Published]:
        return self._published.get((book, provider, model), [])

    def _page(self, listed: PriceList, on: date, backend: str) -> "_Page":
        return _Page(on, backend, {tier: newest_of(listed.rows, on, backend, tier) for tier in Tier}, listed.free)

    def _markup(self, account: str, models: Sequence[str], on: date) -> int:
        """Model of the account, account, model, all: the first that has a rule in force."""
        scopes = [*((account, model) for model in models), (account, "")] if account else []
        for scope in [*scopes, *(("", model) for model in models), ("", "")]:
            begun = [rule for rule in self._markups.get(scope, ()) if rule.effective_from <= on]
            if begun:
                return max(begun, key=lambda rule: rule.effective_from).permille
        return NO_MARKUP


class _Page(msgspec.Struct, frozen=True):
    """The cells of one model that are in force, by tier, while layers are put on it."""

    on: date
    backend: str
    cells: dict[Tier, dict[Cell, PriceRow]]
    free: bool

    def under(self, rows: Sequence[Published], *, by_date: bool = False) -> "_Page":
        """With published rows on top. `by_date`: a cell that began after them stays."""
        begun = [row for row in rows if row.effective_from <= self.on]
        if not begun:
            return self
        newest = max(row.effective_from for row in begun)
        free = [row for row in begun if row.effective_from == newest][-1].price is None
        priced = [row.price for row in begun if row.price is not None]
        cells = {tier: dict(held) for tier, held in self.cells.items()}
        for tier, held in cells.items():
            for cell, row in newest_of(priced, self.on, self.backend, tier).items():
                if not by_date or cell not in held or held[cell].effective_from <= row.effective_from:
                    held[cell] = row
        return _Page(self.on, self.backend, cells, free)

    def at(self, tier: Tier, listed: PriceList) -> tuple[PriceRow, ...]:
        """The rows of a tier: its own, else the standard ones changed by its rule; none if it is not offered."""
        if self.free:
            return ()
        standard = self.cells[Tier.STANDARD]
        if tier is Tier.STANDARD:
            return tuple(standard.values())
        rule = listed.rule_of(tier)
        if tier is Tier.FAST and rule is None and not self.cells[tier]:
            return self.at(Tier.PRIORITY, listed)
        if rule is None:
            return tuple(with_uses(self.cells[tier], standard).values())
        return tuple(({cell: _applied(rule, row) for cell, row in standard.items()} | self.cells[tier]).values())


def published(book: str, provider: str, model: str, row: str, effective_from: str) -> Published:
    """A row of the table `prices`. Raises ValueError (`msgspec.ValidationError` is one) for one that cannot be read."""
    day = date.fromisoformat(effective_from)
    if book not in BOOKS:
        raise ValueError(f"{book!r} is neither 'cost' nor 'sale'")
    if row in (FREE, f'"{FREE}"'):
        return Published(book, model, None, day, provider)
    price = msgspec.json.decode(row, type=PriceRow)
    if price.rate_nanos < 0:
        raise ValueError(f"a rate of {price.rate_nanos} nano-dollars is negative")
    return Published(book, model, msgspec.structs.replace(price, effective_from=day), day, provider)


def _names(model: Model, upstream: Model | None) -> list[str]:
    """The names a sale price or a markup may stand under, the nearest first: an operator's own, then what it stands for."""
    if not model.targets or upstream is None or upstream.name == model.name:
        return [model.name]
    return [model.name, upstream.name]


def _applied(rule: TierRule, row: PriceRow) -> PriceRow:
    """The row at a tier; a published rate that the factor leaves a fraction of is rounded up."""
    if row.kind is PriceKind.USE:
        return row
    permille = rule.permille(row)
    return msgspec.structs.replace(row, rate_nanos=-(-row.rate_nanos * permille // NO_MARKUP), tier=rule.tier)


def _is_complete(rows: Sequence[PriceRow], *, wants_output: bool) -> bool:
    """Whether tokens of both directions have a price, without a word of others; or what is metered instead of them."""
    kinds = {row.kind for row in rows}
    if any(row.item in METERED for row in rows):
        return True
    return PriceKind.INPUT in kinds and (PriceKind.OUTPUT in kinds or not wants_output)

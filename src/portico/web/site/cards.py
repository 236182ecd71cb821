"""The models of this Portico as clients are told of them: what `GET /v1/models` says of each to a caller without prices of
its own, read as `portico connect` reads it."""

from typing import Any, Final

from portico.catalog import PriceKind, rate_of, usd_of_nanos
from portico.catalog.thinking import efforts_of
from portico.clients import Card
from portico.clients.listed import cards_of
from portico.web.showroom import Showroom
from portico.web.site import shelf
from portico.web.site.shelf import Row

_FEMTO: Final = 15
"""A price of a million tokens in whole nano-dollars has so many decimals for one token."""


async def cards(showroom: Showroom) -> tuple[Card, ...]:
    """In the order of the catalog."""
    return cards_of([_listed(row) for row in await shelf.rows(showroom)])


def _listed(row: Row) -> dict[str, Any]:
    able = row.model.capabilities
    return {
        "id": row.name,
        "name": row.model.title,
        "kind": row.model.kind.value,
        "owned_by": row.model.vendor,
        "context_length": able.max_input_tokens,
        "max_output": able.max_output_tokens,
        "input_modalities": list(row.inputs),
        "output_modalities": list(row.outputs),
        "pricing": _pricing(row),
        "reasoning": {"supported_efforts": list(reversed(efforts_of(able.thinking)))},
    }


def _pricing(row: Row) -> dict[str, str]:
    """Dollars for one token of text."""
    rates = row.rates
    if rates.free:
        return {"prompt": "0", "completion": "0"}
    priced = {
        "prompt": rate_of(rates.sale, PriceKind.INPUT, "text"),
        "completion": rate_of(rates.sale, PriceKind.OUTPUT, "text"),
        "input_cache_read": rate_of(rates.sale, PriceKind.INPUT, "text", cached=True),
        "input_cache_write": rate_of(rates.sale, PriceKind.CACHE_WRITE, "text"),
    }
    return {
        name: usd_of_nanos(-(-one.rate_nanos * rates.markup_permille // 1000), _FEMTO)
        for name, one in priced.items()
        if one is not None and rates.known
    }

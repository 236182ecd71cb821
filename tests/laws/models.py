"""The chat models of the catalog, those together that are asked alike; and what a run found of them, for the page."""

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache

import msgspec

import tally
from laws.corpus import Exchange
from portico.catalog import ModelKind, load_catalog
from portico.core.loss import UNSEEN, Loss
from portico.relay.asked import home_of

BECAME: Counter[tuple[str, str, str]] = tally.counter("models became")
"""(first of the models that are asked alike, dialect of the caller, PASSED, WHOLE, LOST or REFUSED) -> how often."""
LOST_AT: Counter[tuple[str, str, str]] = tally.counter("models lost")
"""(the same model, the same dialect, code of a loss) -> in how many requests it was told."""
REFUSED_AT: Counter[tuple[str, str, str]] = tally.counter("models refused")
"""(the same model, the same dialect, path of what cannot be carried) -> how often."""
PASSED, WHOLE, LOST, REFUSED = "passed", "whole", "lost", "refused"
_CHATS = frozenset({ModelKind.CHAT, ModelKind.COMPUTER_USE})
"""Kinds of models that are asked in any dialect of chat."""
_NUMBER = re.compile(r"\[\d+\]|\.\d+(?=\.|$)")


@cache
def alike() -> dict[str, list[str]]:
    """By the name of the first: models of whose abilities the catalog says the same, of one vendor."""
    found: dict[bytes, list[str]] = {}
    for model in load_catalog().models.values():
        if model.kind in _CHATS and (home := home_of(model)) is not None:
            able = msgspec.json.encode((home.name, model.capabilities_at(home.name)), order="deterministic")
            found.setdefault(able, []).append(model.name)
    return {names[0]: names for names in found.values()}


def passed(exchange: Exchange, model: str) -> None:
    """Its bytes go to the provider as they are."""
    if exchange.trusted:
        BECAME[model, exchange.dialect.name, PASSED] += 1


def told(exchange: Exchange, model: str, losses: Iterable[Loss]) -> None:
    """It was said, with these losses; those that no answer shows are told and do not count."""
    if not exchange.trusted:
        return
    codes = {loss.code for loss in losses}
    BECAME[model, exchange.dialect.name, LOST if codes - UNSEEN else WHOLE] += 1
    LOST_AT.update((model, exchange.dialect.name, code) for code in codes)


def refused(exchange: Exchange, model: str, path: str) -> None:
    """It cannot be carried, and the path says what."""
    if exchange.trusted:
        BECAME[model, exchange.dialect.name, REFUSED] += 1
        REFUSED_AT[model, exchange.dialect.name, _NUMBER.sub("[]", path)] += 1


def as_told() -> list[dict[str, object]]:
    """What a run found, for the page: models of one vendor of which the same was found stand together."""
    found: dict[str, list[str]] = {}
    for first, names in alike().items():
        callers = {
            dialect: {
                **{what: BECAME[first, dialect, what] for what in (PASSED, WHOLE, LOST, REFUSED)},
                "losses": _of(LOST_AT, first, dialect),
                "refusals": _of(REFUSED_AT, first, dialect),
            }
            for dialect in sorted({dialect for name, dialect, _ in BECAME if name == first})
        }
        key = msgspec.json.encode((load_catalog().models[first].vendor, callers), order="deterministic").decode()
        found.setdefault(key, []).extend(names)
    return [{"models": names, "callers": msgspec.json.decode(key)[1]} for key, names in found.items()]


def _of(counts: Counter[tuple[str, str, str]], first: str, dialect: str) -> dict[str, int]:
    return {what: n for (name, caller, what), n in sorted(counts.items()) if (name, caller) == (first, dialect)}

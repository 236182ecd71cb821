"""The documentation, and the pages of clients: those that are written, and the reference, which has rooms of its own."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from portico.clients import client_named
from portico.web import reference
from portico.web.addresses import Locale
from portico.web.book import Room, Source, chapters, every_source, navigation
from portico.web.connecting import every_client, page_of, shown
from portico.web.page import Moved, NotHere, Page, View, Visit
from portico.web.showroom import Showroom
from portico.web.site.cards import cards

_CLIENTS: Final = "/clients"


async def look(showroom: Showroom, visit: Visit, names: Mapping[str, str]) -> View:
    path = names["path"]
    source = every_source(visit.locale).get(path)
    if source is None:
        below, _, name = path.rpartition("/")
        client = client_named(name.lower()) if below == _CLIENTS else None
        raise NotHere if client is None else Moved(page_of(client.name))
    if source.client:
        source = msgspec.structs.replace(source, cards=await cards(showroom))
    rooms = _rooms(visit.locale, source)
    order = [one for _title, part in rooms for one in part]
    here = next((number for number, one in enumerate(order) if one.path == source.path), None)
    return View(
        template="docs",
        title=source.title,
        summary=source.summary,
        model=source.model,
        data={
            "source": source,
            "rooms": rooms,
            "previous": order[here - 1] if here else None,
            "following": _after(order, here),
        },
        twin=_twin(source, visit),
    )


def _twin(source: Source, visit: Visit) -> Any:
    """What a page of clients tells as data."""
    if source.path == _CLIENTS:
        return msgspec.to_builtins(every_client(source.cards, visit.base_url, visit.locale))
    if source.client not in ("", "*"):
        return msgspec.to_builtins(shown(source.client, source.cards, visit.base_url, visit.locale))
    return None


def _rooms(locale: Locale, source: Source) -> list[Room]:
    """What the page stands among. Forty operations would bury the rest of the documentation, and the other way round."""
    if not f"{source.path}/".startswith(f"{reference.PREFIX}/"):
        return navigation(locale)
    there = every_source(locale)
    title = next(title for title, room in navigation(locale) if there[reference.PREFIX] in room)
    return [(title, [there["/docs"], there[reference.PREFIX]]), *chapters(locale)]


def _after(order: list[Source], here: int | None) -> Source | None:
    return order[here + 1] if here is not None and here + 1 < len(order) else None


def addresses(_: Showroom) -> Iterable[str]:
    return [path for path in every_source(Locale.EN) if not path.startswith("/legal/")]


PAGES: Final = (Page(re.compile(r"(?P<path>/(?:docs(?:/.+)?|clients(?:/.+)?|openclaw[a-z-]*))"), look, addresses),)

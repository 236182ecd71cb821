"""The pages that are written: the documentation and the OpenClaw pages."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from portico.web.addresses import Locale
from portico.web.book import Source, navigation, pages
from portico.web.page import NotHere, Page, View, Visit
from portico.web.showroom import Showroom


async def look(_: Showroom, visit: Visit, names: Mapping[str, str]) -> View:
    source = pages(visit.locale).get(names["path"])
    if source is None:
        raise NotHere
    rooms = navigation(visit.locale)
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
    )


def _after(order: list[Source], here: int | None) -> Source | None:
    return order[here + 1] if here is not None and here + 1 < len(order) else None


def addresses(_: Showroom) -> Iterable[str]:
    return pages(Locale.EN)


PAGES: Final = (Page(re.compile(r"(?P<path>/(?:docs(?:/.+)?|openclaw[a-z-]*))"), look, addresses),)

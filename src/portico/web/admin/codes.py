"""Redemption codes: made here, shown once, and listed by how they begin."""

from portico.web.admin.forms import PAGE, acted, page, whole_number
from portico.web.inside.asked import Asked, Reply, Shown


async def codes(asked: Asked) -> Shown:
    return await _shown(asked, made=())


async def _shown(asked: Asked, made: object) -> Shown:
    only_open = asked.first("open") == "1"
    found = await asked.do("codes list", open=only_open, after=asked.first("after"), limit=PAGE)
    return page(asked, "codes", "Codes", found=found.data, next=found.next, only_open=only_open, made=made)


async def act_on_codes(asked: Asked) -> Reply:
    return await acted(asked, {"create": _create}, codes)


async def _create(asked: Asked) -> Shown:
    """The codes themselves stand on the page that answers the form, and on no other."""
    day, count = asked.said("expires"), whole_number(asked.said("count"), "count")
    made = await asked.do_once(
        "codes create",
        amount_usd=asked.said("amount_usd"),
        count=1 if count is None else count,
        note=asked.said("note"),
        expires=f"{day}T00:00:00+00:00" if day else None,
    )
    return await _shown(asked, made=made.data)

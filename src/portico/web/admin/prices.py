"""Prices: what is served without one, the book as it stands, markups, and the drafts that wait."""

from typing import Any, Final

from portico.core.errors import ModelNotFound, PorticoError
from portico.web.admin.forms import PAGE, Act, acted, back, page
from portico.web.admin.state import unpriced
from portico.web.inside.asked import Asked, Led, Reply, Shown


async def prices(asked: Asked) -> Shown:
    model, book = asked.first("model").strip(), asked.first("book")
    asked_for: dict[str, Any] = {"book": book if book in ("sale", "cost") else None, "model": model or None}
    found, following, unknown = [], None, False
    try:
        listed = await asked.do("prices list", limit=PAGE, after=asked.first("after"), **asked_for)
        found, following = listed.data, listed.next
    except PorticoError as error:
        if not isinstance(error, ModelNotFound):
            raise
        unknown = True
    markups = (await asked.do("markup list", every=True)).data
    accounts = {rule.account for rule in markups if rule.account}
    names = {one: (await asked.do("accounts show", account=one)).name for one in accounts}
    return page(
        asked,
        "prices",
        "Prices",
        found=found,
        next=following,
        unknown=unknown,
        model=model,
        book=book,
        markups=markups,
        account_names=names,
        drafts=(await asked.do("prices draft list")).data,
        unpriced=unpriced(asked.backstage.showroom),
        today=asked.backstage.showroom.now().date(),
    )


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

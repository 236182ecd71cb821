"""The receipt of any account's call, with what it cost; and its charge, to be given back."""

import msgspec

from portico.admin.dollars import usd
from portico.core.errors import NotFound
from portico.web.admin.forms import acted, back, book, new_form, page
from portico.web.console import receipts
from portico.web.inside.asked import Asked, Led, Reply, Shown


async def receipt(asked: Asked) -> Reply:
    found = await receipts.shown(asked, None, cost=True, list_path="/admin/usage", template="admin/receipt")
    if not isinstance(found, Shown) or "left" not in found.data:  # a file, or a call that is not over
        return found
    more = page(asked, "receipt", found.title, form=new_form(asked), left_usd=usd(found.data["left"]))
    return msgspec.structs.replace(found, data={**more.data, **found.data})


async def act_on_receipt(asked: Asked) -> Reply:
    return await acted(asked, {"refund": _refund}, _shown)


async def _shown(asked: Asked) -> Shown:
    found = await receipt(asked)
    if not isinstance(found, Shown):
        raise NotFound
    return found


async def _refund(asked: Asked) -> Led:
    fields = {name: asked.said(name) for name in ("amount_usd", "note")}
    await book(asked, "receipts refund", request=asked.names["id"], **fields)
    return back(asked, "refunded")

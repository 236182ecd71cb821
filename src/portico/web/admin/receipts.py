"""The receipt of any account's call, with what it cost."""

from portico.web.console import receipts
from portico.web.inside.asked import Asked, Reply


async def receipt(asked: Asked) -> Reply:
    return await receipts.shown(asked, None, cost=True, list_path="/admin/usage")

"""What was paid by card, by everybody, and what the payment provider told that fits nothing here."""

from typing import Final, get_args

from portico.accounts.rows import accounts_of
from portico.admin.payments import State
from portico.core.storage import Db
from portico.web.admin.forms import PAGE, page
from portico.web.inside.asked import Asked, Shown

STATES: Final = get_args(State)


async def payments(asked: Asked) -> Shown:
    state, account = asked.first("state"), asked.first("account").strip()
    found = await asked.do(
        "payments list",
        state=state if state in STATES else None,
        account=account or None,
        after=asked.first("after"),
        limit=PAGE,
    )
    strays = await asked.do("payments strays")

    def names(db: Db) -> dict[str, str]:
        accounts = accounts_of(db, {payment.account for payment in found.data})
        return {account_id: account.name for account_id, account in accounts.items()}

    return page(
        asked,
        "payments",
        "Payments by card",
        found=found.data,
        next=found.next,
        strays=strays.data,
        names=await asked.backstage.reading.read(names),
        states=STATES,
        state=state,
        account=account,
    )

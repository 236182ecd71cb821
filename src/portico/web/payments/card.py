"""Paying by card: a checkout is made at the provider, and a page leads there. How it fares is told, and decided elsewhere.

The page leads by a link and not by a redirect of the form: `form-action 'self'` refuses a form that ends at another host.
"""

import asyncio
from typing import Final

import msgspec

from portico.accounts.forms import MARK_CHARACTERS
from portico.admin import dollars
from portico.admin.payments import BEGIN, BeginPayment
from portico.core.errors import InvalidRequest, NotFound
from portico.ledger import payments
from portico.ledger.payments import CENT
from portico.web.inside.asked import ONCE_FIELD, Asked, Reply, Sent, Shown
from portico.web.payments.counter import DOLLAR, CardDesk, TillClosed, Wanted, counter_of
from portico.web.payments.topup import PATH, page
from portico.web.words import Say

OTHER: Final = "other"


async def pay(asked: Asked) -> Reply:
    """POST of an amount: a page that leads to the provider."""
    card = counter_of(asked).card
    if card is None:
        raise NotFound("Nobody pays by card here.")
    said = {name: asked.said(name) for name in ("amount", "other")}
    try:
        amount = _amount(asked, card)
    except InvalidRequest as error:
        return await page(asked, errors={error.param or "": error.message}, status=422, said=said)
    offer, visitor = card.offer(amount), asked.visitor
    say = Say(asked.locale, markup=False)
    wanted = Wanted(
        account_id=asked.account_id,
        user_id=visitor.user.id,
        amount_nanos=offer.amount_nanos,
        fee_nanos=offer.fee_nanos,
        credit_name=say("Credit for %(account)s", account=visitor.account_names[asked.account_id]),
        fee_name=say("Card fee"),
        locale=asked.locale.value,
        paid_url=f"{asked.base_url}{PATH}?paid={{CHECKOUT_SESSION_ID}}",
        left_url=f"{asked.base_url}{PATH}?done=not-paid",
        once=f"{asked.account_id} {asked.said(ONCE_FIELD)[:MARK_CHARACTERS]}",
    )
    try:
        checkout = await asyncio.to_thread(card.till.begin, wanted)
    except TillClosed as error:
        return await page(asked, errors={"card": error.message}, status=502, said=said)
    begun = BeginPayment(
        account=asked.account_id,
        payment=checkout.id,
        user=visitor.user.id,
        amount_nanos=offer.amount_nanos,
        fee_nanos=offer.fee_nanos,
    )
    await asked.backstage.office.do(BEGIN, begun, actor=visitor.actor)
    return Shown(template="payments/go_on", title="Pay by card", data={"offer": offer, "checkout": checkout})


async def state(asked: Asked) -> Reply:
    """GET, for the script that waits: how a payment of this account stands."""
    wanted = asked.first("id")
    found = await asked.backstage.reading.read(lambda db: payments.payment_of(db, asked.account_id, wanted))
    if found is None:
        raise NotFound("There is no such payment.")
    return Sent(body=msgspec.json.encode({"state": found.state}), media_type="application/json")


def _amount(asked: Asked, card: CardDesk) -> int:
    """What was chosen, in nano-dollars. Raises `InvalidRequest` with the field."""
    chosen = asked.said("amount")
    if chosen and chosen != OTHER:
        if chosen not in map(str, card.amounts):
            raise InvalidRequest("Choose an amount.", param="amount")
        return int(chosen) * DOLLAR
    text = asked.said("other").removeprefix("$")
    if not text:
        raise InvalidRequest("Choose an amount.", param="amount")
    try:
        amount = dollars.nanos(text, "other")
    except InvalidRequest:
        raise InvalidRequest(_NO_AMOUNT, param="other") from None
    if amount % CENT:
        raise InvalidRequest(_NO_AMOUNT, param="other")
    if not card.min_amount * DOLLAR <= amount <= card.max_amount * DOLLAR:
        raise InvalidRequest("This is less or more than can be paid at once.", param="other")
    return amount


_NO_AMOUNT: Final = "Write an amount in dollars and cents, such as 25 or 12.50."

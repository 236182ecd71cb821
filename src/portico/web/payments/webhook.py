"""What the payment provider tells. It is believed if it is signed; our answer says whether it should tell it again.

booked, booked before, of no concern, of a payment that nobody knows    200
not signed, too old, of the other mode (test or live), not readable     400
the books cannot be reached                                             503, and it comes again
"""

import asyncio
import logging
from typing import Final

import msgspec

from portico.admin.payments import BOOK, BookedView
from portico.core.errors import NotFound, StorageUnavailable
from portico.ledger.payments import AlreadyBooked
from portico.web.inside.asked import Asked, Reply, Sent
from portico.web.payments.counter import BadSignature, counter_of
from portico.web.payments.events import Event, booking

log = logging.getLogger("portico.payments")

MAX_BYTES: Final = 1024 * 1024
ACTOR: Final = "stripe"


async def told(asked: Asked) -> Reply:
    """POST /stripe/webhook"""
    card = counter_of(asked).card
    if card is None:
        raise NotFound("There is no such page.")
    if len(asked.body) > MAX_BYTES:
        return _answer(413, "too large")
    signature = asked.headers.get("stripe-signature", "")
    try:
        event = msgspec.convert(await asyncio.to_thread(card.till.verified, asked.body, signature), Event)
    except BadSignature:
        return _answer(400, "not signed, or too long ago")
    except msgspec.ValidationError as error:
        log.error("an event is not as Stripe writes it: %s", error)
        return _answer(400, "not an event")
    if event.livemode != card.till.live:
        log.warning("the event %s is of %s mode, and was refused", event.id, "live" if event.livemode else "test")
        return _answer(400, "of the other mode")
    try:
        wanted = booking(event)
    except msgspec.ValidationError as error:
        log.error("the event %s (%s) is not as Stripe writes it: %s", event.id, event.type, error)
        return _answer(400, "not as expected")
    if wanted is None:
        return _answer(200, "of no concern")
    try:
        booked = await asked.backstage.office.do(BOOK, wanted, actor=ACTOR)
    except AlreadyBooked:
        return _answer(200, "booked before")
    except StorageUnavailable:
        return _answer(503, "the books cannot be reached", {"retry-after": "5"})
    _tell(event, booked)
    return _answer(200, "booked" if booked.state is not None and booked.fits else "kept, to be looked at")


def _tell(event: Event, booked: BookedView) -> None:
    """Into the log, if a person should look."""
    if booked.state is None:
        log.warning("%s (%s) is of a payment that is not known here; it is kept", event.id, event.type)
    elif not booked.fits:
        log.error("%s (%s) does not fit its payment of %s; nothing was booked", event.id, event.type, booked.id)


def _answer(status: int, text: str, headers: dict[str, str] | None = None) -> Sent:
    return Sent(body=f"{text}\n".encode(), media_type="text/plain; charset=utf-8", status=status, headers=headers or {})

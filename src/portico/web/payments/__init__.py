"""Paying in: what an account has, how money comes into it, and every line of what came.

counter.py    what a way to pay by card is, for these pages: ports, handed in by `cli/`
topup.py      the page, and codes
card.py       a checkout is made; how it fares
webhook.py    what the payment provider tells, which alone moves money
events.py     its events, in the ledger's words
stripe_till.py  Stripe, through its own library
"""

from typing import Final

from portico.web.inside.asked import Needs
from portico.web.inside.room import Room, room
from portico.web.payments import card, topup, webhook

ROOMS: Final[tuple[Room, ...]] = (
    room("/console/top-up", topup.look, needs=Needs.VIEWER),
    room("/console/top-up/code", topup.lead_back, topup.redeem, needs=Needs.VIEWER, act_needs=Needs.ADMIN),
    room("/console/top-up/card", topup.lead_back, card.pay, needs=Needs.VIEWER, act_needs=Needs.ADMIN),
    room("/console/top-up/state.json", card.state, needs=Needs.VIEWER),
    room("/stripe/webhook", act=webhook.told, needs=Needs.NOBODY, open_to_programs=True),
)

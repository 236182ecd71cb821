"""An account whose owner pays by card, and what Stripe tells of it."""

from typing import Any

from inside.desk import Client, Rooms
from payments.stand_in import Stripe, signed
from web.rooms import Answer

CENTS = 1059
"""What the card pays for $10: the fee is 2.9 % and $0.30, rounded up."""


class Shop:
    def __init__(self, rooms: Rooms, stripe: Stripe) -> None:
        self.rooms = rooms
        self.stripe = stripe
        self.ada = rooms.person(account="acme")

    def pays(self, who: Client | None = None, /, **fields: Any) -> Answer:
        """An amount is chosen; the page that leads to Stripe."""
        return (who or self.ada).post("/console/top-up/card", {"amount": "10", "once": "a"} | fields)

    def tells(self, told: dict[str, Any], **how: Any) -> Answer:
        body, headers = signed(told, **how)
        return Client(self.rooms).send("/stripe/webhook", body, headers)

    def told(self, *events: dict[str, Any]) -> None:
        for one in events:
            answer = self.tells(one)
            assert answer.status == 200, answer.text

    @property
    def balance(self) -> int:
        """In cents."""
        nanos: int = self.rooms.bench.rows("SELECT posted_nanos FROM accounts WHERE name = 'acme'")[0][0]
        assert nanos % 10_000_000 == 0
        return nanos // 10_000_000

    @property
    def state(self) -> str:
        return str(self.rooms.bench.rows("SELECT state FROM payments")[0][0])

    def adds_up(self) -> bool:
        return bool(self.rooms.bench.do("ledger verify")["ok"])

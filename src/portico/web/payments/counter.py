"""What these pages need to know of paying: ports, handed in by `cli/` as `Backstage.extras["counter"]`."""

from typing import Any, Final, Protocol

import msgspec

from portico.core.errors import PorticoError
from portico.ledger.payments import Fee
from portico.web.inside.asked import Asked

DOLLAR: Final = 1_000_000_000


class Checkout(msgspec.Struct, frozen=True):
    """A checkout that was made: its id, and where the card is asked for."""

    id: str
    url: str


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a checkout is to be for."""

    account_id: str
    user_id: str
    amount_nanos: int
    fee_nanos: int
    credit_name: str
    """How the lines are called, in the payer's language."""
    fee_name: str
    locale: str
    paid_url: str
    """Where the payer is led afterwards. `{CHECKOUT_SESSION_ID}` in it becomes the id."""
    left_url: str
    once: str
    """The same of two that are one: a form that was sent twice."""


class TillClosed(PorticoError):
    """The payment provider could not be asked. Nothing was paid."""

    status = 502
    code = "payment_provider_failed"


class BadSignature(PorticoError):
    """What was told is not signed by the payment provider, or too long ago."""

    status = 400
    code = "bad_signature"


class Till(Protocol):
    """A payment provider."""

    @property
    def live(self) -> bool:
        """Whether it moves real money."""

    def begin(self, wanted: Wanted) -> Checkout:
        """Makes a checkout. Blocks. Raises `TillClosed`."""

    def verified(self, body: bytes, signature: str) -> dict[str, Any]:
        """An event as plain JSON. Blocks, the first time. Raises `BadSignature`."""


class Offer(msgspec.Struct, frozen=True):
    """What is paid for an amount."""

    amount_nanos: int
    fee_nanos: int

    @property
    def total_nanos(self) -> int:
        return self.amount_nanos + self.fee_nanos


class CardDesk(msgspec.Struct, frozen=True, kw_only=True):
    """Paying by card, as the operator offers it."""

    till: Till
    amounts: tuple[int, ...]
    """Whole dollars."""
    min_amount: int
    max_amount: int
    fee: Fee

    def offer(self, amount_nanos: int) -> Offer:
        return Offer(amount_nanos, self.fee.of(amount_nanos))

    @property
    def offers(self) -> list[Offer]:
        return [self.offer(amount * DOLLAR) for amount in self.amounts]


class Counter(msgspec.Struct, frozen=True):
    """How people pay in."""

    note: str = ""
    """How by hand, in the operator's words."""
    card: CardDesk | None = None


def counter_of(asked: Asked) -> Counter:
    found = asked.backstage.extras.get("counter")
    return found if isinstance(found, Counter) else Counter()

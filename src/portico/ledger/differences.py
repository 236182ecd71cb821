"""What does not add up in the books, and what whoever runs them does about it."""

from collections.abc import Mapping
from typing import Final

import msgspec

SHOWN: Final = 100
"""Differences that are told of each kind."""

_BALANCE: Final = (
    "A balance is not the sum of its entries, which are right: it was changed past the ledger. Stop Portico, copy the"
    " database, and set `{}` in `accounts` to what is expected."
)
_CALL: Final = (
    "An entry or a hold was changed or lost. Compare `portico ledger export --account …` with a backup, and put back what"
    " is missing; until then the balance is what the entries say."
)
ADVICE: Final[Mapping[str, str]] = {
    "posted": _BALANCE.format("posted_nanos"),
    "held": _BALANCE.format("held_nanos"),
    "nobody's": "Entries stand under an account that is not there. Put it back from a backup.",
    "open holds": _BALANCE.format("held_nanos"),
    "hold": _CALL,
    "resolved but open": "The call has ended, and its hold is still there: with Portico stopped, delete it from `holds`.",
    "unresolved": _CALL,
    "receipt": "The receipt charges another sum than the ledger took, which counts. A backup says what was changed.",
    "no receipt": "The call has ended, and its receipt is gone. Put it back from a backup: the balance is right.",
    "receipt's body": (
        "The text of a receipt, which its account sees, says something else than its row, or its lines another sum. Put"
        " `body` of `receipts` back from a backup; the balance goes by the entries."
    ),
    "usage": (
        "The usage of a day is not what its calls were charged: statistics and budgets go by it, balances do not. Set the"
        " row in `usage_days` to what is expected."
    ),
    "payment": (
        "What a payment credited or took back, as it says, is not what the account's entries do. The payment provider knows"
        " what is right. A credit that is missing: `portico accounts top-up ACCOUNT USD --note 'card PAYMENT'`; something"
        " that was not taken back: `portico accounts withdraw ACCOUNT USD --note 'card refund PAYMENT'`."
    ),
    "payment's events": (
        "What was told of a payment comes to something else than its row says. Compare both with the payment provider, and"
        " put `payments` or `payment_events` back from a backup."
    ),
}
"""By the kind of difference."""


class Difference(msgspec.Struct, frozen=True):
    """One thing that does not add up. `what`: a kind, see `ADVICE`. `of`: which part of it; a call is in `request_id`."""

    what: str
    account: str
    request_id: str | None
    booked: int | None
    expected: int | None
    of: str = ""

    def __str__(self) -> str:
        named = [one for one in (self.of, self.request_id) if one]
        of = f"{' of '.join(named)} of {self.account}" if named else self.account
        figures = "" if self.booked is None else f": {self.booked} is booked, {self.expected} expected"
        return f"{self.what}, {of}{figures}"

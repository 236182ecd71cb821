"""What would be held for a call, told without making it.

A quote goes the whole way of a call (`relay/relay.py`) with a tab that says what it was asked to hold instead of holding
it. So the two cannot disagree: on the body as it is rendered, on signatures that are restored, on candidates and lanes.
"""

from collections.abc import Sequence

import msgspec

from portico.catalog.books import Rates
from portico.core.errors import PorticoError
from portico.metering.ceiling import Ask, Ceiling
from portico.relay.tab import Offer, Tab


class Quote(msgspec.Struct, frozen=True):
    """The ceiling of a call at the dearest of those it may be made to, and what it is made of."""

    ask: Ask
    ceiling: Ceiling
    rates: Rates
    longest_output: int
    """What the model can give at most in one answer, in tokens."""
    times: int
    """How many calls are made for this one."""


class Quoted(PorticoError):
    """The ceiling of a call is known, and so the call goes no further."""

    status = 200

    def __init__(self, quote: Quote) -> None:
        super().__init__()
        self.quote = quote


class QuoteTab(Tab):
    """A tab that holds nothing."""

    async def hold(self, ask: Ask, candidates: Sequence[Offer], *, times: int = 1) -> None:
        """Raises `Quoted`, or `ModelNotPriced` as a hold does."""
        most, dearest = self.dearest(ask, candidates, times)
        raise Quoted(Quote(ask, most, dearest.rates, dearest.able.max_output_tokens, times))

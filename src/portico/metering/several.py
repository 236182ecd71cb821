"""A call that was answered in lanes, by several models or providers: each is charged at its own price.

The lines of all of them stand in one receipt, and each names who answered. Their sum is rounded once, as any.
"""

from collections.abc import Mapping, Sequence
from functools import reduce

import msgspec

from portico.catalog.books import NO_MARKUP, Rates
from portico.core.usage import Usage, added
from portico.metering.charge import FEMTOS, Charge, Line, charge
from portico.metering.estimate import Delivered, Estimate, estimate


class Share(msgspec.Struct, frozen=True):
    """What one of them used, in so many upstream calls, and what was `delivered` of those that reported nothing."""

    model: str
    upstream_model: str
    provider: str
    rates: Rates
    usage: Usage
    uses: Mapping[str, int]
    prompts: int
    delivered: Delivered


def charged(shares: Sequence[Share], *, hold_nanos: int) -> Estimate:
    """What all of them come to: what was reported in full, with the estimate of the rest at most the hold."""
    reported = together(shares, [charge(one.usage, one.uses, one.rates, prompts=one.prompts) for one in shares])
    guesses = [
        estimate(one.delivered, one.rates, hold_nanos=None, beside=one.usage, uses=one.uses, prompts=one.prompts)
        for one in shares
    ]
    made = together(shares, [guess.charge for guess in guesses])
    usage, most = reduce(added, [guess.usage for guess in guesses]), max(reported.nanos, hold_nanos)
    if made.nanos <= most:
        return Estimate(usage, made)
    return Estimate(usage, msgspec.structs.replace(made, nanos=most), capped=True)


def together(shares: Sequence[Share], charges: Sequence[Charge]) -> Charge:
    """The charges of all shares as one. Where their markups differ each line has its own."""
    markups = {one.markup_permille for one in charges if one.lines}
    alike = len(markups) < 2
    lines: list[Line] = []
    sold = cost = 0
    for share, made in zip(shares, charges, strict=True):
        own = 0 if alike else made.markup_permille
        for line in made.lines:
            sold += line.amount_femtos * made.markup_permille
            cost += line.cost_femtos
            who = {name: getattr(share, name) for name in ("model", "upstream_model", "provider")}
            lines.append(msgspec.structs.replace(line, **who, markup_permille=own))
    return Charge(
        -(-sold // (FEMTOS * NO_MARKUP)),
        -(-cost // FEMTOS),
        tuple(lines),
        any(one.unpriced for one in charges),
        any(one.cost_unknown for one in charges),
        next(iter(markups), NO_MARKUP) if alike else NO_MARKUP,
    )

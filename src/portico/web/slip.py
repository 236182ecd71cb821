"""A receipt as pages tell it: the sample that anybody may see, and those of an account."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from portico.metering.receipt import Tried

SHORT: Final[Mapping[str, str]] = {
    "estimated": "estimated",
    "partial": "partial",
    "recovered": "recovered",
    "unpriced": "a price is unknown",
    "drained": "read to its end",
    "capped": "no more than was held",
    "adjusted": "adjusted",
}
"""What a flag of a receipt is called in a list."""
LONG: Final[Mapping[str, str]] = {
    "estimated": "Estimated: the provider reported no usage, so the published rule counted the tokens.",
    "partial": "Partial: the answer broke off, and what was reported until then is charged.",
    "recovered": "Recovered: the gateway died during the call, and what it had last written down was booked.",
    "unpriced": "Something was used of which no price is known: the charge is without it.",
    "drained": "You hung up, and the answer was read to its end for its real usage.",
    "capped": "The estimate was more than what was held: the charge is what was held.",
    "adjusted": "Adjusted: something came after this receipt, and it is told below.",
}
"""And on the receipt."""
OUTCOMES: Final[Mapping[str, str]] = {
    "caller_gone": "you hung up",
    "recovered": "the gateway died",
    "refused": "refused",
    "failed": "failed",
}
"""How calls end beside well, in words; other outcomes are error codes, which stand for themselves."""


class Line(msgspec.Struct, frozen=True):
    """A line of a receipt. What it cost the operator is there for them alone."""

    item: str
    detail: str
    count: int
    unit: str
    rate_nanos: int | None
    amount_femtos: int
    above_tokens: int = 0
    tier: str = "standard"
    effective_from: str = ""
    source: str = ""
    note: str = ""
    cost_rate_nanos: int | None = None
    cost_femtos: int = 0
    cost_source: str = ""
    model: str = ""
    """Who answered, if several did."""
    upstream_model: str = ""
    provider: str = ""
    markup_permille: int = 0
    """Of this line alone; 0: there is one of them all."""


class Slip(msgspec.Struct, frozen=True):
    """What of a receipt as `GET /v1/receipts/{id}` tells it stands on the page."""

    request_id: str
    account: str = ""
    key_id: str = ""
    at_us: int = 0
    route: str = ""
    dialect: str = ""
    asked: str = ""
    model: str = ""
    upstream_model: str = ""
    provider: str = ""
    stream: bool = False
    outcome: str = ""
    service_tier: str = ""
    usage: dict[str, dict[str, int]] | None = None
    """None: nothing was reported."""
    lines: tuple[Line, ...] = ()
    hold_nanos: int = 0
    charge_nanos: int = 0
    tries: tuple[Tried, ...] = ()
    markup_permille: int = 1000
    losses: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    cost_nanos: int = 0
    cost_unknown: bool = False

    @property
    def femtos(self) -> int:
        """The sum of the lines, before markup and rounding."""
        return sum(line.amount_femtos for line in self.lines)

    @property
    def answered(self) -> Sequence[tuple[str, str, str]]:
        """Who answered: model, the provider's name of it, provider. Of several each has lines of its own."""
        who = [(line.model, line.upstream_model, line.provider) for line in self.lines if line.model]
        return list(dict.fromkeys(who)) or [(self.model, self.upstream_model, self.provider)]

    @property
    def failed(self) -> Sequence[Tried]:
        return [one for one in self.tries if one.outcome not in ("ok", "cancelled")]

    @property
    def sources(self) -> Sequence[str]:
        """Where the prices are from, each once."""
        return list(dict.fromkeys(line.source for line in self.lines if line.source))

    def tokens(self, of: str) -> int:
        """Of all buckets whose name begins so."""
        return sum(sum(counts.values()) for name, counts in (self.usage or {}).items() if name.startswith(of))


def slip_of(told: Mapping[str, Any]) -> Slip:
    """Raises `msgspec.ValidationError` for what is no receipt."""
    return msgspec.convert(told, Slip)


def width(amounts: Iterable[str]) -> int:
    """Of the digits behind the point, so that all of them align at it."""
    return max((len(one.partition(".")[2]) for one in amounts), default=2)

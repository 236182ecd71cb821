"""A receipt: what one call used, what that cost and why, so that every nano-dollar can be checked by hand.

It is written once, when the call is settled, and never changed: what comes later (a recovery, a refund) is appended beside
it. As JSON it is what GET /v1/receipts/{id} shows and what a checkpoint keeps. It names no text of the call.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from portico.catalog import usd_of_nanos
from portico.catalog.books import NO_MARKUP
from portico.core.usage import Tokens, Usage, total
from portico.metering.charge import USE, Charge, Line

ESTIMATED: Final = "estimated"
"""The provider reported nothing: the published rule was used (`metering.estimate`)."""
PARTIAL: Final = "partial"
"""The answer broke off: this is what was reported until then."""
RECOVERED: Final = "recovered"
"""The gateway died during the call: this is its last checkpoint."""
UNPRICED: Final = "unpriced"
"""Something was used of which no price is known: the charge is without it."""
DRAINED: Final = "drained"
"""The caller had gone, and the answer was read to its end."""
CAPPED: Final = "capped"
"""The estimate, or what the last checkpoint came to, was more than the hold: the charge is the hold."""
FLAGS: Final = (ESTIMATED, PARTIAL, RECOVERED, UNPRICED, DRAINED, CAPPED)

_BUCKETS: Final = tuple(name for name in Usage.__struct_fields__ if name != "ext")


class Tried(msgspec.Struct, frozen=True, omit_defaults=True):
    """A provider that was asked, and what became of it."""

    provider: str
    model: str
    outcome: str
    """`ok`, `cancelled`, or the code of the error it ended with."""
    beside: bool = False
    """It was asked beside another one that had shown nothing; of the two only who answered first is charged."""


class Receipt(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The account of one call. Amounts are nano-dollars, `at_us` microseconds since 1970."""

    request_id: str
    account: str
    key_id: str = ""
    at_us: int = 0
    route: str = ""
    dialect: str = ""
    asked: str = ""
    """The model as the caller named it."""
    model: str = ""
    """The catalog's name of the model that answered, by whose price it is charged; where several answered, the first of
    them, and each line names its own."""
    upstream_model: str = ""
    provider: str = ""
    stream: bool = False
    outcome: str = ""
    service_tier: str = ""
    usage: Mapping[str, Tokens] | None = None
    """Disjoint buckets by modality; None: nothing was reported."""
    raw_usage: Any = None
    """As the provider sent it, where that is known; a list where there were several upstream calls."""
    uses: Mapping[str, int] = {}
    lines: tuple[Line, ...] = ()
    markup_permille: int = NO_MARKUP
    hold_nanos: int = 0
    charge_nanos: int = 0
    cost_nanos: int = 0
    cost_unknown: bool = False
    losses: tuple[str, ...] = ()
    """Codes of what could not be said of the request or of its answer."""
    tries: tuple[Tried, ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def input_tokens(self) -> int:
        """All of the prompt, cached and brought in by tools too."""
        return sum(total(tokens) for name, tokens in (self.usage or {}).items() if name.startswith("input_"))

    @property
    def cached_tokens(self) -> int:
        return total((self.usage or {}).get("input_cache_read", {}))

    @property
    def output_tokens(self) -> int:
        """Thoughts included."""
        return sum(total(tokens) for name, tokens in (self.usage or {}).items() if name.startswith("output_"))

    @property
    def reasoning_tokens(self) -> int:
        return total((self.usage or {}).get("output_reasoning", {}))


def with_unpriced(flags: tuple[str, ...], charge: Charge) -> tuple[str, ...]:
    """The flags of a receipt, and that something was used whose price nobody knows, if that is so."""
    return flags if not charge.unpriced or UNPRICED in flags else (*flags, UNPRICED)


_DECODER: Final = msgspec.json.Decoder(Receipt)
_ENCODER: Final = msgspec.json.Encoder()


def encode(receipt: Receipt) -> bytes:
    """As JSON, what is empty left out."""
    return _ENCODER.encode(receipt)


def decode(data: bytes | str) -> Receipt:
    """Of JSON. Raises ValueError (`msgspec.MsgspecError` is one) for what is no receipt."""
    return _DECODER.decode(data)


def buckets(usage: Usage | None) -> dict[str, Tokens] | None:
    """The counts of a usage as a receipt holds them, empty buckets left out."""
    if usage is None:
        return None
    told: dict[str, Tokens] = {}
    for name in _BUCKETS:
        if tokens := getattr(usage, name):
            told[name] = tokens
    return told


def explained(receipt: Receipt) -> list[str]:
    """The lines of a receipt for a reader, and how their sum becomes the charge."""
    told = [_told(line) for line in receipt.lines]
    sold = sum(line.amount_femtos for line in receipt.lines)
    told.append(f"sum: ${usd_of_nanos(sold, 15)}")
    if receipt.markup_permille != NO_MARKUP:
        told.append(f"x {usd_of_nanos(receipt.markup_permille, 3)} markup")
    told.append(f"charged: ${usd_of_nanos(receipt.charge_nanos)}, rounded up to whole nano-dollars")
    if receipt.flags:
        told.append(", ".join(receipt.flags))
    return told


def _told(line: Line) -> str:
    what = line.detail if line.item == USE else f"{line.item} ({line.detail})"
    if line.rate_nanos is None:
        return f"{line.count} x {what}: {line.note}"
    amount = (
        f"{line.count} {what} x ${usd_of_nanos(line.rate_nanos)}/{line.unit} = ${usd_of_nanos(line.amount_femtos, 15)}"
    )
    row = [f"tier {line.tier}"] if line.tier != "standard" else []
    row += [f"prompts over {line.above_tokens} tokens"] if line.above_tokens else []
    row += [f"{line.upstream_model} at {line.provider}"] if line.model else []
    row += [f"x {usd_of_nanos(line.markup_permille, 3)} markup"] if line.markup_permille else []
    row += [f"since {line.effective_from}"] if line.effective_from else []
    row += [text for text in (line.source, line.note) if text]
    return f"{amount} [{'; '.join(row)}]" if row else amount

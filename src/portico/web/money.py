"""Money as a reader sees it: whole, never rounded to nothing, and aligned at the point.

usd(123_000)        "$0.000123"
usd(1_250_000_000)  "$1.25"
usd(-20_000_000)    "−$0.02"
"""

from typing import Final

NANOS: Final = 1_000_000_000
MINUS: Final = "\u2212"
"""As wide as a plus, and never taken for a hyphen."""
_LEAST_DIGITS: Final = 2


def usd(nanos: int | None) -> str:
    """Nano-dollars, with every digit that counts and at least cents; "" for None."""
    return "" if nanos is None else _dollars(nanos, NANOS)


def price(milli_nanos: int | None) -> str:
    """A rate in thousandths of nano-dollars, such as a markup leaves; "" for None."""
    return "" if milli_nanos is None else _dollars(milli_nanos, NANOS * 1000)


def exact(femtos: int) -> str:
    """A line of a receipt, which is counted in femto-dollars (10^-15)."""
    return _dollars(femtos, NANOS * 1_000_000)


def plain(told: str) -> str:
    """The same for programs: "$1,234.50" is "1234.50"."""
    return told.replace("$", "").replace(",", "").replace(MINUS, "-")


def _dollars(amount: int, scale: int) -> str:
    sign, amount = (MINUS, -amount) if amount < 0 else ("", amount)
    dollars, rest = divmod(amount, scale)
    digits = str(rest).zfill(len(str(scale)) - 1).rstrip("0").ljust(_LEAST_DIGITS, "0")
    return f"{sign}${dollars:,}.{digits}"

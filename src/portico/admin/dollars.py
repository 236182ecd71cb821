"""Dollars for people, nano-dollars for the books: exact both ways, never a float (money.md, Units)."""

import re
from typing import Final

from portico.accounts.statement import dollars as usd
from portico.catalog.price import nanos_of_usd, permille_of
from portico.core.errors import InvalidRequest

__all__ = ["factor", "nanos", "percent", "permille", "usd"]

PERCENT_FROM: Final = 10_000
"""Thousandths. A factor of so much and more has the look of a change in percent whose signs were left out."""
_CHANGE: Final = re.compile(r"([+-])([0-9]{1,4})(?:\.([0-9]))?%")


def nanos(text: str, param: str, *, zero: bool = False) -> int:
    """What `usd` writes, read again. Raises `InvalidRequest` for all that is not an amount above 0 (or 0, with `zero`)."""
    said = text.strip()
    try:
        amount = nanos_of_usd(said.removeprefix("-"))
    except ValueError:
        hint = " Write it without signs and separators, with a point." if re.search(r"[$€,_\s]", said) else ""
        if re.fullmatch(r"-?[0-9]{10,}(?:\.[0-9]{1,9})?", said):
            hint = " It has at most nine digits before the point."
        message = f"{text[:40]!r} is not an amount in dollars, such as 10 or 12.50, with at most nine decimals.{hint}"
        raise InvalidRequest(message, param=param) from None
    if said.startswith("-") or (amount == 0 and not zero):
        least = "0 or more" if zero else "more than 0"
        raise InvalidRequest(f"The amount is {said}; it has to be {least}.", param=param)
    return amount


def permille(text: str, param: str) -> int:
    """A markup as a factor (`1.2`) or a change (`+20%`, `-5%`), in thousandths. Raises `InvalidRequest`, of a factor that
    looks like percent, and of 0 that looks like none, too."""
    change = _CHANGE.fullmatch(text.strip())
    if change is not None:
        tenths = int(change.group(2)) * 10 + int(change.group(3) or 0)
        changed = 1000 + (tenths if change.group(1) == "+" else -tenths)
        if changed >= 0:
            return changed
    try:
        times = permille_of(text.strip())
    except ValueError:
        message = (
            f"{text[:40]!r} is neither a factor such as 1.2, with at most three decimals, nor a change such as +20%."
        )
        raise InvalidRequest(message, param=param) from None
    if times == 0:
        raise InvalidRequest("0 makes everything free. Write 1 for no markup, and -100% if free is meant.", param=param)
    if times < PERCENT_FROM:
        return times
    said = factor(times).removesuffix(".0")
    message = f"{said} is a factor: prices would be {said} times as high. Write +{said}% if that much more is meant,"
    raise InvalidRequest(f"{message} and a change in percent (+900% and more) if it is not.", param=param)


def factor(thousandths: int) -> str:
    """1200 -> "1.2"."""
    whole, rest = divmod(thousandths, 1000)
    return f"{whole}.{rest:03d}".rstrip("0").ljust(3, "0") if rest else f"{whole}.0"


def percent(old: int, new: int) -> str:
    """How an amount changes: `+20%`, `-3.4%`, `0%`, rounded to a tenth away from nothing only where it is nothing.

    From 0 there is no percentage: `new`.
    """
    if old == 0:
        return "0%" if new == 0 else "new"
    tenths, rest = divmod(abs(new - old) * 1000, abs(old))
    tenths += rest * 2 >= abs(old)
    if tenths == 0 and new != old:
        return "<+0.1%" if new > old else "<-0.1%"
    whole, tenth = divmod(tenths, 10)
    sign = "+" if new > old else "-" if new < old else ""
    return f"{sign}{whole}{f'.{tenth}' if tenth else ''}%"

"""How results are told to people: short tables that fit a terminal of 80 columns, and sheets of names and values."""

import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from portico.core.lines import is_line

RIGHT, KEPT = "right", "kept"
"""How a column is set: numbers to the right; what has to be copied is never broken."""
NOT_A_TERMINAL: Final = 200
FOLDED: Final = 12


def is_terminal() -> bool:
    """Whether a person looks on, and not a pipe."""
    return sys.stdout.isatty()


def table(columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """Prints rows under titles; each title with how it is set (`right`, `kept` or ``). The title of a column of days or
    times says that they are UTC."""
    from rich.console import Console
    from rich.table import Table

    found = list(rows)
    if not found:
        print(empty)
        return
    columns = [
        (f"{title} (UTC)" if any(isinstance(value, date) for value in values) else title, how)
        for (title, how), values in zip(columns, zip(*found, strict=True), strict=True)
    ]
    listed = [[_instant(value) if isinstance(value, date) else cell(value) for value in row] for row in found]
    made = Table(box=None, pad_edge=False, header_style="bold")
    for title, how in columns:
        made.add_column(
            title,
            justify="right" if how == RIGHT else "left",
            no_wrap=how != "",
            overflow="fold" if how == "" else "ellipsis",
        )
    for row in listed:
        made.add_row(*row)
    console = Console(markup=False, highlight=False, emoji=False)
    if not is_terminal():
        console.width = NOT_A_TERMINAL
    # Rather a line that the terminal breaks than an id or an amount that was cut.
    console.width = max(console.width, _least(columns, listed))
    console.print(made)


def _least(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> int:
    """The width at which nothing is cut; what may be folded is, to a few characters."""
    widths = [max(map(len, cells)) for cells in zip([title for title, _ in columns], *rows, strict=True)]
    folded = [width if how else min(width, FOLDED) for width, (_, how) in zip(widths, columns, strict=True)]
    return sum(folded) + 2 * (len(columns) - 1)


def sheet(values: Iterable[tuple[str, object]]) -> None:
    """Prints names and values below each other; what is empty is left out."""
    listed = [(name, cell(value)) for name, value in values]
    listed = [(name, text) for name, text in listed if text]
    width = max((len(name) for name, _ in listed), default=0)
    for name, text in listed:
        print(f"{name:<{width}}  {text}")


def cell(value: object) -> str:
    """A value for people."""
    if value is None or value == []:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, date):
        return f"{_instant(value)} UTC"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(cell, value))
    return printable(str(value))


def printable(text: str) -> str:
    """With escapes for what would move a terminal's cursor or change its colours: not everything was written here."""
    return text if is_line(text) else "".join([char if char.isprintable() else ascii(char)[1:-1] for char in text])


def _instant(value: date) -> str:
    """A day, or a time to the minute. The store's are in UTC, which is said beside it."""
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else value.isoformat()


def day(value: datetime | None) -> date | None:
    return None if value is None else value.date()


def dollars(text: str) -> str:
    """An amount with a dollar sign, its thousands apart: `-$1,234.50`."""
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, _, fraction = digits.partition(".")
    return f"{sign}${int(whole):,}.{fraction}"


def rounded(text: str) -> str:
    """An amount for a narrow column of a terminal: two digits behind the point of a large one, more of a small one, and
    never nothing for something. Exact where nobody looks, as in a pipe."""
    if not is_terminal():
        return dollars(text)
    amount = Decimal(text)
    for least, places in ((Decimal(10), "0.01"), (Decimal("0.01"), "0.0001"), (Decimal("0.0001"), "0.000001")):
        if abs(amount) >= least:
            return dollars(f"{amount.quantize(Decimal(places), ROUND_HALF_UP):f}")
    return dollars(text)


def short(count: int) -> str:
    """A count for a narrow column of a terminal: 148k, 1.52G. Exact in a pipe."""
    if not is_terminal() or count < 10_000:
        return f"{count:,}"
    for unit, size in (("T", 10**12), ("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if count >= size:
            scaled = count / size
            return f"{scaled:.3g}{unit}" if scaled < 999.5 else f"{scaled:,.0f}{unit}"
    return str(count)


def more(page: Any) -> None:
    """Says that a list goes on."""
    if page.next is not None:
        print(f"\nThere are more: --after {page.next}", file=sys.stderr)

"""How results are told to people: short tables that fit a terminal of 80 columns, and sheets of names and values."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

RIGHT, KEPT = "right", "kept"
"""How a column is set: numbers to the right; what has to be copied is never broken."""
NOT_A_TERMINAL: Final = 200


def table(columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """Prints rows under titles; each title with how it is set (`right`, `kept` or ``)."""
    from rich.console import Console
    from rich.table import Table

    listed = [[cell(value) for value in row] for row in rows]
    if not listed:
        print(empty)
        return
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
    if not console.is_terminal:
        console.width = NOT_A_TERMINAL
    console.print(made)


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
    if isinstance(value, datetime):
        return time(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(map(cell, value))
    return str(value)


def time(value: datetime | None) -> str:
    """In UTC, to the minute."""
    return "" if value is None else f"{value:%Y-%m-%d %H:%M}"


def day(value: datetime | None) -> str:
    return "" if value is None else f"{value:%Y-%m-%d}"


def dollars(text: str) -> str:
    """An amount with a dollar sign, its thousands apart: `-$1,234.50`."""
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, _, fraction = digits.partition(".")
    return f"{sign}${int(whole):,}.{fraction}"


def more(page: Any) -> None:
    """Says that a list goes on."""
    import sys

    if page.next is not None:
        print(f"\nThere are more: --after {page.next}", file=sys.stderr)

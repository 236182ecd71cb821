"""Rows as a CSV file that spreadsheets read: a byte order mark, or Chinese breaks; and no cell that they calculate."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

MARK: Final = b"\xef\xbb\xbf"
_CALCULATED: Final = ("=", "+", "-", "@", "\t", "\r")


def csv_bytes(rows: Iterable[Sequence[object]], *, begins: bool = True) -> bytes:
    """Text, and numbers as they are. `begins`: it is the beginning of the file."""
    made = io.StringIO()
    csv.writer(made, lineterminator="\r\n").writerows([[cell(value) for value in row] for row in rows])
    return (MARK if begins else b"") + made.getvalue().encode()


def cell(value: object) -> str:
    """An amount may begin with a minus; any other text that looks like a formula is kept from being one."""
    text = "" if value is None else str(value)
    if text.startswith(_CALCULATED) and not _is_amount(text):
        return f"'{text}"
    return text


def _is_amount(text: str) -> bool:
    digits = text.removeprefix("-").replace(".", "", 1)
    return digits.isascii() and digits.isdigit()

"""CSV as spreadsheets read it (RFC 4180), and so that none of them takes a name for a formula."""

import csv
import io
import re
from collections.abc import Iterable
from typing import Final

BOM: Final = "\ufeff"
"""In front of a file, for a spreadsheet that would take UTF-8 for something else."""
_NUMBER: Final = re.compile(r"-[0-9]+(\.[0-9]+)?")
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def rows(cells: Iterable[Iterable[object]]) -> str:
    """Lines of a file. A text that a spreadsheet would take for a formula is written with a `'` in front."""
    out = io.StringIO()
    writer = csv.writer(out)
    for row in cells:
        writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def _cell(value: object) -> object:
    if not isinstance(value, str) or not value.startswith(_FORMULAS) or _NUMBER.fullmatch(value):
        return value
    return f"'{value}"

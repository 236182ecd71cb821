"""When a server says it is worth coming back, by the headers of its answer (RFC 9110, 10.2.3). Names are in small letters.

`retry-after-ms` is OpenAI's and Azure's, and more exact. A date counts from the answer's own `date`: the clocks of two
machines differ.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Final

NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
_NUMBER: Final = re.compile(r"\d{1,12}(?:\.\d{1,9})?")
_SPAN: Final = re.compile(r"(?:\d{1,9}(?:\.\d{1,9})?(?:ms|[smhd]))+")
_PIECE: Final = re.compile(r"([\d.]+)(ms|[smhd])")
_UNITS_S: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait; None: nothing is said that can be read."""
    if (told := headers.get("retry-after-ms")) is not None and (ms := number(told)) is not None:
        return ms / 1000
    if (told := headers.get("retry-after")) is None:
        return None
    if (seconds := number(told)) is not None:
        return seconds
    until, now = _date(told), _date(headers.get("date", ""))
    return max(0.0, until - now) if until is not None and now is not None else None


def span_s(text: str) -> float | None:
    """`6m0s`, `120ms`, `1.5s`, or a bare number of seconds; None for anything else."""
    text = text.strip()
    if _SPAN.fullmatch(text) is None:
        return number(text)
    return sum([float(count) * _UNITS_S[unit] for count, unit in _PIECE.findall(text)])


def moment(text: str) -> float | None:
    """RFC 3339 -> seconds since 1970; None for anything else."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return at.timestamp() if at.tzinfo is not None else None


def number(text: str) -> float | None:
    """A number of nothing but digits, with a fraction or without."""
    text = text.strip()
    return float(text) if _NUMBER.fullmatch(text) and text.isascii() else None


def _date(text: str) -> float | None:
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()

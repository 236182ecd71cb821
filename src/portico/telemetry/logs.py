"""The access log: one JSON line for each request.

A line says who asked for what, how it went, how long it took and how much there was of it. What was said is never in it:
it is made of a `Report`, which holds no header but the client's name for itself, no query and no body. A path, and that
name, are the caller's own words: they are cut, and what looks like a key in them is taken out.
"""

import re
import time
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from portico.relay.report import Report, Try

_PATH_LIMIT: Final = 200
_AGENT_LIMIT: Final = 80
_REMEMBERED: Final = 1024
_MILLISECONDS: Final = tuple([f"{number:03d}Z" for number in range(1000)])
_NOT_TRIED: Final = Try()
_KEY: Final = re.compile(r"(?<![A-Za-z])(?:sk-|AIza|AQ\.|ya29\.|eyJ|Bearer )[\w.~+=-]*|[A-Za-z0-9_]{32,}")
"""What keys look like: a known beginning, or a long run without a break. No model's name is either."""


class Line(msgspec.Struct, omit_defaults=True):
    """One line. What is not known is left out. Times of the answer count from when the request had been read."""

    time: str
    """When the request was over (RFC 3339, UTC)."""
    request_id: str
    method: str
    path: str
    status: int
    outcome: str
    duration_ms: float
    first_byte_ms: float | None = None
    route: str = ""
    dialect: str = ""
    tenant: str = ""
    model: str = ""
    upstream_model: str = ""
    provider: str = ""
    attempts: int = 0
    stream: bool = False
    bytes_in: int = 0
    bytes_out: int = 0
    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    error: str = ""
    peer: str = ""
    user_agent: str = ""


class AccessLog:
    """Reports -> lines. `wall` gives seconds since 1970; `write` takes a line, with its end."""

    def __init__(self, write: Callable[[bytes], None], *, wall: Callable[[], float] = time.time) -> None:
        self._write = write
        self._wall = wall
        self._encode = msgspec.json.Encoder().encode
        self._second = -1
        self._date = ""
        self._paths: dict[str, str] = {}
        self._agents: dict[str, str] = {}

    def log(self, report: Report, tokens: Sequence[int] | None) -> None:
        """Writes down a request that is over. `tokens`: how many of each of `metrics.TOKENS`."""
        began, first_byte = report.began, report.first_byte
        path, agent, tries = report.path, report.user_agent, report.tries
        last = tries[0] if len(tries) == 1 else report.decisive or _NOT_TRIED
        came = cached = left = thought = None
        if tokens is not None:
            fresh, cached, written, written_1h, tools, visible, thought = tokens
            came, left = fresh + cached + written + written_1h + tools, visible + thought
        line = Line(
            self._time(),
            report.request_id,
            report.method,
            self._paths.get(path) or _plain(path, _PATH_LIMIT, self._paths),
            report.status,
            report.outcome,
            _ms(report.ended - began),
            _ms(first_byte - began) if first_byte else None,
            report.route,
            report.dialect,
            report.tenant,
            report.asked,
            last.model,
            last.provider,
            len(tries),
            report.stream,
            report.bytes_in,
            report.bytes_out,
            came,
            cached,
            left,
            thought,
            report.error,
            report.peer,
            agent and (self._agents.get(agent) or _plain(agent, _AGENT_LIMIT, self._agents)),
        )
        self._write(self._encode(line) + b"\n")

    def _time(self) -> str:
        now = self._wall()
        second = int(now)
        if second != self._second:
            self._second = second
            self._date = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second))
        return self._date + _MILLISECONDS[int((now - second) * 1000)]


def _ms(seconds: float) -> float:
    """To the microsecond (`round` takes three times as long)."""
    return int(seconds * 1e6 + 0.5) / 1e3


def _plain(text: str, limit: int, remembered: dict[str, str]) -> str:
    """The caller's words, cut, without what looks like a key. Most come again and again."""
    shown = _KEY.sub("…", text[: 2 * limit])
    if len(shown) > limit:
        shown = shown[: limit - 1] + "…"
    if len(remembered) < _REMEMBERED and len(text) <= limit:
        remembered[text] = shown
    return shown

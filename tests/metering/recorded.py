"""Recorded answers of Google's models with what they reported, and a dot product that is written apart from ours.

The dot product reads the price file itself, counts as Google does and not in our buckets, and adds fractions of dollars.
"""

import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import Any

import tally
from laws.corpus import Exchange, exchanges, files
from portico.catalog import load_catalog
from portico.core.dialect import Seen
from portico.dialects import gemini
from portico.dialects.gemini.passing import GeminiWatch, see
from portico.wire import jsontext

FILE = tomllib.loads(resources.files("portico.catalog").joinpath("data", "google.toml").read_text("utf-8"))
LONG = 200_000
MEASURED: Counter[str] = tally.counter("metering measured")
"""Lines that are told at the end of a run."""


@dataclass(frozen=True)
class Answered:
    """A recorded call whose usage was reported, and the model of the catalog that it is charged as."""

    exchange: Exchange
    model: str
    backend: str
    metadata: dict[str, Any]
    seen: Seen

    @property
    def body(self) -> bytes:
        """What the caller sent."""
        return jsontext.encode(self.exchange.request)


@cache
def answered() -> list[Answered]:
    """All of them, those too that a source project shaped: what was reported is charged, whoever wrote it down."""
    return [one for path in files() for exchange in exchanges(path) for one in _answered(exchange)]


def _answered(exchange: Exchange) -> Iterator[Answered]:
    if exchange.dialect is not gemini.DIALECT or exchange.status != 200:
        return
    reports = [body.get("usageMetadata") for body in bodies(exchange)]
    said = [
        {name: value for name, value in report.items() if value is not None}
        for report in reports
        if isinstance(report, dict)
    ]
    counted = [report for report in said if "totalTokenCount" in report]
    if not counted:
        return
    seen = see(jsontext.encode(exchange.body)) if exchange.frames is None else watched(exchange)
    if seen.usage is not None:
        backend = "vertex" if exchange.kind == "vertex" else "gemini"
        yield Answered(exchange, _priced_as(exchange.model), backend, counted[-1], seen)


def _priced_as(name: str) -> str:
    """The catalog's model of that name; for one that it does not know, the one whose name begins so, or any."""
    if (model := load_catalog().known(name)) is not None:
        return model.name
    return max((known for known in FILE["models"] if name.startswith(known)), key=len, default="gemini-2.5-flash")


def bodies(exchange: Exchange) -> list[dict[str, Any]]:
    """The answer, or each piece of it."""
    if exchange.frames is None:
        return [exchange.body] if isinstance(exchange.body, dict) else []
    return [body for frame in exchange.frames if isinstance(body := jsontext.decode(frame.data), dict)]


def watched(exchange: Exchange) -> Seen:
    watch = GeminiWatch("id")
    for frame in exchange.frames or ():
        watch.feed(frame)
    return watch.seen()


# -- by hand -----------------------------------------------------------------------------------------------------------


def dollars(one: Answered) -> Fraction:
    """What a call cost, in dollars."""
    told = one.metadata
    prompt, cached = told.get("promptTokenCount", 0), told.get("cachedContentTokenCount", 0)
    rates = {column: _column(one, column, prompt > LONG) for column in ("input", "cached", "output")}
    everything = _by_modality(prompt, told.get("promptTokensDetails"))
    from_cache = _by_modality(cached, told.get("cacheTokensDetails"))
    sum_: Fraction = Fraction(0)
    for modality, tokens in everything.items():
        kept = from_cache.get(modality, 0)
        plain = _rate(rates["input"], modality)
        sum_ += (tokens - kept) * plain + kept * (_rate(rates["cached"], modality, plain))
    used = _tools(one)
    if used != {"search"}:
        for modality, tokens in _by_modality(
            told.get("toolUsePromptTokenCount", 0), told.get("toolUsePromptTokensDetails")
        ).items():
            sum_ += tokens * _rate(rates["input"], modality)
    for modality, tokens in _by_modality(
        told.get("candidatesTokenCount", 0), told.get("candidatesTokensDetails")
    ).items():
        sum_ += tokens * _rate(rates["output"], modality)
    sum_ += told.get("thoughtsTokenCount", 0) * _rate(rates["output"], "text")
    return sum_ / 10**6 + _fees(one, used)


def is_plain(one: Answered) -> bool:
    """Whether the details add up: where they do not, whose they are is a matter of taste (traffic.md 2)."""
    pairs = [("promptTokenCount", "promptTokensDetails"), ("candidatesTokenCount", "candidatesTokensDetails")]
    listed = {name: sum(item.get("tokenCount", 0) for item in one.metadata.get(name, ())) for _, name in pairs}
    cached, from_cache = one.metadata.get("cachedContentTokenCount", 0), one.metadata.get("cacheTokensDetails")
    return all(listed[name] <= one.metadata.get(count, 0) for count, name in pairs) and bool(from_cache or not cached)


def _column(one: Answered, column: str, long: bool) -> dict[str, str]:
    """Modality -> dollars per million: rows for the backend before those for all, the long band before the short."""
    found: dict[str, str] = {}
    for band in (0, LONG) if long else (0,):
        for backend in ("", one.backend):
            for entry in FILE["models"][one.model]["prices"]:
                fits = entry.get("above_tokens", 0) == band and entry.get("backend", "") == backend
                if column in entry and fits and "tier" not in entry:
                    found[entry.get("modality", "any")] = entry[column]
    return found


def _rate(column: dict[str, str], modality: str, otherwise: Fraction | None = None) -> Fraction:
    for name in (modality, "any"):
        if name in column:
            return Fraction(column[name])
    assert otherwise is not None
    return otherwise


def _by_modality(count: int, details: Any) -> dict[str, int]:
    names = {1: "text", 2: "image", 3: "video", 4: "audio", 5: "document"}
    listed: dict[str, int] = {}
    for item in details or ():
        name = names.get(item["modality"]) or str(item["modality"]).lower()
        listed[name] = listed.get(name, 0) + item.get("tokenCount", 0)
    listed["text"] = listed.get("text", 0) + count - sum(listed.values())
    return listed


def _tools(one: Answered) -> set[str]:
    text = jsontext.dumps(bodies(one.exchange))
    marks = {
        "search": ('"searchEntryPoint"', '"GOOGLE_SEARCH_WEB"'),
        "code": ('"executableCode"', '"codeExecutionResult"'),
        "urls": ('"urlContextMetadata":{"',),
        "store": ('"retrievedContext"',),
        "maps": ('"maps":{',),
        "mcp": ('"functionResponse"',),
    }
    return {tool for tool, words in marks.items() if any(word in text for word in words)}


def _fees(one: Answered, used: set[str]) -> Fraction:
    fees = FILE["fees"].get(FILE["models"][one.model].get("fees"), {})
    queries: set[str] = set()
    for body in bodies(one.exchange):
        for candidate in body.get("candidates") or ():
            queries |= set((candidate.get("groundingMetadata") or {}).get("webSearchQueries") or ())
            for part in (candidate.get("content") or {}).get("parts") or ():
                queries |= set(((part.get("toolCall") or {}).get("args") or {}).get("queries") or ())
    queries.discard("")
    sum_: Fraction = Fraction(0)
    for tool, name in (("search", "web_search"), ("maps", "google_maps")):
        if tool in used and name in fees:
            times = len(queries) if fees[name]["unit"] == "query" else min(1, len(queries) or 1)
            sum_ += times * Fraction(fees[name]["usd"])
    return sum_

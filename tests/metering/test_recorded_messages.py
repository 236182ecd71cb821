"""Input that Anthropic counted in recorded calls of text and tools of the caller, against what a ceiling holds for it."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from laws.corpus import FOLDER, TRUSTED
from metering.pricing import CATALOG, rates_of
from metering.recorded import MEASURED
from portico.core.ask import Ask
from portico.core.usage import Usage
from portico.metering.ceiling import ceiling
from portico.metering.charge import charge
from portico.wire import jsontext

FILES = sorted(FOLDER.glob("anthropic/*.jsonl"))
pytestmark = pytest.mark.skipif(not FILES, reason="no recordings")
DAY = date(2026, 11, 28)


def recorded() -> Iterator[dict[str, Any]]:
    for path in FILES:
        with path.open(encoding="utf-8") as lines:
            for raw in map(json.loads, lines):
                body = raw.get("request")
                if raw["fidelity"] in TRUSTED and raw["response"].get("status") == 200 and isinstance(body, dict):
                    yield raw


def is_plain(body: dict[str, Any]) -> bool:
    """Text and tools of the caller alone: nothing inline, by address, or run by the provider."""
    tools = body.get("tools") or []
    own = all(tool.get("type") in (None, "custom") for tool in tools)
    text = jsontext.dumps(body)
    return own and not body.get("mcp_servers") and '"source":{' not in text and '"container"' not in text


def told(raw: dict[str, Any]) -> dict[str, Any]:
    """The input as it was counted; a stream tells it first and may tell it again."""
    response = raw["response"]
    events = [event for event in response.get("sse") or () if isinstance(event, dict)]
    bodies = [response["body"]] if isinstance(response.get("body"), dict) else events
    found: dict[str, Any] = {}
    for body in bodies:
        for usage in (body.get("usage"), (body.get("message") or {}).get("usage")):
            found |= {name: count for name, count in (usage or {}).items() if count is not None}
    return found


def usage_of(counts: dict[str, Any]) -> Usage:
    split = counts.get("cache_creation") or {}
    hour = split.get("ephemeral_1h_input_tokens") or 0
    return Usage(
        input_uncached={"text": counts["input_tokens"]},
        input_cache_read={"text": counts.get("cache_read_input_tokens") or 0},
        input_cache_write={"text": (counts.get("cache_creation_input_tokens") or 0) - hour},
        input_cache_write_1h={"text": hour},
    )


def test_a_ceiling_covers_the_input_of_recorded_messages() -> None:
    judged = 0
    for raw in recorded():
        body, known = raw["request"], CATALOG.known(str(raw.get("model") or ""))
        counts = told(raw)
        if known is None or not known.prices.rows or not counts.get("input_tokens") or not is_plain(body):
            continue
        rates = rates_of(known.name, kind="anthropic", provider="anthropic", on=DAY)
        size = len(jsontext.encode(body))
        hour = b'"ttl":"1h"' in jsontext.encode(body)
        ask = Ask(size, max_output_tokens=0, own_tools=bool(body.get("tools")), long_cache=hour)
        paid = charge(usage_of(counts), {}, rates)
        assert not paid.unpriced
        assert ceiling(ask, rates, known.capabilities, default_hold_tokens=0).nanos >= paid.nanos, raw["id"]
        judged += 1
    MEASURED[f"{judged} ceilings of recorded Messages requests of Anthropic cover their input"] = 1
    assert judged > 150

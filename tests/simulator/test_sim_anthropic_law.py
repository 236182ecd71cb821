"""The law of the Anthropic side: what Anthropic accepted is accepted, what it refused is refused for the same reason.

Exceptions are rules, each with its reason, in `_out_of_scope`.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from anthropic.types import Message
from pydantic import ValidationError

from portico.simulator import Simulator
from simulator.sim_anthropic import EVENT, framed, known
from simulator.sim_memory import exchange

RECORDINGS = Path(os.environ.get("PORTICO_RECORDINGS", Path(__file__).parents[2] / "../shared/recordings"))
PATHS = ("/v1/messages", "/v1/messages/count_tokens")
_UNKEPT = (
    "mcp-client-2025-04-04,context-management-2025-06-27,files-api-2025-04-14,structured-outputs-2025-11-13,"
    "mid-conversation-tool-changes-2026-07-01,compact-2026-01-12,server-side-fallback-2026-06-01"
)
"""The betas of requests whose headers were not kept."""


def _recordings() -> Iterator[dict[str, Any]]:
    for path in sorted((RECORDINGS / "anthropic").glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)


def _out_of_scope(record: dict[str, Any]) -> str:
    """Why a recording says nothing about what a body may hold; "" if it does."""
    response = record["response"] or {}
    if record["fidelity"] not in ("wire", "wire_redacted"):
        return f"fidelity {record['fidelity']}: not as it was on the wire"
    vertex = record["endpoint"].endswith(("rawPredict", "streamRawPredict"))
    if (record["endpoint"] not in PATHS and not vertex) or record["method"] != "POST":
        return "an endpoint without a body"
    if not isinstance(record["request"], dict):
        return "no request body was recorded"
    if response.get("status") not in (200, 400, 404):
        return f"status {response.get('status')}: not about the body"
    return ""


def _headers(record: dict[str, Any]) -> dict[str, str]:
    """What was sent; where no version was kept no beta was either."""
    kept = {name.lower(): value for name, value in (record["request_headers"] or {}).items()}
    betas = kept.get("anthropic-beta", "") if "anthropic-version" in kept else _UNKEPT
    version = kept.get("anthropic-version", "2023-06-01")
    return {
        "x-api-key": "a-key",
        "authorization": "Bearer token",
        "anthropic-version": version,
        "anthropic-beta": betas,
    }


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason=f"no recordings at {RECORDINGS} (set PORTICO_RECORDINGS)")
async def test_anthropic_verdicts_are_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    sim, wrong, seen = Simulator(lenient=True), list[str](), Counter[str]()
    for record in _recordings():
        if reason := _out_of_scope(record):
            seen[f"skipped: {reason}"] += 1
            continue
        query = "&".join(f"{key}={value}" for key, value in (record["query"] or {}).items())
        one = exchange(record["endpoint"], record["request"], query=query, headers=_headers(record))
        await sim(one)
        wanted = record["response"]["status"]
        seen[f"judged: {wanted}"] += 1
        if one.status != wanted:
            said = f"Anthropic said {wanted} {json.dumps(record['response'].get('body'))[:200]}"
            wrong.append(f"{record['id']}: {said}, the simulator {one.status} {one.data[:300]!r}")
        elif wanted != 200:
            recorded, told = record["response"]["body"]["error"], one.json()["error"]
            if recorded["type"] != told["type"] or _place(recorded) != _place(told):
                wrong.append(f"{record['id']}: {recorded} became {told}")
            elif recorded["message"] == told["message"]:
                seen["refused in the very words"] += 1
    with capsys.disabled():
        told = "; ".join(f"{count} {what}" for what, count in sorted(seen.items()))
        sys.stdout.write(f"\nsimulator law, anthropic: {told}\n")
    assert not wrong, f"{len(wrong)} wrong\n" + "\n".join(wrong[:40])
    assert seen["judged: 200"] > 0
    assert seen["judged: 400"] > 0


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason=f"no recordings at {RECORDINGS} (set PORTICO_RECORDINGS)")
async def test_recorded_messages_are_answered_in_the_sdks_types() -> None:
    sim, unfit, answered = Simulator(lenient=True), list[str](), 0
    for record in _recordings():
        if _out_of_scope(record) or record["endpoint"] != PATHS[0]:
            continue
        body = {name: value for name, value in record["request"].items() if name != "stream"}
        for stream in (False, True):
            one = exchange(PATHS[0], body | {"stream": stream}, headers=_headers(record))
            await sim(one)
            if one.status != 200:
                continue
            answered += 1
            values = [event for event in framed(one.data) if event["type"] != "ping"] if stream else [one.json()]
            unfit += [f"{record['id']}: {told}" for value in values if (told := _unfit(value))]
    assert not unfit, f"{len(unfit)} unfit\n" + "\n".join(unfit[:20])
    assert answered


def _unfit(value: dict[str, Any]) -> str:
    """What the SDK's type does not have of a message or an event; "" if it has all."""
    try:
        if value["type"] == "message":
            known(Message.model_validate_json(json.dumps(value), strict=True))
        else:
            known(EVENT.validate_json(json.dumps(value), strict=True))
    except (AssertionError, ValidationError) as error:
        return f"{error} in {value}"
    return ""


def _place(error: dict[str, Any]) -> str:
    """What an error is about: the path before its sentence, or the whole sentence."""
    return str(error["message"]).partition(": ")[0]

"""The law of the OpenAI side: what OpenAI accepted is accepted, what it refused is refused for the same reason.

Exceptions are rules, each with its reason, in `_out_of_scope`.
"""

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from portico.simulator import Simulator
from simulator.sim_memory import exchange

RECORDINGS = Path(os.environ.get("PORTICO_RECORDINGS", Path(__file__).parents[2] / "../shared/recordings"))
PATHS = ("/v1/chat/completions", "/v1/responses", "/v1/responses/input_tokens", "/v1/embeddings")
_FETCH = re.compile(r"Error while downloading|unsupported_file|file type you uploaded")
_STORED = re.compile(r"previous_response_not_found")


def _recordings(kind: str) -> Iterator[dict[str, Any]]:
    for path in sorted((RECORDINGS / kind).glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)


def _out_of_scope(record: dict[str, Any]) -> str:
    """Why a recording says nothing about what a body may hold; "" if it does."""
    response = record["response"] or {}
    if record["fidelity"] not in ("wire", "wire_redacted"):
        return f"fidelity {record['fidelity']}: not as it was on the wire"
    if record["provider"] != "openai":
        return "another provider"
    if record["endpoint"] not in PATHS or record["method"] != "POST":
        return "an endpoint the simulator does not play"
    if not isinstance(record["request"], dict):
        return "no request body was recorded"
    status = response.get("status")
    if status not in (200, 400, 403, 404):
        return f"status {status}: not about the body"
    said = json.dumps(response.get("body") or response.get("sse") or "")
    if status == 400 and _FETCH.search(said):
        return "refused for what a URL led to"
    if status == 400 and _STORED.search(said):
        return "refused for what the provider had stored"
    if status == 404 and "deprecated" in said:
        return "a model that has been retired since"
    return ""


def _reason(body: Any) -> tuple[Any, ...]:
    error = body["error"]
    return error["code"], error["param"], error["type"]


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason=f"no recordings at {RECORDINGS} (set PORTICO_RECORDINGS)")
@pytest.mark.parametrize("kind", ["openai", "openai_responses"])
async def test_openai_verdicts_are_repeated(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    sim, wrong, seen = Simulator(lenient=True), list[str](), Counter[str]()
    for record in _recordings(kind):
        if reason := _out_of_scope(record):
            seen[f"skipped: {reason}"] += 1
            continue
        one = exchange(record["endpoint"], record["request"], headers={"authorization": "Bearer a-key"})
        await sim(one)
        wanted = record["response"]["status"]
        seen[f"judged: {wanted}"] += 1
        if one.status != wanted:
            said = f"OpenAI said {wanted} {json.dumps(record['response'].get('body'))[:200]}"
            wrong.append(f"{record['id']}: {said}, the simulator {one.status} {one.data[:300]!r}")
        elif wanted != 200:
            recorded = record["response"]["body"]
            if _reason(recorded) != _reason(one.json()):
                wrong.append(f"{record['id']}: {recorded} became {one.json()}")
            elif recorded["error"]["message"] == one.json()["error"]["message"]:
                seen["refused in the very words"] += 1
    with capsys.disabled():
        told = "; ".join(f"{count} {what}" for what, count in sorted(seen.items()))
        sys.stdout.write(f"\nsimulator law, {kind}: {told}\n")
    assert not wrong, f"{len(wrong)} wrong\n" + "\n".join(wrong[:40])
    assert seen["judged: 200"] > 0
    assert seen["judged: 400"] > 0

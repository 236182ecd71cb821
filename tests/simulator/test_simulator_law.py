"""The law: what Google accepted is accepted, what Google refused for its body is refused with the same word.

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
VERBS = ("generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents", "predict")
_CACHES = "/v1beta/cachedContents"
"""Only what is made can be judged: what is done with it later names what Google, not the simulator, called it."""
_PLACEHOLDER = re.compile(r"\w*REDACTED_\d+$")
_KEY = re.compile(r"API_KEY|API key|User location is not supported|billing", re.IGNORECASE)
_FETCH = re.compile(
    r"Cannot fetch content|URL_\w+|files?/\S+ (does not exist|is not in an ACTIVE state)|not in an ACTIVE state"
)


def _recordings() -> Iterator[dict[str, Any]]:
    for kind in ("gemini", "vertex"):
        for path in sorted((RECORDINGS / kind).glob("*.jsonl")):
            with path.open(encoding="utf-8") as lines:
                for line in lines:
                    yield json.loads(line)


def _out_of_scope(record: dict[str, Any]) -> str:
    """Why a recording says nothing about what a body may hold; "" if it does."""
    response = record["response"] or {}
    if record["fidelity"] not in ("wire", "wire_redacted"):
        return f"fidelity {record['fidelity']}: not as it was on the wire"
    made = (record["method"], record["endpoint"]) == ("POST", _CACHES)
    draws = record["endpoint"].endswith(":predict") and "embedding" not in record["endpoint"]
    if draws or (record["endpoint"].rpartition(":")[2] not in VERBS and not made):
        return "an endpoint the simulator does not play"
    if record["request"] is None:
        return "no request body was recorded"
    status = response.get("status")
    if status not in (200, 400):
        return f"status {status}: not about the body"
    said = json.dumps(response.get("body") or response.get("sse") or "")
    if status == 400 and _KEY.search(said):
        return "refused for its key or region"
    if status == 400 and _FETCH.search(said):
        return "refused for what a URL led to"
    return ""


def _word(body: Any) -> str:
    error = body[0] if isinstance(body, list) else body
    return str(error["error"]["status"])


def _restored(value: Any) -> Any:
    """wire_redacted recordings carry placeholders where signatures were; any base64 of the right form will do."""
    match value:
        case dict():
            return {key: _restored(inner) for key, inner in value.items()}
        case list():
            return [_restored(inner) for inner in value]
        case str() if _PLACEHOLDER.match(value):
            return "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="
        case _:
            return value


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason=f"no recordings at {RECORDINGS} (set PORTICO_RECORDINGS)")
async def test_recorded_verdicts_are_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    sim, wrong, seen = Simulator(lenient=True), list[str](), Counter[str]()
    for record in _recordings():
        if reason := _out_of_scope(record):
            seen[f"skipped: {reason}"] += 1
            continue
        request = record["request"]
        if record["fidelity"] == "wire_redacted":
            request = _restored(request)
        query = "&".join(f"{key}={value}" for key, value in (record["query"] or {}).items())
        headers = {"authorization": "Bearer token"}
        one = exchange(record["endpoint"], request, query=query, headers=headers)
        await sim(one)
        wanted = record["response"]["status"]
        seen[f"judged: {wanted}"] += 1
        if one.status != wanted:
            wrong.append(f"{record['id']}: Google said {wanted}, the simulator {one.status} {one.data[:300]!r}")
        elif wanted == 400:
            recorded = record["response"].get("body") or record["response"]["sse"]
            if _word(recorded) != _word(one.json()):
                wrong.append(f"{record['id']}: {_word(recorded)} became {_word(one.json())}")
    with capsys.disabled():
        told = "; ".join(f"{count} {what}" for what, count in sorted(seen.items()))
        sys.stdout.write(f"\nsimulator law: {told}\n")
    assert not wrong, "\n".join(wrong[:20])
    assert seen["judged: 200"] + seen["judged: 400"] > 0

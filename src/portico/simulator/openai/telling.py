"""Pieces that Chat Completions and Responses both tell: ids, usage counts, log probabilities, citations, call arguments."""

import hashlib
import json
import math
import re
from collections.abc import Iterator
from random import Random
from typing import Any

from portico.simulator import logprobs, tokens
from portico.simulator.plan import Draft
from portico.simulator.refusal import Json
from portico.simulator.signatures import canonical

PIECE = 4
"""Tokens in one event of a stream."""
BULK_PIECE = 64 * 1024
_FILLER = "simulated text, "
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
REFUSED = "[simulated] I'm sorry, but I can't help with that."


def call_id(dice: Random) -> str:
    """`call_` and 24 letters."""
    return "call_" + "".join(dice.choice(_LETTERS) for _ in range(24))


def arguments(call: Json, *, broken: bool = False) -> str:
    """The arguments of a call as the model writes them; `broken`: half of them, which is no JSON."""
    text = json.dumps(call["args"], separators=(",", ":"), ensure_ascii=False)
    return text[: max(1, len(text) // 2)] if broken else text


def pieces(text: str) -> list[str]:
    """The text in the pieces a stream brings; none of an empty one."""
    split = logprobs.split(text)
    if "".join(split) != text:  # what the splitter does not know is told letter by letter
        split = list(text)
    return ["".join(split[at : at + PIECE]) for at in range(0, len(split), PIECE)]


def bulk(size: int) -> Iterator[str]:
    """`size` bytes of text, in large pieces, made as they go."""
    filler = _FILLER * (BULK_PIECE // len(_FILLER))
    for at in range(0, size, len(filler)):
        yield filler[: min(len(filler), size - at)]


def filler(size: int) -> str:
    """`size` bytes of text at once."""
    return "".join(bulk(size))


def probabilities(text: str, top: int) -> list[Json]:
    """The log probability of each token of a text, with `top` others."""
    told: list[Json] = logprobs.result(text, top)["chosenCandidates"] if text else []
    tops: list[Json] = logprobs.result(text, top).get("topCandidates", []) if text and top else []
    made = []
    for number, one in enumerate(told):
        others = [_probability(other) for other in tops[number]["candidates"]] if tops else []
        made.append(_probability(one) | {"top_logprobs": others})
    return made


def _probability(one: Json) -> Json:
    data = one["token"].encode("utf-8", "surrogatepass")
    return {"token": one["token"], "bytes": list(data), "logprob": one["logProbability"]}


def read(body: Json, *fields: str) -> int:
    """The tokens a request costs to read: its texts, its tools, a flat price for each picture."""
    counted = sum(_count(body.get(field)) for field in fields)
    return counted + 7


def _count(value: Any) -> int:
    match value:
        case str():
            if value.startswith("data:"):
                return 255
            return tokens.count(value)
        case list():
            return sum(_count(one) for one in value)
        case dict():
            if value.get("type") in ("function", "custom"):
                return tokens.count(canonical(value))
            return sum(_count(one) for key, one in value.items() if key not in _UNREAD)
    return 0


_UNREAD = {
    "type",
    "role",
    "id",
    "call_id",
    "tool_call_id",
    "encrypted_content",
    "status",
    "detail",
    "data",
    "annotations",
}


def spent(made: Draft) -> int:
    """The tokens an answer costs to write, without its thoughts."""
    return made.visible


def citations(made: Draft, text: str) -> list[Json]:
    """The url_citations of an answer that rests on a search; offsets count characters."""
    found = made.work.evidence
    if found is None or not found.sources:
        return []
    lines = [match.span() for match in re.finditer(r"[^\n]*\S[^\n]*", text)]
    if not lines:
        return []
    noted = []
    for number, source in enumerate(found.sources):
        start, end = lines[min(number + 1, len(lines) - 1)]
        web = source.get("web") or {"uri": "https://fjord.example/", "title": "fjord.example"}
        host = web.get("title") or web.get("domain") or "fjord.example"
        url = f"https://{host}/{hashlib.sha256(web['uri'].encode()).hexdigest()[:8]}?utm_source=openai"
        noted.append({"start_index": start, "end_index": end, "title": host, "url": url})
    return noted


def unit(values: list[float]) -> list[float]:
    """The vector at length 1."""
    length = math.hypot(*values) or 1.0
    return [value / length for value in values]

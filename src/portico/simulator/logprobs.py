"""Log probabilities of the tokens of a text: invented, but the tokens are the text.

Shape (recorded on Vertex, mapping.md 2.10): `chosenCandidates` one a token, `topCandidates` one list a token, only if a
number was asked for, the chosen first.
"""

import hashlib
import re

from portico.simulator.refusal import Json

_TOKEN = re.compile(r"\s?[^\W_]{1,6}|\s|[^\s\w]{1,6}|_{1,6}|\w")
_OTHERS = (
    " the",
    " a",
    "\n",
    "**",
    " is",
    " of",
    "0",
    " in",
    " to",
    "-",
    " it",
    " on",
    " as",
    ",",
    ".",
    " Größe",
    " 東京",
)
_VOCABULARY = 256_000


def split(text: str) -> list[str]:
    """The tokens of a text; no frame of a stream ends within one."""
    return _TOKEN.findall(text)


def result(text: str, top: int) -> Json:
    """The logprobsResult of a piece of visible text; `top` candidates (0 to 20) for each of its tokens."""
    chosen = [_candidate(token, _log(token)) for token in split(text)]
    made: Json = {"chosenCandidates": chosen}
    if top:
        made["topCandidates"] = [{"candidates": _tops(one, top)} for one in chosen]
    return made


def average(text: str) -> float:
    """The avgLogprobs of a text. Recorded: near the mean of the tokens, never quite it."""
    logs = [_log(token) for token in split(text)]
    return sum(logs) / len(logs) - 0.0625 if logs else 0.0


def _candidate(token: str, log: float) -> Json:
    return {"token": token, "tokenId": _hash(token) % _VOCABULARY, "logProbability": log}


def _tops(chosen: Json, top: int) -> list[Json]:
    others = [token for token in _OTHERS if token != chosen["token"]]
    others += [f" word{number}" for number in range(top)]
    falling = [chosen["logProbability"] - 1.5 * (number + 1) for number in range(top - 1)]
    return [chosen, *(_candidate(token, log) for token, log in zip(others, falling, strict=False))]


def _log(token: str) -> float:
    return -(_hash(token) % 4096) / 4096


def _hash(token: str) -> int:
    return int.from_bytes(hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()[:6])

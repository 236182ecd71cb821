"""logprobsResult <-> token logprobs (mapping.md 2.10)."""

from collections.abc import Mapping
from typing import Any, Final

from portico.core.response import TokenLogprob, TopLogprob
from portico.dialects.gemini.fields import camelise

LOGPROBS: Final = "logprobsResult"


def read_logprobs(extras: dict[str, Any]) -> tuple[TokenLogprob, ...]:
    """Takes the tokens and their logprobs out of a candidate's extra fields. What is not of that shape stays there."""
    result = extras.get(LOGPROBS)
    if not isinstance(result, Mapping):
        return ()
    fields = camelise(result)
    chosen = [_one(token) for token in _list(fields.pop("chosenCandidates", None))]
    places = [
        [_one(token) for token in _list(camelise(place).get("candidates"))] if isinstance(place, Mapping) else [None]
        for place in _list(fields.pop("topCandidates", None))
    ]
    if not chosen or (places and len(places) != len(chosen)) or None in chosen or any(None in tops for tops in places):
        return ()
    if fields:
        extras[LOGPROBS] = fields
    else:
        del extras[LOGPROBS]
    tops = places or [[] for _ in chosen]
    return tuple(
        [
            TokenLogprob(token, tuple([one for one in top if one is not None]))
            for token, top in zip(chosen, tops, strict=True)
            if token is not None
        ]
    )


def _one(wire: Any) -> TopLogprob | None:
    if not isinstance(wire, Mapping):
        return None
    fields = camelise(wire)
    token, logprob, number = fields.get("token"), fields.get("logProbability"), fields.get("tokenId")
    if not isinstance(token, str) or isinstance(logprob, bool) or not isinstance(logprob, (int, float)):
        return None
    return TopLogprob(token, logprob, number if isinstance(number, int) else None)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def render_logprobs(logprobs: tuple[TokenLogprob, ...]) -> dict[str, Any]:
    """`{chosenCandidates, topCandidates}`; the latter only if any place has some."""
    result: dict[str, Any] = {"chosenCandidates": [_wire(said.chosen) for said in logprobs]}
    if any(said.top for said in logprobs):
        result["topCandidates"] = [{"candidates": [_wire(one) for one in said.top]} for said in logprobs]
    return result


def _wire(said: TopLogprob) -> dict[str, Any]:
    wire: dict[str, Any] = {"token": said.token}
    if said.token_id is not None:
        wire["tokenId"] = said.token_id
    wire["logProbability"] = said.logprob
    return wire

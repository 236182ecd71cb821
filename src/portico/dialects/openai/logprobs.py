"""`logprobs` <-> token logprobs (mapping.md 2.10)."""

from collections.abc import Iterable, Mapping
from typing import Any

from portico.core.response import TokenLogprob, TopLogprob


def render_logprobs(logprobs: Iterable[TokenLogprob]) -> dict[str, Any]:
    """`{content: [{token, logprob, bytes, top_logprobs}], refusal: null}`. A token's number rides along as `token_id`."""
    content = [{**_wire(said.chosen), "top_logprobs": [_wire(one) for one in said.top]} for said in logprobs]
    return {"content": content, "refusal": None}


def _wire(said: TopLogprob) -> dict[str, Any]:
    utf8 = said.token.encode("utf-8", "replace") if said.utf8 is None else said.utf8
    wire: dict[str, Any] = {"token": said.token, "logprob": said.logprob, "bytes": list(utf8)}
    if said.token_id is not None:
        wire["token_id"] = said.token_id
    return wire


def parse_logprobs(wire: Any) -> tuple[tuple[TokenLogprob, ...], dict[str, Any]]:
    """The tokens of the content, and what else was told (logprobs of a refusal)."""
    if not isinstance(wire, Mapping):
        return (), {}
    content = wire.get("content") or []
    tokens = tuple([TokenLogprob(_one(item), tuple(map(_one, item.get("top_logprobs") or ()))) for item in content])
    return tokens, {name: value for name, value in wire.items() if name != "content" and value is not None}


def _one(wire: Mapping[str, Any]) -> TopLogprob:
    """Raises `TypeError` for what is no token with its logprob, as reading any answer of strange shape may."""
    token, logprob, told, number = (wire.get(name) for name in ("token", "logprob", "bytes", "token_id"))
    if not isinstance(token, str) or isinstance(logprob, bool) or not isinstance(logprob, (int, float)):
        raise TypeError("a logprob is a token and a number")
    utf8 = bytes(told) if told is not None else None
    own = token.encode("utf-8", "replace")
    return TopLogprob(token, logprob, number if isinstance(number, int) else None, None if utf8 == own else utf8)

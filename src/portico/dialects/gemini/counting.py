"""countTokens: how Google is asked how many tokens a request has, and how its callers are told (mapping.md 5, 7.6).

The Gemini API takes the whole request in an envelope, which must name the model; Vertex AI takes its parts bare.
"""

from collections.abc import Mapping
from typing import Any, Final

from portico.core.dialect import Counting
from portico.core.target import Target
from portico.dialects.gemini.fields import camelise
from portico.wire.names import camel

ENVELOPE: Final = "generateContentRequest"
_BARE: Final = ("contents", "systemInstruction", "tools", "generationConfig")
"""What countTokens of Vertex AI takes."""


def asked(body: Any) -> Any:
    """The request that a caller asks about: what is in the envelope, if it has one."""
    if not isinstance(body, Mapping):
        return body
    return next((value for key, value in body.items() if camel(key) == ENVELOPE), body)


def question(rendered: Any, target: Target) -> Any:
    if target.provider_kind == "vertex":
        return {name: rendered[name] for name in _BARE if name in rendered}
    contents = [_without_ids(content) for content in rendered.get("contents", ())]
    return {ENVELOPE: {"model": f"models/{target.model}", **rendered, "contents": contents}}


def _without_ids(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The Gemini API counts no call and no result that carries an id (mapping.md 5.6)."""
    return {**content, "parts": [_without_id(part) for part in content["parts"]]}


def _without_id(part: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in ("functionCall", "functionResponse"):
        if "id" in part.get(name, ()):
            return {**part, name: {key: value for key, value in part[name].items() if key != "id"}}
    return part


def read(answer: Any) -> int | None:
    if not isinstance(answer, Mapping):
        return None
    total = camelise(answer).get("totalTokens")
    if isinstance(total, str) and total.isascii() and total.isdecimal():
        total = int(total[:18])
    return total if isinstance(total, int) and not isinstance(total, bool) and total >= 0 else None


def tell(number: int) -> dict[str, Any]:
    return {"totalTokens": number}


COUNTING: Final = Counting(asked=asked, question=question, read=read, tell=tell)

"""What to answer: text, calls, JSON, a picture, decided from the request and the dice alone.

The plan is what the model "meant"; how it is cut into parts and events is told elsewhere, so that a stream and a whole
answer to one request say the same.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from portico.simulator import calling, media, schema, subset, tokens
from portico.simulator.builtin import Desk, Work, work
from portico.simulator.faults import Wishes
from portico.simulator.literals import NOTHING, Hints, read
from portico.simulator.models import Model
from portico.simulator.refusal import Json, Refused
from portico.simulator.signatures import canonical
from portico.simulator.tokens import Tally
from portico.simulator.toolrules import declarations
from portico.simulator.turns import Turn, results, turns

_THOUGHTS = {"MINIMAL": 0, "LOW": 64, "MEDIUM": 320, "HIGH": 800, "dynamic": 320, "off": 0}


@dataclass(frozen=True)
class Draft:
    """One candidate's answer before it is cut into parts. `bulk` asks for that many bytes of text, made as they go."""

    text: str = ""
    calls: tuple[Json, ...] = ()
    media: Json | None = None
    media_tokens: int = 0
    thoughts: str = ""
    thought_tokens: int = 0
    finish: str = "STOP"
    message: str = ""
    bulk: int = 0
    ratings: tuple[Json, ...] = field(default=())
    work: Work = field(default=Work())
    tooled: bool = False
    """Functions were declared."""
    stopped: str = ""
    """The stop sequence that ended the text."""

    @property
    def visible(self) -> int:
        """The tokens of what can be seen."""
        calls = sum(tokens.of(call) for call in self.calls)
        return tokens.count(self.text) + calls + self.media_tokens + self.bulk // 4 + self.coded

    @property
    def coded(self) -> int:
        """The tokens of code run on the way."""
        return sum(one.cost for one in self.work.rounds if one.counted)

    @property
    def first_thoughts(self) -> int:
        """The thoughts before the first tool ran."""
        return (self.thought_tokens + 1) // 2 if self.work.searched else self.thought_tokens

    def spent(self, model: Model) -> Tally:
        """What the finished answer is charged."""
        replayed = self.first_thoughts if self.work.searched and model.modern else 0
        visible = 0 if self.work.uncounted else self.visible
        return Tally(visible, self.thought_tokens, self.work.tool_tokens, replayed)


def draft(request: Json, model: Model, asked: Wishes, dice: Random, *, vertex: bool = False, index: int = 0) -> Draft:
    """The answer to an accepted GenerateContentRequest; `index` tells candidates apart."""
    config = request.get("generationConfig", {})
    made = _content(Desk(request, model, vertex, asked, turns(request["contents"]), dice))
    if index and made.text.startswith("[simulated]"):
        made = replace(made, text=f"{made.text} (answer {index + 1})")
    made = replace(_think(made, config, model, asked), tooled=bool(declarations(request)))
    return _limit(_stop(made, config), config, asked)


def _content(desk: Desk) -> Draft:
    request, model, asked = desk.request, desk.model, desk.asked
    config = request.get("generationConfig", {})
    if model.makes == "audio":
        blob, cost = media.speech(asked.words)
        return Draft(media=blob, media_tokens=cost)
    calls = calling.calls(request, model, asked, desk.conversation, desk.dice)
    done = work(desk, calls)
    if calls:
        text = f"[simulated] Calling {len(calls)} function(s)." if "talk" in asked else ""
        return Draft(text=text, calls=calls, work=done)
    if "size" in asked:
        return Draft(bulk=int(asked.number("size", 1e6)))
    if config.get("responseMimeType") in ("application/json", "text/x.enum"):
        return Draft(text=_json(config, asked, desk.dice), work=done)
    text = _spoken_json(desk) or "\n".join((_text(asked, desk.conversation), *done.lines))
    if model.makes == "image" and set(config.get("responseModalities", ["IMAGE"])) & {"IMAGE"}:
        alone = config.get("responseModalities") == ["IMAGE"]
        picture = media.picture(asked.words)
        return Draft(text="" if alone else text, media=picture, media_tokens=media.IMAGE_TOKENS, work=done)
    return Draft(text=text, work=done)


def _json(config: Json, asked: Wishes, dice: Random) -> str:
    json_schema, older = config.get("responseJsonSchema"), config.get("responseSchema")
    hints = Hints(read(asked.words))
    if json_schema is None and older is None:
        names = _keys(asked.words)
        if not names:
            return canonical({"simulated": True, "said": asked.words[:200]})
        json_schema = {"type": "object", "properties": {name: {} for name in names}, "required": names}
        hints = Hints(read(asked.words, names))
    fitting = older if json_schema is None else json_schema
    value = schema.make(fitting, dice, ordered=json_schema is not None, hints=hints)
    if config.get("responseMimeType") == "text/x.enum":
        return str(value)
    return _ordered(value)


def _keys(words: str) -> list[str]:
    """The keys a prompt asks a JSON answer to have: quoted names in a sentence that speaks of keys."""
    for sentence in re.split(r"(?<=[.!?])\s+", words):
        if re.search(r"\b(?:keys?|fields?|properties|property|attributes?)\b", sentence, re.IGNORECASE):
            return list(dict.fromkeys(re.findall(r"[\"'`‘“]([A-Za-z_]\w{0,60})[\"'`’”]", sentence)))
    return []


def _spoken_json(desk: Desk) -> str:
    """JSON for a prompt that gives its schema in words, as those do who cannot use JSON mode beside tools."""
    system = desk.request.get("systemInstruction", {}).get("parts", [])
    for text in (*(part.get("text", "") for part in system), desk.asked.words):
        if "JSON" in text and (asked := _schema_in(text)) is not NOTHING:
            hints = Hints(read(desk.asked.words))
            return _ordered(schema.make(asked, desk.dice, hints=hints))
    return ""


def _schema_in(text: str) -> Any:
    decoder = json.JSONDecoder()
    for match in list(re.finditer(r"\{", text[:50_000]))[:20]:
        try:
            value, _ = decoder.raw_decode(text, match.start())
        except ValueError:
            continue
        if isinstance(value, dict) and isinstance(value.get("properties"), dict) and _is_schema(value):
            return value
    return NOTHING


def _is_schema(value: Json) -> bool:
    try:
        subset.check_json_schema(value, "")
    except Refused:
        return False
    return True


def _ordered(value: object) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{canonical(key)}: {_ordered(inner)}" for key, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(_ordered(inner) for inner in value) + "]"
        case _:
            return canonical(value)


def _text(asked: Wishes, conversation: Sequence[Turn]) -> str:
    if "say" in asked:
        return f"[simulated]\n{asked.asked['say']}"
    if "words" in asked:
        return "[simulated] " + " ".join(f"word{n}" for n in range(int(asked.number("words", 100))))
    if returned := results(conversation):
        told = "; ".join(f"{one['name']} returned {canonical(one.get('response', {}))[:400]}" for one in returned)
        return f"[simulated] Done: {told}"
    last = next((turn for turn in reversed(conversation) if turn.speaks), None)
    kinds = [
        (part.get("inlineData") or part.get("fileData") or {}).get("mimeType", "file")
        for part in (last.parts if last else [])
        if "inlineData" in part or "fileData" in part
    ]
    seen = f" I received {', '.join(kinds)}." if kinds else ""
    said = f'You said: "{asked.words[:1000]}"' if asked.words else "You said nothing."
    return f"[simulated] {said}{seen}"


def _think(made: Draft, config: Json, model: Model, asked: Wishes) -> Draft:
    thinking, rule = config.get("thinkingConfig", {}), model.thinking
    if rule is None:
        return made
    budget, level = thinking.get("thinkingBudget"), thinking.get("thinkingLevel")
    spent = _THOUGHTS.get(level or rule.default, 0)
    if budget is not None:
        spent = _THOUGHTS["dynamic"] if budget < 0 else min(budget, _THOUGHTS["dynamic"])
    words = ""
    if spent and thinking.get("includeThoughts"):
        words = f"**Considering the request**\n\n[simulated] Thinking about: {asked.words[:80]}\n\n\n"
    return replace(made, thoughts=words, thought_tokens=spent)


def _stop(made: Draft, config: Json) -> Draft:
    cuts = [(at, stop) for stop in config.get("stopSequences", []) if (at := made.text.find(stop)) >= 0]
    if not cuts:
        return made
    at, stop = min(cuts)
    return replace(made, text=made.text[:at], media=None, media_tokens=0, stopped=stop)


def _limit(made: Draft, config: Json, asked: Wishes) -> Draft:
    """The token limit covers thoughts too; a call or a picture that does not fit is not delivered at all."""
    limit = config.get("maxOutputTokens")
    if "length" in asked:
        limit = min(limit or 10**9, made.thought_tokens + max(1, made.visible // 2))
    if limit is None or made.bulk or made.thought_tokens + made.visible <= limit:
        return made
    spent = min(made.thought_tokens, limit)
    left = limit - spent - made.coded
    done = Work() if left < 0 else replace(made.work, after_calls=False, uncounted=False)
    text = tokens.clip(made.text, max(0, left))
    cut = replace(made, text=text, calls=(), media=None, media_tokens=0, thought_tokens=spent, work=done)
    return replace(cut, finish="MAX_TOKENS")


_SAFETY: tuple[Json, ...] = tuple(
    {"category": f"HARM_CATEGORY_{name}", "probability": "NEGLIGIBLE"}
    for name in ("HATE_SPEECH", "DANGEROUS_CONTENT", "HARASSMENT", "SEXUALLY_EXPLICIT")
)
_BLOCKED: tuple[Json, ...] = (
    {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True},
    *_SAFETY[2:],
)


def spoil(made: Draft, asked: Wishes) -> Draft:
    """The answer as a failure of the model would have left it, if one was asked for."""
    if "malformed" in asked:
        text = "Malformed function call: print(default_api.simulated(x=))"
        return Draft(finish="MALFORMED_FUNCTION_CALL", message=text)
    if "unexpected" in asked:
        return Draft(finish="UNEXPECTED_TOOL_CALL", message="Model tried to call an undeclared function: simulated")
    if "empty" in asked:
        return Draft(thought_tokens=made.thought_tokens)
    if "safety" in asked:
        text = made.text[: max(12, len(made.text) // 2)]
        return replace(made, text=text, calls=(), finish="SAFETY", ratings=_BLOCKED, work=Work())
    if "recitation" in asked:
        return Draft(finish="RECITATION")
    return made

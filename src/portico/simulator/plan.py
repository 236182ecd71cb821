"""What to answer: text, calls, JSON, a picture, decided from the request and the dice alone.

The plan is what the model "meant"; how it is cut into parts and events is told elsewhere, so that a stream and a whole
answer to one request say the same.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

from portico.simulator import media, schema, tokens
from portico.simulator.faults import Wishes
from portico.simulator.models import Model
from portico.simulator.refusal import Json
from portico.simulator.signatures import canonical
from portico.simulator.toolrules import declarations
from portico.simulator.turns import Turn, current, steps, turns

_THOUGHTS = {"MINIMAL": 0, "LOW": 64, "MEDIUM": 320, "HIGH": 800, "dynamic": 320, "off": 0}
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


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

    @property
    def visible(self) -> int:
        """The tokens of what can be seen."""
        return (
            tokens.count(self.text) + sum(tokens.of(call) for call in self.calls) + self.media_tokens + self.bulk // 4
        )


def draft(request: Json, model: Model, asked: Wishes, dice: Random) -> Draft:
    """The answer to an accepted GenerateContentRequest."""
    config = request.get("generationConfig", {})
    conversation = turns(request["contents"])
    made = _content(request, model, asked, conversation, dice)
    made = _think(made, config, model, asked)
    return _limit(_stop(made, config), config, asked)


def _content(request: Json, model: Model, asked: Wishes, conversation: Sequence[Turn], dice: Random) -> Draft:
    config = request.get("generationConfig", {})
    if model.makes == "audio":
        blob, cost = media.speech(asked.words)
        return Draft(media=blob, media_tokens=cost)
    calls = _calls(request, model, asked, conversation, dice)
    if calls:
        text = f"[simulated] Calling {len(calls)} function(s)." if "talk" in asked else ""
        return Draft(text=text, calls=calls)
    if "size" in asked:
        return Draft(bulk=int(asked.number("size", 1e6)))
    if config.get("responseMimeType") in ("application/json", "text/x.enum"):
        return Draft(text=_json(config, asked, dice))
    text = _text(asked, conversation)
    if model.makes == "image" and set(config.get("responseModalities", ["IMAGE"])) & {"IMAGE"}:
        alone = config.get("responseModalities") == ["IMAGE"]
        return Draft(text="" if alone else text, media=media.picture(asked.words), media_tokens=media.IMAGE_TOKENS)
    return Draft(text=text)


def _calls(request: Json, model: Model, asked: Wishes, conversation: Sequence[Turn], dice: Random) -> tuple[Json, ...]:
    config = request.get("toolConfig", {}).get("functionCallingConfig", {})
    mode = config.get("mode", "AUTO")
    declared = {one["name"]: one for one in declarations(request)}
    if mode == "NONE" or not declared:
        return ()
    offered = [name for name in declared if name in (config.get("allowedFunctionNames") or declared)]
    done = sum(1 for _ in steps(conversation))
    chosen = _chosen(offered, mode, asked, done, dice)
    wanted = int(asked.number("calls", 0))
    while chosen and len(chosen) < wanted:
        chosen.append(offered[len(chosen) % len(offered)])
    calls = []
    for name in chosen:
        call: Json = {"name": name, "args": _arguments(declared[name], dice)}
        if model.modern:
            call["id"] = "".join(dice.choice(_LETTERS) for _ in range(8))
        calls.append(call)
    return tuple(calls)


def _chosen(offered: list[str], mode: str, asked: Wishes, done: int, dice: Random) -> list[str]:
    named = [name for name in offered if _names(asked.words, name)]
    if done < int(asked.number("steps", 0)):
        pool = named or offered
        return [pool[n % len(pool)] for n in range(2)]
    if mode == "ANY":
        return named or [offered[dice.randrange(len(offered))]]
    if done:
        return []
    if named:
        return named
    if "calls" in asked or (mode == "VALIDATED" and dice.random() < 0.5):
        return [offered[0]]
    return [name for name in offered if _speaks_of(asked.words, name)] or _invited(asked.words, offered)


def _speaks_of(text: str, name: str) -> bool:
    """Whether the text has a telling word of a tool's name (`weather` of `get_weather`)."""
    spoken = set(re.findall(r"[a-z]{4,}", text.lower()))
    return any(word in spoken for word in re.findall(r"[a-z]{4,}", re.sub(r"([A-Z])", r" \1", name).lower()))


def _invited(text: str, offered: list[str]) -> list[str]:
    """A question that no tool's name answers: the only tool there is, or the first when the text speaks of tools."""
    speaks = re.search(r"\b(tools?|functions?|call|use)\b", text, re.IGNORECASE)
    return offered[:1] if len(offered) == 1 or speaks else []


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w.:-]){re.escape(name)}(?![\w:-])", text, re.IGNORECASE) is not None


def _arguments(declaration: Json, dice: Random) -> Json:
    json_schema = declaration.get("parametersJsonSchema")
    parameters = json_schema if json_schema is not None else declaration.get("parameters", {"type": "OBJECT"})
    made = schema.make(parameters, dice, ordered=json_schema is not None)
    return made if isinstance(made, dict) else {}


def _json(config: Json, asked: Wishes, dice: Random) -> str:
    json_schema, subset = config.get("responseJsonSchema"), config.get("responseSchema")
    if json_schema is None and subset is None:
        return canonical({"simulated": True, "said": asked.words[:200]})
    value = schema.make(subset if json_schema is None else json_schema, dice, ordered=json_schema is not None)
    if config.get("responseMimeType") == "text/x.enum":
        return str(value)
    return _ordered(value)


def _ordered(value: object) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{canonical(key)}: {_ordered(inner)}" for key, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(_ordered(inner) for inner in value) + "]"
        case _:
            return canonical(value)


def _text(asked: Wishes, conversation: Sequence[Turn]) -> str:
    if "words" in asked:
        return "[simulated] " + " ".join(f"word{n}" for n in range(int(asked.number("words", 100))))
    results = [part["functionResponse"] for turn in current(conversation) for part in turn.having("functionResponse")]
    if results:
        told = "; ".join(f"{one['name']} returned {canonical(one.get('response', {}))[:400]}" for one in results)
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
    cuts = [at for stop in config.get("stopSequences", []) if (at := made.text.find(stop)) >= 0]
    return replace(made, text=made.text[: min(cuts)], media=None, media_tokens=0) if cuts else made


def _limit(made: Draft, config: Json, asked: Wishes) -> Draft:
    """The token limit covers thoughts too; a call or a picture that does not fit is not delivered at all."""
    limit = config.get("maxOutputTokens")
    if "length" in asked:
        limit = min(limit or 10**9, made.thought_tokens + max(1, made.visible // 2))
    if limit is None or made.bulk or made.thought_tokens + made.visible <= limit:
        return made
    spent = min(made.thought_tokens, limit)
    left = limit - spent
    text = tokens.clip(made.text, left)
    cut = replace(made, text=text, calls=(), media=None, media_tokens=0, thought_tokens=spent, finish="MAX_TOKENS")
    return cut if left else replace(cut, text="")


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
        return replace(made, text=text, calls=(), finish="SAFETY", ratings=_BLOCKED)
    if "recitation" in asked:
        return Draft(finish="RECITATION")
    return made

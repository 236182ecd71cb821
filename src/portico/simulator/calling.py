"""Which functions are called, and with what: a plausible user of tools, decided by rules.

A function is called when it is forced, named, spoken of by a word of its name, or the only or first one there is while the
prompt speaks of tools. Its arguments are the literals of the prompt. After the results there are no more calls before the
model has answered in words, unless ANY forces them or `steps` asks for them.
"""

import re
from collections.abc import Sequence
from random import Random
from typing import Any

from portico.simulator import schema
from portico.simulator.faults import Wishes
from portico.simulator.literals import Hints, Literals, read
from portico.simulator.models import Model
from portico.simulator.refusal import Json
from portico.simulator.toolrules import declarations
from portico.simulator.turns import Turn, calls_since_asked, results

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_MOST_SPREAD = 8


def mint(dice: Random) -> str:
    """An id as generation 3 gives them."""
    return "".join(dice.choice(_LETTERS) for _ in range(8))


def calls(request: Json, model: Model, asked: Wishes, conversation: Sequence[Turn], dice: Random) -> tuple[Json, ...]:
    """The functionCalls of this answer, none if it should be text."""
    config = request.get("toolConfig", {}).get("functionCallingConfig", {})
    mode = config.get("mode", "AUTO")
    declared = {one["name"]: one for one in declarations(request)}
    if mode == "NONE" or not declared:
        return ()
    offered = [name for name in declared if name in (config.get("allowedFunctionNames") or declared)]
    done = calls_since_asked(conversation)
    chosen = _chosen(offered, mode, asked, done, dice, answered=bool(results(conversation)))
    wanted = int(asked.number("calls", 0))
    while chosen and len(chosen) < wanted:
        chosen.append(offered[len(chosen) % len(offered)])
    literals = read(asked.words, {*declared, *(word for name in declared for word in _words(name))})
    spread = not (wanted or "steps" in asked or done)
    made = []
    for name in chosen:
        for arguments in _arguments(declared[name], literals, dice, spread=spread):
            call: Json = {"name": name, "args": arguments}
            if model.modern:
                call["id"] = mint(dice)
            made.append(call)
    return tuple(made)


def _chosen(offered: list[str], mode: str, asked: Wishes, done: int, dice: Random, *, answered: bool) -> list[str]:
    named = [name for name in offered if _names(asked.words, name)]
    if done < int(asked.number("steps", 0)):
        pool = named or offered
        return [pool[n % len(pool)] for n in range(2)]
    if mode == "ANY":
        spoken = [name for name in offered if _speaks_of(asked.words, name)]
        return named or spoken or [offered[dice.randrange(len(offered))]]
    if done or answered:
        return []
    if named:
        return named
    if "calls" in asked or (mode == "VALIDATED" and dice.random() < 0.5):
        return [offered[0]]
    return [name for name in offered if _speaks_of(asked.words, name)] or _invited(asked.words, offered)


def _speaks_of(text: str, name: str) -> bool:
    """Whether the text has a telling word of a tool's name (`weather` of `get_weather`)."""
    spoken = set(re.findall(r"[a-z]{4,}", text.lower()))
    return any(word in spoken for word in _words(name))


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z]{4,}", re.sub(r"([A-Z])", r" \1", name).lower())


def _invited(text: str, offered: list[str]) -> list[str]:
    """A question that no tool's name answers: the only tool there is, or the first when the text speaks of tools."""
    speaks = re.search(r"\b(tools?|functions?|call|use)\b", text, re.IGNORECASE)
    return offered[:1] if len(offered) == 1 or speaks else []


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w.:-]){re.escape(name)}(?![\w:-])", text, re.IGNORECASE) is not None


def _arguments(declaration: Json, literals: Literals, dice: Random, *, spread: bool) -> list[Json]:
    """The arguments of every call of one function: several if the prompt writes several, or names several things."""
    json_schema = declaration.get("parametersJsonSchema")
    parameters = json_schema if json_schema is not None else declaration.get("parameters", {"type": "OBJECT"})
    bound = _several(declaration["name"], parameters, literals) if spread else []
    made = []
    for values in bound[:_MOST_SPREAD] or [{}]:
        hints = Hints(literals, values)
        value = schema.make(parameters, dice, ordered=json_schema is not None, hints=hints, sparse=True)
        made.append(value if isinstance(value, dict) else {})
    return made


def _several(name: str, parameters: Any, literals: Literals) -> list[dict[str, Any]]:
    properties, required, kinds = schema.fields(parameters)
    written = literals.written(name, list(properties))
    if any(written):
        return written
    scalar = [one for one in required if kinds[one] in ("string", "integer", "number")]
    if len(scalar) != 1 or len(required) != 1 or properties[scalar[0]].get("enum"):
        return []
    text = kinds[scalar[0]] == "string"
    things: tuple[Any, ...] = () if text and literals.quoted else literals.spread_names
    return [{scalar[0]: thing} for thing in (things if text else literals.spread_numbers)]

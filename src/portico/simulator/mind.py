"""The mind behind every dialect: what was said, in one plain form, and what to answer to it.

The planner (`plan.draft`) was written for one form of conversation. The other dialects tell theirs in it here, so that one
prompt gets one answer in every dialect. It knows no vendor: no signature, no id, no wire.
"""

from dataclasses import dataclass, replace
from random import Random

from portico.simulator.faults import Wishes
from portico.simulator.models import Model, Thinking
from portico.simulator.plan import Draft, draft, spoil
from portico.simulator.refusal import Json

_MIND = Model("mind", (3, 0), Thinking("budget", "off", high=10**6))


@dataclass(frozen=True)
class Tool:
    """A function that may be called; `schema` is the JSON Schema of its arguments."""

    name: str
    schema: Json


@dataclass(frozen=True)
class Ask:
    """One request as the mind hears it.

    `said`: contents made by `said`. `must`: a function has to be called; `only`: the names to choose from; `single`: at
    most one call. `schema`: what the answer must fit; `json`: it must be JSON. `searches`, `runs`: built-in search and code
    are offered. `thoughts`: tokens to think, `limit`: tokens to think and write (None: no end).
    """

    said: list[Json]
    system: str = ""
    tools: tuple[Tool, ...] = ()
    silent: bool = False
    must: bool = False
    only: tuple[str, ...] = ()
    single: bool = False
    schema: Json | None = None
    json: bool = False
    searches: bool = False
    runs: bool = False
    stops: tuple[str, ...] = ()
    thoughts: int = 0
    limit: int | None = None


def said(parts: list[Json], *, model: bool = False) -> Json:
    """A content: what one side said."""
    return {"role": "MODEL" if model else "USER", "parts": parts}


def text(words: str) -> Json:
    return {"text": words}


def shown(media_type: str) -> Json:
    """A picture, a sound or a file that the user showed."""
    return {"inlineData": {"mimeType": media_type}}


def called(name: str, arguments: Json) -> Json:
    return {"functionCall": {"name": name, "args": arguments}}


def returned(name: str, output: object) -> Json:
    return {"functionResponse": {"name": name, "response": {"output": output}}}


def answer(ask: Ask, asked: Wishes, dice: Random, *, index: int = 0) -> Draft:
    """What to answer; `index` tells the choices of one request apart."""
    made = draft(_request(ask), _MIND, asked, dice, index=index)
    if ask.single and len(made.calls) > 1:
        made = replace(made, calls=made.calls[:1])
    return spoil(made, asked)


def _request(ask: Ask) -> Json:
    config: Json = {"thinkingConfig": {"thinkingBudget": ask.thoughts, "includeThoughts": ask.thoughts > 0}}
    if ask.stops:
        config["stopSequences"] = list(ask.stops)
    if ask.limit is not None:
        config["maxOutputTokens"] = ask.limit
    if ask.schema is not None or ask.json:
        config["responseMimeType"] = "application/json"
        if ask.schema is not None:
            config["responseJsonSchema"] = ask.schema
    mode = "NONE" if ask.silent else "ANY" if ask.must and ask.tools else "AUTO"
    calling: Json = {"mode": mode}
    if ask.only:
        calling["allowedFunctionNames"] = list(ask.only)
    declared = [{"name": tool.name, "parametersJsonSchema": tool.schema} for tool in ask.tools]
    tools: list[Json] = [{"functionDeclarations": declared}] if declared else []
    if ask.searches:
        tools.append({"googleSearch": {}})
    if ask.runs:
        tools.append({"codeExecution": {}})
    return {
        "contents": ask.said,
        "systemInstruction": {"parts": [{"text": ask.system}]},
        "tools": tools,
        "toolConfig": {"functionCallingConfig": calling},
        "generationConfig": config,
    }

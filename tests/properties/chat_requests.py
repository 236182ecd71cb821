"""Strategies for valid Chat requests: one small generator for each row of mapping.md 1.1 to 1.4.

A request says which rows it exercises, so that a run can count them. What is valid depends on the model aimed at (two
answers to one call, logprobs, results of a turn left open): a generator that has nothing valid for an aim gives None.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from portico.simulator.signatures import Signer

Json = dict[str, Any]


@dataclass(frozen=True)
class Aim:
    """An upstream model at a kind of provider, and what decides which requests are valid for it."""

    model: str
    kind: str = "gemini"
    modern: bool = True
    tools: bool = True
    many: bool = False
    """Whether one call may give several answers."""

    @property
    def family(self) -> str:
        """Who signs there, in the simulator's words."""
        line, _, rest = self.model.partition("-")
        return f"{line}-{rest[0]}"


AIMS = (
    Aim("gemini-3.5-flash"),
    Aim("gemini-2.5-flash", modern=False, many=True),
    Aim("gemini-3.1-pro-preview"),
    Aim("gemini-2.5-pro", modern=False, many=True),
    Aim("gemini-3.8-flash"),
    Aim("gemini-3-flash-preview", "vertex"),
    Aim("gemini-2.5-flash", "vertex", modern=False, many=True),
    Aim("gemma-3-27b-it", modern=False, tools=False),
)


@dataclass
class Asked:
    """A Chat body, and the rows it exercises."""

    body: Json
    rows: set[str] = field(default_factory=set)


Draw = st.DrawFn

TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
LETTERS = st.text("abcdefgXYZ089_-", min_size=1, max_size=12)
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(LETTERS, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(LETTERS, VALUES, max_size=3)

SCHEMAS: list[Json] = [
    {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city"]},
    {"type": "object", "properties": {"kind": {"type": "string", "enum": ["a", "b"]}}},
    {"type": "object", "properties": {"list": {"type": "array", "items": {"type": "number"}}}, "description": "x"},
    {"type": "object", "properties": {"title": {"type": ["string", "null"]}, "default": {"type": "boolean"}}},
    {"type": "object", "properties": {}, "additionalProperties": False},
]
TOOL_NAMES = st.sampled_from(["look_up", "9lives", "-dash", "a b", "mcp.server:tool", "x" * 64, "工具"])

# -- 1.1: fields ------------------------------------------------------------------------------------------------------

FieldStrategy = st.SearchStrategy[Json]


def one(name: str, values: st.SearchStrategy[Any]) -> FieldStrategy:
    """One field of the body."""
    return values.map(lambda value: {name: value})


def whole_or_none(able: bool, strategy: FieldStrategy) -> FieldStrategy | None:
    return strategy if able else None


def declared(names: list[str], wrap: Callable[[str], Json]) -> list[Json]:
    return [wrap(name) for name in dict.fromkeys(names)]


@st.composite
def tool_fields(draw: Draw) -> Json:
    """tools, tool_choice and parallel_tool_calls: the choice names what is declared."""
    names = list(dict.fromkeys(draw(st.lists(TOOL_NAMES, min_size=1, max_size=3))))
    strict = draw(st.sampled_from([None, False, True]))
    tools: list[Json] = []
    for name in names:
        if draw(st.integers(0, 4)) == 0:
            tools.append({"type": "custom", "custom": {"name": name, "description": "free"}})
            continue
        function: Json = {"name": name}
        if draw(st.booleans()):
            function["description"] = draw(TEXT)
        if draw(st.booleans()):
            function["parameters"] = draw(st.sampled_from([*SCHEMAS, {}, None]))
        if strict is not None:
            function["strict"] = strict
        tools.append({"type": "function", "function": function})
    named = {"type": "function", "function": {"name": names[0]}}
    allowed = {"tools": [named], "mode": draw(st.sampled_from(["auto", "required"]))}
    choices = [None, "auto", "none", "required", named, {"type": "allowed_tools", "allowed_tools": allowed}]
    fields: Json = {"tools": tools, "tool_choice": draw(st.sampled_from(choices))}
    if draw(st.booleans()):
        fields["parallel_tool_calls"] = draw(st.booleans())
    return fields


@st.composite
def legacy_tool_fields(draw: Draw) -> Json:
    name = draw(TOOL_NAMES)
    fields: Json = {"functions": [{"name": name, "parameters": draw(st.sampled_from(SCHEMAS))}]}
    choice = draw(st.sampled_from([None, "auto", "none", {"name": name}]))
    return fields if choice is None else fields | {"function_call": choice}


EFFORTS = st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh", "max"])
BUDGETS = st.integers(0, 60_000)
FORMATS = st.sampled_from(
    [
        {"type": "text"},
        {"type": "json_object"},
        *[
            {"type": "json_schema", "json_schema": {"name": "x", "schema": schema, "strict": True}}
            for schema in SCHEMAS
        ],
    ]
)
SAFETY = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]
LIMITS = st.integers(1, 60) | st.integers(1, 10**6)


def fields_of(aim: Aim) -> dict[str, FieldStrategy]:
    """Row -> fields of the body, for the rows that have something valid for this aim."""
    google = st.fixed_dictionaries(
        {},
        optional={
            "thinking_config": one("thinking_budget", st.integers(-1, 40_000))
            | one("thinkingLevel", st.sampled_from(["low", "medium", "high"]))
            | one("include_thoughts", st.booleans()),
            "safety_settings": st.just(SAFETY),
        },
    )
    rows: dict[str, FieldStrategy | None] = {
        "1.1 temperature": one("temperature", st.floats(0, 2) | st.integers(0, 2)),
        "1.1 top_p": one("top_p", st.floats(0, 1) | st.integers(0, 1)),
        "1.1 top_k": one("top_k", st.integers(1, 100)),
        "1.1 max_completion_tokens": one("max_completion_tokens", LIMITS),
        "1.1 max_tokens": one("max_tokens", LIMITS),
        "1.1 stop": one("stop", TEXT | st.lists(TEXT, max_size=4)),
        "1.1 seed": one("seed", st.integers(-(2**63), 2**63 - 1)),
        "1.1 n": one("n", st.integers(1, 4) if aim.many else st.just(1)),
        "1.1 presence_penalty": one("presence_penalty", st.floats(-2, 2)),
        "1.1 frequency_penalty": one("frequency_penalty", st.integers(-2, 2)),
        "1.1 logprobs": one("logprobs", st.booleans() if aim.kind == "vertex" else st.just(value=False)),
        "1.1 top_logprobs": one("top_logprobs", st.integers(0, 20)),
        "1.1 logit_bias": one("logit_bias", st.just({"50256": -100})),
        "1.1 user": one("user", TEXT),
        "1.1 safety_identifier": one("safety_identifier", TEXT),
        "1.1 metadata": one("metadata", st.dictionaries(LETTERS, TEXT, max_size=2)),
        "1.1 store": one("store", st.booleans()),
        "1.1 service_tier": one(
            "service_tier", st.sampled_from(["auto", "default", "flex", "scale", "priority", "fast"])
        ),
        "1.1 stream": one("stream", st.booleans()),
        "1.1 stream_options": one(
            "stream_options",
            st.fixed_dictionaries({}, optional={"include_usage": st.booleans(), "include_obfuscation": st.booleans()}),
        ),
        "1.1 reasoning_effort": one("reasoning_effort", EFFORTS),
        "1.1 verbosity": one("verbosity", st.sampled_from(["low", "medium", "high"])),
        "1.1 response_format": one("response_format", FORMATS),
        "1.1 tools": whole_or_none(aim.tools, tool_fields()),
        "1.1 functions": whole_or_none(aim.tools, legacy_tool_fields()),
        "1.1 web_search_options": whole_or_none(
            aim.tools, one("web_search_options", st.sampled_from([{}, {"search_context_size": "low"}]))
        ),
        "1.1 modalities": one("modalities", st.just(["text"])),
        "1.1 prediction": one("prediction", st.just({"type": "content", "content": "x"})),
        "1.1 prompt_cache": st.fixed_dictionaries(
            {}, optional={"prompt_cache_key": TEXT, "prompt_cache_retention": st.just("24h")}
        ),
        "1.1 moderation": one("moderation", st.just({})),
        "1.1 extra_body": one("extra_body", one("google", google)),
        "1.1 google": one("google", google),
        "1.1 thinking": one(
            "thinking",
            st.sampled_from([{"type": "disabled"}, {"type": "adaptive"}])
            | BUDGETS.map(lambda budget: {"type": "enabled", "budget_tokens": budget}),
        ),
        "1.1 reasoning": one(
            "reasoning",
            st.fixed_dictionaries({}, optional={"effort": EFFORTS, "exclude": st.booleans(), "max_tokens": BUDGETS}),
        ),
        "1.1 include_reasoning": one("include_reasoning", st.booleans()),
        "1.1 safety_settings": one("safety_settings", st.just(SAFETY)),
        "1.1 cached_content": one("cached_content", st.just("cachedContents/simulated")),
        "1.1 a field nobody knows": one("frobnicate", VALUES),
        "1.1 null": st.sampled_from(
            ["temperature", "stop", "seed", "n", "tools", "tool_choice", "response_format", "user", "stream_options"]
        ).map(lambda name: {name: None}),
    }
    return {row: strategy for row, strategy in rows.items() if strategy is not None}


def settle(body: Json, aim: Aim) -> None:
    """Takes out what is valid alone and not together: rules of the models, not of a row."""
    tools = bool(body.get("tools") or body.get("functions"))
    if body.get("functions") and body.get("tools"):
        del body["tools"]
        body.pop("tool_choice", None)
    if not aim.modern and "web_search_options" in body and (tools or body.get("response_format")):
        del body["web_search_options"]  # 1.12, 1.10: refused on models before 3


# -- 1.4: content parts -----------------------------------------------------------------------------------------------

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PDF = "JVBERi0xLjQKJSVFT0YK"
WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="


def image(url: str, **fields: Any) -> Json:
    return {"type": "image_url", "image_url": {"url": url, **fields}}


def parts_of() -> dict[str, st.SearchStrategy[Json]]:
    """Row -> one content part."""
    png = f"data:image/png;base64,{PNG}"
    return {
        "1.4 text": TEXT.map(lambda text: {"type": "text", "text": text}),
        "1.4 image data URI": st.just(image(png)),
        "1.4 image data URI, oddly written": st.sampled_from(
            [
                image(f"DATA:image/PNG;charset=utf-8;BASE64,{PNG}"),
                image(f"data:image/png;base64,{PNG[:20]}\n {PNG[20:]}"),
                {"type": "image_url", "image_url": png},
            ]
        ),
        "1.4 data URI that is not base64": st.just(image("data:text/plain,a%20b%0Ac")),
        "1.4 pdf as image_url": st.just(image(f"data:application/pdf;base64,{PDF}")),
        "1.4 detail": st.sampled_from(["low", "high", "auto"]).map(lambda detail: image(png, detail=detail)),
        "1.4 input_audio": st.sampled_from(["wav", "mp3"]).map(
            lambda kind: {"type": "input_audio", "input_audio": {"data": WAV, "format": kind}}
        ),
        "1.4 file": st.sampled_from(
            [
                {"file_data": f"data:application/pdf;base64,{PDF}"},
                {"file_data": f"data:application/pdf;base64,{PDF}", "filename": "a.pdf"},
                {"file_data": PDF, "filename": "a.pdf"},
            ]
        ).map(lambda file: {"type": "file", "file": file}),
        "1.4 video_url": st.just({"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AAAAHGZ0eXA="}}),
        "1.4 Responses' shapes": st.sampled_from(
            [{"type": "input_text", "text": "x"}, {"type": "input_image", "image_url": png}]
        ),
        "1.4 refusal": WORDS.map(lambda text: {"type": "refusal", "refusal": text}),
        "1.4 cache_control": WORDS.map(
            lambda text: {"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}
        ),
    }


PARTS = parts_of()

# -- 1.2 and 1.3: messages --------------------------------------------------------------------------------------------

ARGUMENTS: dict[str, st.SearchStrategy[Any]] = {
    "1.3 arguments: an object": OBJECTS.map(json.dumps),
    "1.3 arguments: empty": st.sampled_from(["", " "]),
    "1.3 arguments: invalid": st.sampled_from(['{"a":', "oops", "{'a': 1}"]),
    "1.3 arguments: no object": st.sampled_from(["[1]", "5", '"x"', "null"]),
}
RESULTS: dict[str, st.SearchStrategy[Any]] = {
    "1.3 result: an object": OBJECTS.map(json.dumps),
    "1.3 result: text": TEXT,
    "1.3 result: array or scalar": st.sampled_from(["[1,2]", "5", '"x"', "null", "true"]),
    "1.3 result: empty": st.sampled_from(["", None, []]),
    "1.3 result: $ref": st.sampled_from(['{"$ref":"x"}', '{"a":[{"$ref":"x"}]}']),
    "1.3 result: large integer": st.just('{"id":9007199254740993}'),
    "1.3 result: deep": st.just('{"a":' * 30 + "1" + "}" * 30),
    "1.3 result: parts": st.lists(TEXT.map(lambda text: {"type": "text", "text": text}), max_size=3),
    "1.3 result: picture": st.just([{"type": "text", "text": "see"}, image(f"data:image/png;base64,{PNG}")]),
    "1.3 result: picture alone": st.just([image(f"data:image/png;base64,{PNG}")]),
    "1.3 result: audio": st.just([{"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}}]),
}


class Talk:
    """A conversation while it is drawn."""

    def __init__(self, draw: Draw, aim: Aim, names: list[str]) -> None:
        self.draw = draw
        self.aim = aim
        self.names = names
        self.messages: list[Json] = []
        self.rows: set[str] = set()
        self._calls = 0

    def pick(self, rows: dict[str, st.SearchStrategy[Any]]) -> Any:
        row = self.draw(st.sampled_from(sorted(rows)))
        self.rows.add(row)
        return self.draw(rows[row])

    def say(self, row: str, *messages: Json) -> None:
        self.rows.add(row)
        self.messages += messages

    # -- turns; each adds messages that are valid after any others

    def user(self) -> None:
        self.say("1.2 user", {"role": "user", "content": self.draw(WORDS)})

    def user_parts(self) -> None:
        parts = [self.pick(PARTS) for _ in range(self.draw(st.integers(1, 3)))]
        self.say("1.2 user", {"role": "user", "content": parts})

    def empty_user(self) -> None:
        self.say("1.2 empty user", {"role": "user", "content": self.draw(st.sampled_from(["", None]))})

    def named_user(self) -> None:
        self.say("1.2 name", {"role": "user", "content": self.draw(WORDS), "name": "Ada"})

    def same_role(self) -> None:
        role = self.draw(st.sampled_from(["user", "assistant"]))
        self.say("1.2 same role", *[{"role": role, "content": self.draw(WORDS)} for _ in range(2)])

    def system(self) -> None:
        role = self.draw(st.sampled_from(["system", "developer"]))
        row = f"1.2 {role} in the middle" if self.messages else f"1.2 {role}"
        self.say(row, {"role": role, "content": self.draw(WORDS)})

    def system_parts(self) -> None:
        texts = self.draw(st.lists(TEXT, min_size=1, max_size=3))
        parts = [{"type": "text", "text": text} for text in texts]
        self.say("1.2 system parts", {"role": "system", "content": parts})

    def blank_system(self) -> None:
        self.say("1.2 blank system", {"role": "system", "content": ""})

    def assistant(self) -> None:
        row = "1.2 assistant" if self.messages else "1.2 assistant first"
        self.say(row, {"role": "assistant", "content": self.draw(WORDS)})

    def empty_assistant(self) -> None:
        content: Any = self.draw(st.sampled_from(["", None, []]))
        self.say("1.2 empty assistant", {"role": "assistant", "content": content})

    def signed_assistant(self) -> None:
        text = self.draw(st.just("") | WORDS)
        signature = Signer(0).sign(self.aim.family, {"text": text})
        extra = {"google": {"thought_signature": signature}}
        self.say("1.2 signed assistant", {"role": "assistant", "content": text, "extra_content": extra})

    def refusal(self) -> None:
        self.say("1.2 refusal", {"role": "assistant", "content": None, "refusal": self.draw(WORDS)})

    def reasoning(self) -> None:
        key = self.draw(st.sampled_from(["reasoning_content", "reasoning"]))
        self.say("1.2 reasoning", {"role": "assistant", "content": "x", key: self.draw(WORDS)})

    def reasoning_details(self) -> None:
        details = [{"type": "reasoning.text", "text": self.draw(WORDS)}]
        self.say("1.2 reasoning_details", {"role": "assistant", "content": "x", "reasoning_details": details})

    def echoed(self) -> None:
        echo: Json = {"refusal": None, "annotations": [], "audio": None, "function_call": None, "tool_calls": None}
        self.say("1.2 an answer echoed", {"role": "assistant", "content": self.draw(WORDS), **echo})

    def calls(self) -> None:
        count = self.draw(st.integers(1, 3))
        calls = [self._call() for _ in range(count)]
        content = self.draw(st.none() | st.just("") | WORDS)
        self.rows.add("1.2 text and calls" if content else "1.2 calls without text")
        self.messages.append({"role": "assistant", "content": content, "tool_calls": calls})
        if count > 1:
            self.rows.add("1.3 several results")
        for entry in self.draw(st.permutations(calls)):
            self.messages.append(self._result(entry, alone=count == 1))
        if self.draw(st.booleans()):
            self.say("1.3 user after results", {"role": "user", "content": self.draw(WORDS)})

    def _call(self) -> Json:
        self._calls += 1
        id_ = self.draw(st.sampled_from([f"call_{self._calls}", f"toolu-{self._calls}.x", f"c{self._calls}"]))
        name = self.draw(st.sampled_from(self.names)) if self.names else "look_up"
        if self.draw(st.integers(0, 6)) == 0:
            self.rows.add("1.3 custom call")
            return {"id": id_, "type": "custom", "custom": {"name": name, "input": self.draw(TEXT)}}
        return {"id": id_, "type": "function", "function": {"name": name, "arguments": self.pick(ARGUMENTS)}}

    def _result(self, entry: Json, *, alone: bool) -> Json:
        message: Json = {"role": "tool", "content": self.pick(RESULTS)}
        ways = ["by id", "by short id", *(["by name", "the only one"] if alone else [])]
        way = self.draw(st.sampled_from(ways))
        self.rows.add(f"1.3 name lookup {way}")
        if way == "by id":
            message["tool_call_id"] = entry["id"]
        elif way == "by short id":
            message["tool_call_id"] = "".join([c for c in entry["id"] if c.isalnum()])
        elif way == "by name":
            message["name"] = (entry.get("function") or entry.get("custom") or {})["name"]
        return message

    def legacy_call(self) -> None:
        call = {"name": "look_up", "arguments": self.pick(ARGUMENTS)}
        result = {"role": "function", "name": "look_up", "content": self.pick(RESULTS)}
        self.say("1.2 function", {"role": "assistant", "content": None, "function_call": call}, result)

    def unanswered(self) -> None:
        calls = [self._call()]
        self.say("1.3 nobody answered", {"role": "assistant", "content": None, "tool_calls": calls})
        self.messages.append({"role": "user", "content": self.draw(WORDS)})


TURNS = (
    Talk.user, Talk.user_parts, Talk.empty_user, Talk.named_user, Talk.same_role, Talk.system, Talk.system_parts,
    Talk.blank_system, Talk.assistant, Talk.empty_assistant, Talk.refusal, Talk.reasoning, Talk.reasoning_details,
    Talk.echoed,
)  # fmt: skip
WITH_TOOLS = (*TURNS, Talk.calls, Talk.calls, Talk.legacy_call)
WITH_SIGNATURES = (*WITH_TOOLS, Talk.signed_assistant)
LAST_TURNS = (Talk.user, Talk.user_parts, Talk.assistant, Talk.system)


def turns_for(aim: Aim) -> tuple[Callable[[Talk], None], ...]:
    if not aim.tools:
        return TURNS
    return WITH_SIGNATURES if aim.modern else (*WITH_SIGNATURES, Talk.unanswered)


@st.composite
def chat_requests(draw: Draw, aim: Aim, prompts: st.SearchStrategy[str] | None = None) -> Asked:
    """A valid Chat request for this aim; with `prompts`, its last words are one of those."""
    rows = fields_of(aim)
    chosen = draw(st.lists(st.sampled_from(sorted(rows)), max_size=6, unique=True))
    body: Json = {"model": aim.model}
    for row in chosen:
        body |= draw(rows[row])
    settle(body, aim)
    names = [(tool.get("function") or tool.get("custom"))["name"] for tool in body.get("tools") or ()]
    talk = Talk(draw, aim, names)
    for turn in draw(st.lists(st.sampled_from(turns_for(aim)), max_size=4)):
        turn(talk)
    if prompts is not None:
        talk.messages.append({"role": "user", "content": draw(prompts)})
    else:
        draw(st.sampled_from(LAST_TURNS))(talk)
    if all(message["role"] in ("system", "developer") for message in talk.messages):
        talk.rows.add("1.2 only system")
    if talk.messages[-1]["role"] == "assistant":
        talk.rows.add("1.2 prefill")
    if not aim.tools:
        talk.rows.add("1.2 Gemma")
    body["messages"] = talk.messages
    return Asked(body, talk.rows | {row for row in chosen if _is_there(row, body)})


def _is_there(row: str, body: Json) -> bool:
    """Whether a chosen row's field survived `settle`."""
    name = row.removeprefix("1.1 ")
    return name not in ("tools", "web_search_options") or name in body


ALL_ROWS = frozenset(
    {row for aim in AIMS for row in fields_of(aim)}
    | PARTS.keys()
    | ARGUMENTS.keys()
    | RESULTS.keys()
    | {f"1.3 name lookup {way}" for way in ("by id", "by short id", "by name", "the only one")}
    | {f"1.3 {row}" for row in ("several results", "user after results", "custom call", "nobody answered")}
    | {
        f"1.2 {row}"
        for row in (
            "user", "empty user", "name", "same role", "system", "system in the middle", "developer",
            "developer in the middle", "system parts", "blank system", "only system", "assistant", "assistant first",
            "empty assistant", "signed assistant", "refusal", "reasoning", "reasoning_details", "an answer echoed",
            "text and calls", "calls without text", "function", "prefill", "Gemma",
        )
    }
)  # fmt: skip

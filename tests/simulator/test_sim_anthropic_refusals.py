"""What Anthropic refuses is refused with its status, its kind of error and its sentence; what stands beside it is taken."""

import base64
from typing import Any

import pytest

from portico.simulator import Simulator
from sdk import files
from simulator.sim_anthropic import (
    CITY,
    HEADERS,
    MESSAGES,
    NEWEST,
    THINKER,
    answer,
    having,
    post,
    refused,
    results,
    said,
    tools,
    user,
)
from simulator.sim_memory import Json, exchange

U = said("user", "Hi")
CALL: Json = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
RESULT: Json = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "x"}
BUDGET: Json = {"type": "enabled", "budget_tokens": 1024}
MARK: Json = {"type": "ephemeral"}
LONG: Json = {"type": "ephemeral", "ttl": "1h"}
SERVED: Json = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}
PNG, PDF = base64.b64encode(files.png()).decode(), base64.b64encode(files.pdf()).decode()


def talk(*messages: Json, **more: Any) -> Json:
    return user("Hi", **more) | {"messages": list(messages)}


def tooled(*messages: Json, **more: Any) -> Json:
    return talk(*messages, tools=tools("f"), **more)


def text(words: str, **more: Any) -> Json:
    return {"type": "text", "text": words, **more}


def picture(data: str, media_type: str = "image/png") -> Json:
    return user([{"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}])


def document(**source: Any) -> Json:
    return user([{"type": "document", "source": source}])


def without(body: Json, *names: str) -> Json:
    return {name: value for name, value in body.items() if name not in names}


def strict(schema: Json) -> Json:
    return user("Hi", tools=[{"name": "f", "input_schema": schema, "strict": True}])


def shaped(schema: Json) -> Json:
    return user("Hi", output_config={"format": {"type": "json_schema", "schema": schema}})


REFUSED: dict[str, tuple[Json, str]] = {
    # fields
    "no max_tokens": (without(user("Hi"), "max_tokens"), "max_tokens: Field required"),
    "no messages": (without(user("Hi"), "messages"), "messages: Field required"),
    "no model": (without(user("Hi"), "model"), "model: Field required"),
    "too many tokens": (
        user("Hi", max_tokens=64_001),
        "max_tokens: 64001 > 64000, which is the maximum allowed number",
    ),
    "no tokens": (user("Hi", max_tokens=0), "max_tokens: Input should be greater than or equal to 1"),
    "tokens in words": (user("Hi", max_tokens="8"), "max_tokens: Input should be a valid integer"),
    "an unknown field": (user("Hi", topp=1), "topp: Extra inputs are not permitted"),
    "an unknown field inside": (
        talk(U | {"name": "me"}),
        "messages.0.name: Extra inputs are not permitted",
    ),
    "an unknown field of a block": (
        user([text("Hi", extra=1)]),
        "messages.0.content.0.text.extra: Extra inputs are not permitted",
    ),
    "an unknown kind of block": (
        user([{"type": "input_text", "text": "Hi"}]),
        "messages.0.content.0: Input tag 'input_text' found using 'type' does not match any of the expected tags",
    ),
    "a block without a kind": (user([{"text": "Hi"}]), "messages.0.content.0.type: Field required"),
    "a message that is none": (
        user("Hi") | {"messages": ["Hi"]},
        "messages.0: Input does not match the expected shape.",
    ),
    "too hot": (user("Hi", temperature=1.5), "temperature: range: 0..1"),
    "a blank stop": (
        user("Hi", stop_sequences=[" "]),
        "stop_sequences.0: each stop sequence must contain non-whitespace",
    ),
    "a field that needs a beta": (user("Hi", mcp_servers=[]), "mcp_servers: Extra inputs are not permitted"),
    # who speaks
    "nobody speaks": (talk(), "messages: at least one message is required"),
    "the assistant speaks first": (
        talk(said("assistant", "Hi"), U),
        'messages: first message must use the "user" role',
    ),
    "a role": (talk(U | {"role": "tool"}), "messages.0.role: Input should be 'user' or 'assistant'"),
    "a system message, of an older model": (
        talk(U, said("system", "Be brief.")),
        'messages: Unexpected role "system".',
    ),
    "a system message first": (
        talk(said("system", "Be brief."), U, model=NEWEST),
        "messages.0: a `system` message must follow a `user` message",
    ),
    "a system message before a user": (
        talk(U, said("system", "Be brief."), U, model=NEWEST),
        "messages.1: a `system` message must be last or be followed by an `assistant` message",
    ),
    "a prefill, of a newer model": (
        talk(U, said("assistant", "{"), model="claude-sonnet-4-6"),
        "This model does not support assistant message prefill. The conversation must end with a user message.",
    ),
    "a prefill that ends in space": (
        talk(U, said("assistant", "So ")),
        "messages: final assistant content cannot end with trailing whitespace",
    ),
    # texts
    "an empty string": (user(""), "messages.0: all messages must have non-empty content except for the optional final"),
    "no blocks": (user([]), "messages.0: all messages must have non-empty content"),
    "an empty text": (user([text("")]), "messages: text content blocks must be non-empty"),
    "a blank text": (user([text(" \n")]), "messages: text content blocks must contain non-whitespace text"),
    "a blank string": (user("  "), "messages: text content blocks must contain non-whitespace text"),
    "an empty system text": (user("Hi", system=[text("")]), "system: text content blocks must be non-empty"),
    "an empty text that is marked": (
        user([text("", cache_control=MARK)]),
        "messages.0.content.0.text: cache_control cannot be set for empty text blocks",
    ),
    # calls and results
    "a call nobody answers": (
        tooled(U, said("assistant", CALL), U),
        (
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1. Each "
            "`tool_use` block must have a corresponding `tool_result` block in the next message."
        ),
    ),
    "a call at the end": (tooled(U, said("assistant", CALL)), "messages.1: `tool_use` ids were found without"),
    "a result after a text": (
        tooled(U, said("assistant", CALL), said("user", "Here:", RESULT)),
        "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1.",
    ),
    "a result too late": (
        tooled(U, said("assistant", CALL), U, said("assistant", "Well"), said("user", RESULT)),
        "messages.1: `tool_use` ids were found without",
    ),
    "one of two calls answered": (
        tooled(U, said("assistant", CALL, CALL | {"id": "toolu_2"}), said("user", RESULT)),
        "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_2.",
    ),
    "a result of no call": (
        tooled(said("user", RESULT)),
        (
            "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1. Each `tool_result` "
            "block must have a corresponding `tool_use` block in the previous message."
        ),
    ),
    "two results of one call": (
        tooled(U, said("assistant", CALL), said("user", RESULT, RESULT)),
        "messages.2.content.1: each tool_use must have a single result.",
    ),
    "two calls of one id": (
        tooled(U, said("assistant", CALL, CALL), said("user", RESULT)),
        "messages: `tool_use` ids must be unique",
    ),
    "an id with a dot": (
        tooled(U, said("assistant", CALL | {"id": "call.1"}), said("user", RESULT | {"tool_use_id": "call.1"})),
        "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
    ),
    "arguments as text": (
        tooled(U, said("assistant", CALL | {"input": "{}"}), said("user", RESULT)),
        "messages.1.content.0.tool_use.input: Input does not match the expected shape.",
    ),
    "a call by a user": (
        tooled(said("user", CALL)),
        "messages.0.content.0: `tool_use` blocks can only be in `assistant`",
    ),
    "a result by an assistant": (
        tooled(U, said("assistant", RESULT), U),
        "messages.1.content.0: `tool_result` blocks can only be in `user` messages",
    ),
    "a server's result without its use": (
        talk(U, said("assistant", {"type": "tool_search_tool_result", "tool_use_id": "srvtoolu_1", "content": {}}), U),
        "messages.1.content.0: unexpected `tool_use_id` found in `tool_search_tool_result` blocks: srvtoolu_1.",
    ),
    "a server's use of another id": (
        talk(U, said("assistant", SERVED | {"id": "toolu_1"}), U),
        "messages.1.content.0.server_tool_use.id: String should match pattern '^srvtoolu_[a-zA-Z0-9_]+$'",
    ),
    # tools
    "a tool's name": (
        user("Hi", tools=tools("a.b")),
        "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
    ),
    "a long name": (user("Hi", tools=tools("a" * 129)), "tools.0.custom.name: String should match pattern"),
    "two tools of one name": (user("Hi", tools=tools("a", "a")), "tools: Tool names must be unique."),
    "a tool without a schema": (user("Hi", tools=[{"name": "a"}]), "tools.0.custom.input_schema: Field required"),
    "a schema of no type": (
        user("Hi", tools=[{"name": "a", "input_schema": {}}]),
        "tools.0.custom.input_schema.type: Field required",
    ),
    "a schema of a string": (
        user("Hi", tools=[{"name": "a", "input_schema": {"type": "string"}}]),
        "tools.0.custom.input_schema.type: Input should be 'object'",
    ),
    "a function as OpenAI has it": (
        user("Hi", tools=[{"type": "function", "function": {"name": "a"}}]),
        "tools.0: Input tag 'function' found using 'type' does not match any of the expected tags",
    ),
    "a server tool without a date": (
        user("Hi", tools=[{"type": "web_search", "name": "web_search"}]),
        "tools.0: Input tag 'web_search' found using 'type' does not match any of the expected tags",
    ),
    "a server tool of another name": (
        user("Hi", tools=[{"type": "web_search_20250305", "name": "search"}]),
        "tools.0.web_search_20250305.name: Input should be 'web_search'",
    ),
    "domains both ways": (
        user(
            "Hi",
            tools=[
                {
                    "type": "web_search_20250305",
                    "name": "web_search",
                    "allowed_domains": ["a.example"],
                    "blocked_domains": ["b.example"],
                }
            ],
        ),
        "tools.0.web_search_20250305: only one of allowed_domains and blocked_domains may be set",
    ),
    "every tool deferred": (
        user("Hi", tools=[tools("a")[0] | {"defer_loading": True}]),
        "tools: At least one tool must have defer_loading=false.",
    ),
    "a choice without tools": (
        user("Hi", tool_choice={"type": "auto"}),
        "tool_choice: tool_choice may only be specified while providing tools.",
    ),
    "a choice of no tool": (
        user("Hi", tools=tools("a"), tool_choice={"type": "tool", "name": "b"}),
        "Tool 'b' not found in provided tools",
    ),
    "a word for a choice": (
        user("Hi", tools=tools("a"), tool_choice="auto"),
        "tool_choice: Input does not match the expected shape.",
    ),
    "a forced tool while thinking": (
        user("Hi", tools=tools("a"), tool_choice={"type": "any"}, thinking=BUDGET),
        "Thinking may not be enabled when tool_choice forces tool use.",
    ),
    "a forced tool of a model that always thinks": (
        user("Hi", model=NEWEST, tools=tools("a"), tool_choice={"type": "any"}),
        '"tool_choice.type.any" is not supported for this model.',
    ),
    "a strict schema that is open": (
        strict({"type": "object", "properties": {}}),
        "tools.0.custom: For 'object' type, 'additionalProperties' must be explicitly set to false",
    ),
    # thinking
    "a small budget": (
        user("Hi", thinking={"type": "enabled", "budget_tokens": 1023}),
        "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
    ),
    "no budget": (user("Hi", thinking={"type": "enabled"}), "thinking.enabled.budget_tokens: Field required"),
    "a budget that leaves nothing": (
        user("Hi", max_tokens=1024, thinking=BUDGET),
        "`max_tokens` must be greater than `thinking.budget_tokens`.",
    ),
    "a temperature while thinking": (
        user("Hi", thinking=BUDGET, temperature=0.5),
        "`temperature` may only be set to 1 when thinking is enabled.",
    ),
    "a top_k while thinking": (user("Hi", thinking=BUDGET, top_k=5), "`top_k` must be unset when thinking is enabled."),
    "a low top_p while thinking": (
        user("Hi", thinking=BUDGET, top_p=0.5),
        "`top_p` must be greater than or equal to 0.95",
    ),
    "a prefill while thinking": (
        talk(U, said("assistant", "So"), thinking=BUDGET),
        "When thinking is enabled, a final assistant message cannot be prefilled.",
    ),
    "a loop that does not start with thinking": (
        tooled(U, said("assistant", "Well", CALL), said("user", RESULT), thinking=BUDGET),
        "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`. When `thinking` is",
    ),
    "adaptive thinking of an older model": (
        user("Hi", thinking={"type": "adaptive"}),
        "adaptive thinking is not supported on this model",
    ),
    "a budget of a newer model": (
        user("Hi", model="claude-opus-4-7", thinking=BUDGET),
        '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive"',
    ),
    "no thinking of a model that always thinks": (
        user("Hi", model=NEWEST, thinking={"type": "disabled"}),
        '"thinking.type.disabled" is not supported for this model.',
    ),
    "somebody else's signature": (
        talk(U, said("assistant", {"type": "thinking", "thinking": "x", "signature": "RWdJ"}, "y"), U),
        "messages.1.content.0: Invalid `signature` in `thinking` block",
    ),
    "somebody else's redacted thinking": (
        talk(U, said("assistant", {"type": "redacted_thinking", "data": "RWdJ"}, "y"), U),
        "messages.1.content.0: Invalid `data` in `redacted_thinking` block",
    ),
    "thinking without a signature": (
        talk(U, said("assistant", {"type": "thinking", "thinking": "x"}, "y"), U),
        "messages.1.content.0.thinking.signature: Field required",
    ),
    # what newer models have given up, and older ones have not learned
    "a temperature of a newer model": (
        user("Hi", model="claude-opus-4-7", temperature=1),
        "`temperature` is deprecated for this model.",
    ),
    "a top_p of a newer model": (user("Hi", model=NEWEST, top_p=1), "`top_p` is deprecated for this model."),
    "a top_k of a newer model": (user("Hi", model=NEWEST, top_k=1), "`top_k` is deprecated for this model."),
    "temperature and top_p": (user("Hi", temperature=1, top_p=1), "`temperature` and `top_p` cannot both be specified"),
    "an effort of an older model": (
        user("Hi", output_config={"effort": "low"}),
        "This model does not support the effort parameter.",
    ),
    "an effort that is not offered": (
        user("Hi", model="claude-opus-4-6", output_config={"effort": "xhigh"}),
        "This model does not support effort level 'xhigh'. Supported levels: high, low, max, medium.",
    ),
    "an effort that is none": (
        user("Hi", output_config={"effort": "minimal"}),
        "output_config.effort: Input should be",
    ),
    "an output format of an older model": (
        shaped(CITY) | {"model": "claude-opus-4-1"},
        "'claude-opus-4-1' does not support output format.",
    ),
    "an output schema with a minimum": (
        shaped(
            {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}, "additionalProperties": False}
        ),
        "output_config.format.schema: For 'integer' type, property 'minimum' is not supported",
    ),
    "an output schema with a word of another vendor": (
        shaped({"type": "object", "properties": {}, "additionalProperties": False, "propertyOrdering": []}),
        "output_config.format.schema: For 'object' type, property 'propertyOrdering' is not supported",
    ),
    "an output schema with one of several": (
        shaped({"oneOf": [{"type": "string"}, {"type": "null"}]}),
        "output_config.format.schema: Schema type 'oneOf' is not supported",
    ),
    # caching
    "five marks": (
        user([text(str(number), cache_control=MARK) for number in range(5)]),
        "A maximum of 4 blocks with cache_control may be provided. Found 5.",
    ),
    "four marks and one for all": (
        user([text(str(number), cache_control=MARK) for number in range(4)], cache_control=MARK),
        "A maximum of 4 blocks with cache_control may be provided. Found 5.",
    ),
    "an hour after five minutes": (
        user([text("a", cache_control=LONG)], tools=[tools("a")[0] | {"cache_control": MARK}]),
        "messages.0.content.0.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m'",
    ),
    "another time to live": (
        user([text("a", cache_control=MARK | {"ttl": "1d"})]),
        "messages.0.content.0.text.cache_control.ephemeral.ttl: Input should be '5m' or '1h'",
    ),
    # media
    "no base64": (picture("@@@"), "messages.0.content.0.image.source.base64.data: invalid base64 data"),
    "no picture": (picture("aGVsbG8="), "Could not process image"),
    "another picture": (
        picture(PNG, "image/jpeg"),
        (
            "messages.0.content.0.image.source.base64.data: The image was specified using the image/jpeg media type, but "
            "the image appears to be a image/png image"
        ),
    ),
    "a type of picture": (
        picture(PNG, "image/bmp"),
        "messages.0.content.0.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or",
    ),
    "a PDF that is none": (
        document(type="base64", media_type="application/pdf", data=PNG),
        "messages.0.content.0.pdf.source.base64.data: The PDF specified was not valid.",
    ),
    "a text that says it is another": (
        document(type="text", media_type="text/markdown", data="x"),
        "messages.0.content.0.document.source.text.media_type: Input should be 'text/plain'",
    ),
    "a file without its beta": (
        document(type="file", file_id="file_1"),
        "messages.0.content.0.document.source: Input tag 'file' found using 'type' does not match",
    ),
    "a picture by an assistant": (
        talk(U, said("assistant", picture(PNG)["messages"][0]["content"][0]), U),
        "messages.1.content.0: `image` blocks can only be in `user` messages",
    ),
}


@pytest.mark.parametrize("name", list(REFUSED))
async def test_what_anthropic_refuses_is_refused(name: str) -> None:
    body, sentence = REFUSED[name]
    assert (await refused(Simulator(), body)).startswith(sentence)


TAKEN: dict[str, Json] = {
    "messages of one role in a row": talk(U, U, said("assistant", "a"), said("assistant", "b"), U),
    "a text after the results": tooled(U, said("assistant", CALL), said("user", RESULT, "And?")),
    "results in two messages": tooled(
        U,
        said("assistant", CALL, CALL | {"id": "toolu_2"}),
        said("user", RESULT),
        said("user", RESULT | {"tool_use_id": "toolu_2"}),
    ),
    "a blank text of an assistant": tooled(U, said("assistant", " ", CALL), said("user", RESULT)),
    "a prefill, of an older model": talk(U, said("assistant", "So")),
    "a system message, of a newer model": talk(U, said("assistant", "a"), U, said("system", "b"), model=NEWEST),
    "a paused turn": talk(U, said("assistant", SERVED), model=NEWEST),
    "an hour before five minutes": user([text("a", cache_control=LONG), text("b", cache_control=MARK)]),
    "a name of 128": user("Hi", tools=tools("a" * 128)),
    "adaptive thinking and a forced tool, of 4.6": user(
        "Hi", model="claude-opus-4-6", tools=tools("a"), tool_choice={"type": "any"}, thinking={"type": "adaptive"}
    ),
    "a deferred tool beside another": user("Hi", tools=[*tools("a"), tools("b")[0] | {"defer_loading": True}]),
    "a picture": picture(PNG),
    "a PDF": document(type="base64", media_type="application/pdf", data=PDF),
    "a picture in a result": tooled(
        U, said("assistant", CALL), said("user", RESULT | {"content": picture(PNG)["messages"][0]["content"]})
    ),
    "a temperature of 1 while thinking": user("Hi", thinking=BUDGET, temperature=1),
}


@pytest.mark.parametrize("name", list(TAKEN))
async def test_what_anthropic_takes_is_taken(name: str) -> None:
    await answer(Simulator(), TAKEN[name])


async def thought(sim: Simulator) -> tuple[Json, Json]:
    """A request that is answered with thinking and a call, and the answer."""
    body = user("Use f for Oslo", tools=tools("f"), thinking=BUDGET)
    return body, await answer(sim, body)


@pytest.mark.parametrize(
    ("change", "taken"),
    [
        ({}, True),
        ({"thinking": "[simulated] Something else"}, False),
        ({"thinking": ""}, False),
        ({"signature": "AAAA"}, False),
    ],
)
async def test_thinking_is_good_only_as_it_was_made(change: Json, taken: bool) -> None:
    sim = Simulator()
    body, made = await thought(sim)
    first, *rest = made["content"]
    assert first["type"] == "thinking"
    loop = [*body["messages"], {"role": "assistant", "content": [first | change, *rest]}, results(made)]
    one = await post(sim, body | {"messages": loop})
    assert one.status == (200 if taken else 400)
    if not taken:
        assert one.json()["error"]["message"] == "messages.1.content.0: Invalid `signature` in `thinking` block"


async def test_thinking_of_another_simulator_is_foreign_unless_it_is_lenient() -> None:
    body, made = await thought(Simulator(seed=1))
    loop = body | {"messages": [*body["messages"], {"role": "assistant", "content": made["content"]}, results(made)]}
    assert (await refused(Simulator(seed=2), loop)).endswith("Invalid `signature` in `thinking` block")
    await answer(Simulator(seed=2, lenient=True), loop)


async def test_what_a_search_brought_back_is_good_only_where_it_was_made() -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    body = user("Search the web for news", tools=[search])
    made = await answer(Simulator(), body)
    again = body | {"messages": [*body["messages"], {"role": "assistant", "content": made["content"]}, U]}
    await answer(Simulator(), again)
    said_ = await refused(Simulator(seed=9), again)
    assert said_ == "messages.1.content.1: Invalid `encrypted_content` in `search_result` block"
    found = having(made, "web_search_tool_result")[0]["content"]
    found[0]["url"], found[1]["url"] = found[1]["url"], found[0]["url"]
    assert (await refused(Simulator(), again)) == said_


@pytest.mark.parametrize(
    ("headers", "status", "kind", "sentence"),
    [
        ({"anthropic-version": "2023-06-01"}, 401, "authentication_error", "x-api-key header is required"),
        (HEADERS | {"x-api-key": "bad-key-1"}, 401, "authentication_error", "invalid x-api-key"),
        ({"x-api-key": "a-key"}, 400, "invalid_request_error", "anthropic-version: header is required"),
        (
            HEADERS | {"anthropic-version": "now"},
            400,
            "invalid_request_error",
            'anthropic-version: "now" is not a valid',
        ),
        (
            HEADERS | {"anthropic-beta": "x"},
            400,
            "invalid_request_error",
            "Unexpected value(s) `x` for the `anthropic-beta`",
        ),
    ],
)
async def test_who_may_ask(headers: dict[str, str], status: int, kind: str, sentence: str) -> None:
    one = exchange(MESSAGES, user("Hi"), headers=headers)
    await Simulator()(one)
    told = one.json()
    assert (one.status, told["type"], told["error"]["type"]) == (status, "error", kind)
    assert told["error"]["message"].startswith(sentence)
    assert told["request_id"] == one.headers["request-id"]


async def test_a_bearer_token_is_taken_as_the_sdk_sends_it() -> None:
    one = exchange(MESSAGES, user("Hi"), headers={"authorization": "Bearer a", "anthropic-version": "2026-10-21"})
    await Simulator()(one)
    assert one.status == 200


@pytest.mark.parametrize("model", ["claude-none", "claude-3-sonnet-20240229", "claude-3-opus-20240229", "gpt-5"])
async def test_a_model_that_is_not_served_is_not_found(model: str) -> None:
    one = await post(Simulator(), user("Hi", model=model))
    assert one.status == 404
    assert one.json()["error"] == {"type": "not_found_error", "message": f"model: {model}"}


async def test_a_turn_has_an_effort_of_its_own_by_a_beta() -> None:
    """As Claude Code sends it."""
    body = user("Hi", model="claude-sonnet-5-5")
    body["messages"].append({"role": "system", "content": "Be brief.", "output_config": {"effort": "low"}})
    refused = await post(Simulator(), body)
    assert refused.json()["error"]["message"] == "messages.1.output_config: Extra inputs are not permitted"
    for beta in ("per-turn-control-2026-07-01", "mid-conversation-output-config-2026-07-01"):
        await answer(Simulator(), body, headers={"anthropic-beta": beta})


HARDER: Json = {"role": "system", "content": [], "output_config": {"effort": "max"}}
RULE: Json = {"role": "system", "content": "Be brief."}
TALK: list[Json] = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]


@pytest.mark.parametrize(
    ("model", "messages", "refused"),
    [
        ("claude-opus-5", [*TALK, HARDER, TALK[0]], None),
        ("claude-opus-5", [TALK[0], HARDER], None),
        ("claude-opus-5", [TALK[0], HARDER, RULE], None),
        ("claude-opus-5", [TALK[0], RULE, HARDER, TALK[1], TALK[0]], None),
        ("claude-opus-5", [*TALK, HARDER, RULE, TALK[0]], "must follow a `user` message"),
        ("claude-opus-5", [TALK[0], RULE, HARDER, TALK[0]], "must be last or be followed by an `assistant` message"),
        (
            "claude-opus-5",
            [TALK[0], HARDER | {"output_config": {"effort": "minimal"}}],
            "messages.1.output_config.effort",
        ),
        ("claude-opus-5", [TALK[0], HARDER | {"output_config": {}}], "non-empty content"),
        ("claude-opus-5", [TALK[0] | {"output_config": {"effort": "low"}}], "messages.0.output_config: Extra inputs"),
        ("claude-sonnet-5", [TALK[0], HARDER], "requires a model that supports per-turn effort"),
        ("claude-haiku-4-5", [TALK[0], HARDER], "does not support the effort parameter"),
    ],
)
async def test_an_effort_of_a_turn_is_taken_of_some_models_in_system_messages(
    model: str, messages: list[Json], refused: str | None
) -> None:
    body = user("Hi", model=model) | {"messages": messages}
    one = await post(Simulator(), body, headers={"anthropic-beta": "per-turn-control-2026-07-01"})
    assert one.status == (400 if refused else 200), one.data
    assert refused is None or refused in one.json()["error"]["message"]


@pytest.mark.parametrize("placed", [(TALK[0], HARDER), (*TALK, HARDER, TALK[0])])
async def test_the_last_effort_decides_how_much_is_thought(placed: tuple[Json, ...]) -> None:
    beta = {"anthropic-beta": "per-turn-control-2026-07-01"}
    body = user("Hi", model="claude-opus-5", output_config={"effort": "low"}, max_tokens=4000)
    spent = []
    for messages in ([one for one in placed if one is not HARDER], list(placed)):
        told = await answer(Simulator(), body | {"messages": messages}, headers=beta)
        spent.append(told["usage"]["output_tokens"])
    assert spent[0] < spent[1]


async def test_thinking_says_what_becomes_of_its_blocks_by_a_beta() -> None:
    """As the AI SDK sends it, and opencode with it."""
    binding = {"prefix_mismatch_behavior": "drop_block"}
    body = user("Hi", model="claude-sonnet-5-5", thinking={"type": "adaptive", "block_binding": binding})
    refused = await post(Simulator(), body)
    assert refused.json()["error"]["message"] == "thinking.adaptive.block_binding: Extra inputs are not permitted"
    beta = {"anthropic-beta": "thinking-binding-controls-2026-08-01"}
    await answer(Simulator(), body, headers=beta)
    binding["prefix_mismatch_behavior"] = "ignore"
    refused = await post(Simulator(), body, headers=beta)
    said = "thinking.adaptive.block_binding.prefix_mismatch_behavior: Input should be 'error' or 'drop_block'"
    assert refused.json()["error"]["message"] == said


async def test_a_beta_unlocks_its_field() -> None:
    body = user("Hi", mcp_servers=[{"type": "url", "name": "a", "url": "https://a.example"}])
    await answer(Simulator(), body, headers={"anthropic-beta": "mcp-client-2025-04-04"})


async def test_a_body_that_is_no_json_or_too_large() -> None:
    sim = Simulator(max_body_bytes=1000)
    broken, large = await post(sim, b"{"), await post(sim, user("x" * 2000))
    assert (broken.status, broken.json()["error"]["type"]) == (400, "invalid_request_error")
    assert (large.status, large.json()["error"]["type"]) == (413, "request_too_large")


async def test_a_request_that_is_only_counted_needs_no_limit() -> None:
    path = "/v1/messages/count_tokens"
    body = without(user("x" * 400, system="y" * 40, tools=tools("f")), "max_tokens")
    one = await post(Simulator(), body, path=path)
    assert one.status == 200
    assert set(one.json()) == {"input_tokens"}
    assert one.json()["input_tokens"] == (await answer(Simulator(), body | {"max_tokens": 10}))["usage"]["input_tokens"]
    assert (await post(Simulator(), body | {"max_tokens": 5}, path=path)).status == 400
    assert (await post(Simulator(), body | {"model": THINKER, "messages": []}, path=path)).status == 400

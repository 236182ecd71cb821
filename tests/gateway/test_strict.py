"""`x-portico-strict: true`: nothing of the request is dropped or changed, or nothing is sent (mapping.md 9)."""

from typing import Any

import pytest

from gateway.agent_bodies import PICTURE
from gateway.house import Answer, Json, Script, answers, chat, open_house, says
from gateway.vendors import ask_messages, gpt_message, gpt_says, message, response
from portico.catalog import OperatorModel
from portico.providers import KINDS
from portico.wire import jsontext

STRICT = {"x-portico-strict": "true"}
TOOL = {"type": "function", "function": {"name": "f", "strict": True}}
CHAT = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Fine"}}],
}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": {"type": "object"}}}

REFUSED: list[tuple[Json, str, list[str]]] = [
    (chat(presence_penalty=1), "presence_penalty", ["$.presence_penalty: gemini-3.5-flash takes no penalties"]),
    (chat(logit_bias={"1": 2}), "logit_bias", ["$.logit_bias"]),
    (
        chat(logit_bias={"1": 2}, presence_penalty=1, seed=2**40),
        "seed",
        ["$.seed", "$.presence_penalty", "$.logit_bias"],
    ),
    (chat(model="gemini-3.6-flash", top_p=0.5), "top_p", ["$.top_p: gemini-3.6-flash ignores topP"]),
    (chat(max_tokens=10**6), "max_tokens", ["65536"]),
    (chat(n=3, frequency_penalty=1), "frequency_penalty", ["$.frequency_penalty"]),
    (chat(user="u", x=1), "x", ["$.x"]),
    (chat(tools=[TOOL], parallel_tool_calls=False), "parallel_tool_calls", ["$.parallel_tool_calls"]),
    (chat(model="gemini-2.5-flash-image", reasoning_effort="low"), "reasoning_effort", ["does not think"]),
    (chat(model="gemini-2.5-flash", tools=[TOOL], response_format=SCHEMA), "response_format", ["$.response_format"]),
]
"""What is asked, the parameter that is named, and words of the message."""
KEPT: list[Json] = [
    chat(),
    chat(temperature=0.5, top_p=0.9, seed=1, stop=["x"], reasoning_effort="low"),
    chat(user="u", metadata={"a": "b"}, store=True, prompt_cache_key="k", safety_identifier="s"),
    chat(n=3),
    chat(n=3, seed=2**31 - 1),
    chat(max_tokens=100),
    chat(presence_penalty=0, frequency_penalty=0),
    chat(logit_bias={}, verbosity="medium"),
    chat(response_format=SCHEMA),
    chat(tools=[TOOL]),
]
"""Honoured, or of no consequence for the answer."""


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("body", "param", "words"), REFUSED)
async def test_what_cannot_be_honoured_is_refused_before_anything_is_sent(
    body: Json, param: str, words: list[str], stream: bool
) -> None:
    provider = Script(answers(says("Fine")))
    async with open_house(provider) as house:
        body = {**body, "stream": stream}
        answer = await house.ask(body, headers=STRICT)
        assert answer.status == 400
        assert answer.headers["content-type"] == "application/json"
        assert (answer.error["code"], answer.error["param"]) == ("unsupported_parameter", param)
        assert all(word in answer.error["message"] for word in words), answer.error
        assert provider.requests == []
        loose = await house.ask(body)
        assert loose.status == 200
        assert loose.codes != []


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("body", KEPT)
async def test_what_is_honoured_is_answered(body: Json, stream: bool) -> None:
    provider = Script(answers(says("Fine")))
    async with open_house(provider) as house:
        answer = await house.ask({**body, "stream": stream}, headers=STRICT)
        assert answer.status == 200, answer.body


@pytest.mark.parametrize("word", ["true", "1", "True", " true "])
async def test_strict_is_asked_for_by_word_or_number(word: str) -> None:
    async with open_house() as house:
        assert (await house.ask(chat(logit_bias={"1": 2}), headers={"x-portico-strict": word})).status == 400


@pytest.mark.parametrize("headers", [{}, {"x-portico-strict": "false"}, {"X-Portico-Strict": "False"}])
async def test_strict_is_not_the_default(headers: dict[str, str]) -> None:
    async with open_house() as house:
        answer = await house.ask(chat(logit_bias={"1": 2}), headers=headers)
        assert (answer.status, answer.codes) == (200, ["1.1:unsupported"])


@pytest.mark.parametrize("word", ["yes", "0", "", "true, true", "on"])
async def test_a_header_that_does_not_say_is_refused(word: str) -> None:
    provider = Script(answers(says("Fine")))
    async with open_house(provider) as house:
        answer = await house.ask(chat(), headers={"x-portico-strict": word})
        assert (answer.status, answer.error["param"]) == (400, "x-portico-strict")
        assert provider.requests == []


async def test_the_message_is_bounded_and_says_how_much_more_there_is() -> None:
    fields: dict[str, Any] = {f"{'k' * 1000}{i}": 1 for i in range(100)}
    async with open_house() as house:
        answer = await house.ask(chat(**fields), headers=STRICT)
        assert answer.status == 400
        assert len(answer.error["message"]) < 20_000
        assert "and 80 more" in answer.error["message"]


async def test_what_is_lost_of_the_answer_fails_no_call() -> None:
    async with open_house(Script(answers(says("Half", finish="OTHER")))) as house:
        answer = await house.ask(chat(), headers=STRICT)
        assert (answer.status, answer.codes) == (200, ["2.5:finish"])


@pytest.mark.parametrize("stream", [False, True])
async def test_a_small_limit_is_sent_without_a_word_about_thinking(stream: bool) -> None:
    """What was asked, exactly: the least thinking for small limits is a help that nobody asked for (9, first row)."""
    provider = Script(answers(says("Fine")))
    async with open_house(provider) as house:
        for headers, sent in (({}, True), (STRICT, False)):
            await house.ask(chat(max_tokens=100, stream=stream), headers=headers)
            assert ("thinkingConfig" in provider.bodies[-1]["generationConfig"]) == sent


async def test_a_caller_of_googles_own_dialect_may_be_strict_about_nothing() -> None:
    provider = Script(answers(says("Fine")))
    async with open_house(provider) as house:
        body = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], "generationConfig": {"presencePenalty": 1}}
        path = "/v1beta/models/gemini-3.5-flash:generateContent"
        answer: Answer = await house.ask(body, path=path, headers=STRICT)
        assert answer.status == 200
        assert provider.requests[0].body == jsontext.encode(body) or provider.bodies[0] == body


@pytest.mark.parametrize("kind", ["gemini", "openai", "openai-compatible"])
async def test_bookkeeping_of_claudes_callers_is_none_to_be_strict_about(kind: str) -> None:
    """Claude Code says who asks with each call."""
    asked: Json = {"metadata": {"user_id": "x" * 200}, "cache_control": {"type": "ephemeral"}, "max_tokens": 4000}
    name = {"gemini": "gemini-3.5-flash", "openai": "gpt-5.5"}.get(kind, "openai-compatible/m")
    script = Script(answers({"gemini": says("Fine"), "openai": gpt_says(gpt_message("Fine"))}.get(kind, CHAT)))
    async with open_house(script, kinds=(KINDS[kind],)) as house:
        answer = await ask_messages(house, message(model=name) | asked, **STRICT)
        assert answer.status == 200, answer.body


async def test_bookkeeping_of_codex_is_none_to_be_strict_about() -> None:
    asked = response(
        "Hi", model="gemini-3.5-flash", client_metadata={"x-codex-installation-id": "0199"}, prompt_cache_key="k"
    )
    async with open_house(Script(answers(says("Fine")))) as house:
        answer = await house.ask(asked, path="/v1/responses", headers=STRICT)
        assert answer.status == 200, answer.body


PDF = "JVBERi0xLjQKJSVFT0Y="
BLOCKS = {"type": "content", "content": [{"type": "text", "text": "Seven."}]}
BESIDE: Json = {"context": "a letter", "citations": {"enabled": True}}
DOCUMENTS: list[Json] = [
    {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Seven."}},
    {"type": "document", "source": BLOCKS, "title": "numbers.txt"},
    {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}},
]
RESULT: Json = {
    "type": "search_result",
    "title": "Numbers",
    "source": "https://a.example",
    "content": [{"type": "text", "text": "Seven."}],
}
SOURCES: list[tuple[Json, str]] = [
    *[({**document, **BESIDE}, "no place for context, citations") for document in DOCUMENTS],
    ({**RESULT, "citations": {"enabled": True}}, "no place for citations"),
]


def with_source(model: str, source: Json, *, within: bool) -> Json:
    """A message with a source in it, or in the result of a call."""
    if not within:
        return message(model=model) | {"messages": [{"role": "user", "content": [source]}]}
    call = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [source]}
    turns = [("user", "Hi"), ("assistant", [call]), ("user", [result])]
    tools = [{"name": "f", "input_schema": {"type": "object"}}]
    messages = [{"role": role, "content": content} for role, content in turns]
    return message(model=model, tools=tools) | {"messages": messages}


@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize("model", ["gpt-5.5", "gemini-3.5-flash", "gpt-chat"])
@pytest.mark.parametrize(("source", "told"), SOURCES)
async def test_what_a_source_of_anthropics_says_of_itself_is_lost_and_told(
    source: Json, told: str, model: str, within: bool
) -> None:
    named = OperatorModel("gpt-chat", target="openai-compatible/gpt-chat")
    kinds = [KINDS[name] for name in ("gemini", "openai", "openai-compatible")]
    async with open_house(Script(), kinds=kinds, models=[named]) as house:
        answer = await ask_messages(house, with_source(model, source, within=within), **STRICT)
        assert answer.status == 400, answer.body
        assert told in answer.body.decode()
        assert "video" not in answer.body.decode()


@pytest.mark.parametrize("source", [*DOCUMENTS, RESULT])
async def test_a_source_that_says_no_more_is_carried_with_its_title(source: Json) -> None:
    async with open_house(kinds=[KINDS["openai"]]) as house:
        answer = await ask_messages(house, with_source("gpt-5.5", source, within=False), **STRICT)
        assert answer.status == 200, answer.body
        sent = jsontext.encode(house.simulator.stats.last.body).decode()
        assert all(source[name] in sent for name in ("title", "source") if isinstance(source.get(name), str))


@pytest.mark.parametrize("model", ["claude-sonnet-5", "gemini-3.5-flash"])
async def test_to_keep_nothing_is_no_loss(model: str) -> None:
    async with open_house(kinds=[KINDS["gemini"], KINDS["anthropic"]]) as house:
        for path, body in (("/v1/responses", response(model=model)), ("/v1/chat/completions", chat(model=model))):
            answer = await house.ask({**body, "store": False}, path=path)
            assert answer.status == 200
            assert "$.store" not in {loss["path"] for loss in answer.changes}


@pytest.mark.parametrize("model", ["gpt-5.5", "gemini-3.5-flash", "gpt-chat"])
async def test_that_marks_of_a_cache_are_not_needed_is_told_where_the_first_stands(model: str) -> None:
    marked = {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}
    named = OperatorModel("gpt-chat", target="openai-compatible/gpt-4o")
    kinds = [KINDS[name] for name in ("gemini", "openai", "openai-compatible")]
    async with open_house(kinds=kinds, models=[named]) as house:
        body = message(model=model) | {
            "messages": [{"role": "user", "content": [{"type": "text", "text": "x"}, marked]}]
        }
        answer = await ask_messages(house, body, **STRICT)
        assert answer.status == 200, answer.body
        told = {loss["path"]: loss["code"] for loss in answer.changes if "cache" in loss["path"]}
        assert told == {"$.messages.0.content.1.cache_control": "1.1:ignored"}


async def test_that_claude_makes_no_pictures_is_told() -> None:
    async with open_house(kinds=[KINDS["anthropic"]]) as house:
        answer = await house.ask(chat(model="claude-sonnet-5", modalities=["text", "image"]))
        assert [(loss["code"], loss["path"]) for loss in answer.changes if loss["path"] == "$.modalities"] == [
            ("7.1:modalities", "$.modalities")
        ]
        config = {"responseModalities": ["IMAGE"]}
        body = {"contents": [{"role": "user", "parts": [{"text": "A fox"}]}], "generationConfig": config}
        answer = await house.ask(body, path="/v1beta/models/claude-sonnet-5:generateContent")
        assert "$.generationConfig.responseModalities" in {loss["path"] for loss in answer.changes}


@pytest.mark.parametrize("given", ["url", "object"])
@pytest.mark.parametrize("model", ["gemini-3.5-flash", "claude-sonnet-5"])
async def test_a_picture_may_be_bare_base64(model: str, given: str) -> None:
    url = f" {PICTURE} " if given == "url" else {"url": PICTURE}
    content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": url}]
    async with open_house(kinds=[KINDS["gemini"], KINDS["anthropic"]]) as house:
        body = chat(model=model) | {"messages": [{"role": "user", "content": content}]}
        answer = await house.ask(body)
        assert answer.status == 200, answer.body
        sent = jsontext.encode(house.simulator.stats.last.body).decode()
        assert PICTURE in sent
        assert "image/png" in sent

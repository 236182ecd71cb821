"""How many tokens a request has, asked in each dialect of providers of each (mapping.md 7, 7.6). It costs nothing."""

import json
import time
from typing import Any

import pytest

from gateway.gemini import ask as ask_google
from gateway.gemini import prompt
from gateway.house import House, Json, Script, answers, open_house
from gateway.vendors import CLAUDE, GEMINI, GPT, anthropic_error, ask_messages, message, response
from portico.providers import KINDS
from portico.simulator import Simulator

MESSAGES = "/v1/messages/count_tokens"
RESPONSES = "/v1/responses/input_tokens"


def question(model: str) -> Json:
    """What Anthropic's clients ask: there is no limit to an answer that nobody wants."""
    body = message(model=model, system="Be brief.")
    del body["max_tokens"]
    return body


async def count(house: House, dialect: str, model: str) -> Any:
    """(status, the number, whether it is an estimate)"""
    if dialect == "messages":
        answer = await ask_messages(house, question(model), MESSAGES)
        body = answer.json()
        assert answer.status == 200, body
        assert body.keys() == {"input_tokens"}
        return body["input_tokens"], "x-portico-estimated" in answer.headers
    if dialect == "responses":
        answer = await house.ask(response(model=model, instructions="Be brief."), path=RESPONSES)
        body = answer.json()
        assert answer.status == 200, body
        assert body.keys() == {"object", "input_tokens"}
        assert body["object"] == "response.input_tokens"
        return body["input_tokens"], "x-portico-estimated" in answer.headers
    answer = await ask_google(house, verb="countTokens", model=model)
    assert answer.status == 200, answer.body
    return answer.json()["totalTokens"], "x-portico-estimated" in answer.headers


GOOGLES = {"totalTokens": 17, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 17}]}
ANTHROPICS = {"input_tokens": 18}
OPENAIS = {"object": "response.input_tokens", "input_tokens": 19}
PROVIDERS = [
    ("gemini", GEMINI, GOOGLES, 17, ":countTokens"),
    ("anthropic", CLAUDE, ANTHROPICS, 18, "/messages/count_tokens"),
    ("openai", GPT, OPENAIS, 19, "/responses/input_tokens"),
]


@pytest.mark.parametrize("dialect", ["messages", "responses", "gemini"])
@pytest.mark.parametrize(("kind", "model", "told", "number", "path"), PROVIDERS, ids=[row[0] for row in PROVIDERS])
async def test_the_provider_of_the_model_counts(
    dialect: str, kind: str, model: str, told: Json, number: int, path: str
) -> None:
    script = Script(answers(told))
    async with open_house(script, kinds=(KINDS[kind],)) as house:
        assert await count(house, dialect, model) == (number, False)
        (request,) = script.requests
        assert request.path.endswith(path)
        assert b"Hello" in request.body
        assert b"max" not in request.body.lower().replace(b"max_tokens_per", b""), "no limit is asked about"


async def test_gemini_is_asked_about_the_whole_request() -> None:
    script = Script(answers(GOOGLES))
    async with open_house(script) as house:
        tools = [{"name": "look", "input_schema": {"type": "object", "properties": {"at": {"type": "integer"}}}}]
        answer = await ask_messages(house, question(GEMINI) | {"tools": tools}, MESSAGES)
        assert answer.json() == {"input_tokens": 17}
        asked = script.bodies[0]["generateContentRequest"]
        assert asked["model"] == f"models/{GEMINI}"
        assert asked["systemInstruction"]["parts"][0]["text"] == "Be brief."
        assert asked["tools"][0]["functionDeclarations"][0]["name"] == "look"


async def test_vertex_is_asked_about_the_parts_that_it_takes() -> None:
    script = Script(answers(GOOGLES))
    async with open_house(script, kinds=(KINDS["vertex"],)) as house:
        tools = [{"name": "look", "input_schema": {"type": "object", "properties": {"at": {"type": "integer"}}}}]
        answer = await ask_messages(house, question(GEMINI) | {"tools": tools}, MESSAGES)
        assert answer.json() == {"input_tokens": 17}
        assert script.requests[0].path.endswith(f"/publishers/google/models/{GEMINI}:countTokens")
        assert script.bodies[0].keys() - {"generationConfig"} == {"contents", "systemInstruction", "tools"}


TOOL_TURNS = [
    {"role": "user", "content": "Look."},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": 1}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "a cat"}]},
]


async def test_gemini_counts_calls_and_results_which_it_takes_without_ids_alone() -> None:
    async with open_house(Simulator(now=time.time)) as house:
        tools = [{"name": "look", "input_schema": {"type": "object", "properties": {"at": {"type": "integer"}}}}]
        asked = {"model": GEMINI, "messages": TOOL_TURNS, "tools": tools}
        answer = await ask_messages(house, asked, MESSAGES)
        assert answer.status == 200, answer.body
        sent = house.simulator.stats.last.body["generateContentRequest"]["contents"]
        assert [list(part) for turn in sent for part in turn["parts"] if "text" not in part] != []
        assert b'"id"' not in json.dumps(sent).encode()
        asked["messages"] = TOOL_TURNS[:1]
        assert (await ask_messages(house, asked, MESSAGES)).json()["input_tokens"] < answer.json()["input_tokens"]


async def test_a_question_of_googles_in_its_envelope_is_understood() -> None:
    script = Script(answers(ANTHROPICS))
    async with open_house(script, kinds=(KINDS["anthropic"],)) as house:
        envelope = {"generateContentRequest": {"model": f"models/{CLAUDE}", **prompt("Hello there")}}
        answer = await ask_google(house, envelope, verb="countTokens", model=CLAUDE)
        assert answer.json() == {"totalTokens": 18}
        assert b"Hello there" in script.requests[0].body


@pytest.mark.parametrize("dialect", ["messages", "responses", "gemini"])
async def test_where_nobody_counts_there_is_an_estimate_that_says_so(dialect: str) -> None:
    script = Script(answers({}))
    async with open_house(script, kinds=(KINDS["openai-compatible"],)) as house:
        number, estimated = await count(house, dialect, "openai-compatible/some-model")
        assert estimated
        assert 1 <= number <= 100
        assert script.requests == []


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"{", 400, "invalid_request_error"),
        ({"messages": []}, 400, "invalid_request_error"),
        (question("no-such-model"), 404, "not_found_error"),
        (question(GPT), 404, "not_found_error"),
    ],
)
async def test_a_question_that_is_none(body: Any, status: int, kind: str) -> None:
    script = Script(answers(GOOGLES))
    async with open_house(script) as house:
        anthropic_error(await ask_messages(house, body, MESSAGES), status, kind)
        assert script.requests == []


async def test_an_answer_without_a_count_is_an_error() -> None:
    async with open_house(Script(answers({"tokens": "many"}))) as house:
        anthropic_error(await ask_messages(house, question(GEMINI), MESSAGES), 502, "api_error")


async def test_a_version_is_not_needed_and_beta_is_ignored() -> None:
    async with open_house(Script(answers(GOOGLES))) as house:
        for path in ("/messages/count_tokens", f"{MESSAGES}?beta=true"):
            assert (await ask_messages(house, question(GEMINI), path)).json() == {"input_tokens": 17}
        answer = await house.ask(response(model=GEMINI), path="/responses/input_tokens")
        assert answer.json()["input_tokens"] == 17

"""What codex, claude-code and OpenClaw send is answered by whichever model, whole and streamed: what another vendor has
no word for is translated or left out and told, never refused."""

import json
from typing import Any, Final

import pytest

from gateway.agent_bodies import AGENTS, Agent, sent
from gateway.house import Answer, House, Json, open_house
from gateway.test_switching_models import THREE
from portico.catalog import OperatorModel
from portico.core.envelope import MARK

GEMINI, GPT, CLAUDE = "gemini-3.5-flash", "gpt-5.5", "claude-opus-5-5"
OLDER: Final = ("gemini-2.5-flash", "gpt-4.1", "claude-sonnet-4-6", "claude-haiku-4-5")


async def told(house: House, agent: Agent, body: Json, *, stream: bool) -> Answer:
    path, data = sent(agent, body, stream=stream)
    return await house.ask(data, path=path, headers=agent.headers)


def ended_well(agent: Agent, streamed: Answer) -> bool:
    """Whether a stream ends as its dialect's streams end, without an error."""
    assert b'"error":{' not in streamed.body, streamed.body[-500:]
    last = streamed.body.decode().strip().rpartition("data: ")[2]
    if agent.path == "/v1/chat/completions":
        return last == "[DONE]"
    event: Json = json.loads(last)
    if agent.path == "gemini":
        return bool(event["candidates"][0]["finishReason"] == "STOP")
    return event["type"] in ("response.completed", "message_stop")


@pytest.mark.parametrize("model", [GEMINI, GPT, CLAUDE, *OLDER])
@pytest.mark.parametrize("name", AGENTS)
async def test_three_turns_of_an_agent_are_answered_by_every_model(name: str, model: str) -> None:
    agent = AGENTS[name]
    async with open_house(kinds=THREE) as house:
        body = agent.first(model)
        for turn in range(3):
            whole = await told(house, agent, body, stream=False)
            streamed = await told(house, agent, body, stream=True)
            assert (whole.status, streamed.status) == (200, 200), (turn, whole.body, streamed.body)
            assert ended_well(agent, streamed)
            assert all(loss["code"] and loss["path"].startswith("$") and loss["message"] for loss in whole.changes)
            assert MARK not in json.dumps(house.simulator.stats.last.body)  # an envelope is for callers alone
            body = agent.next(body, whole.json())


BEYOND: Final = [
    (
        "claude-code",
        "anthropic/claude-haiku-4-5",
        "$.thinking",
    ),  # adaptive; and a system message, which keeps its words
    ("OpenClaw, messages", "anthropic/claude-opus-5-5", "$.thinking"),  # enabled, with a budget
    ("codex", "openai/gpt-4.1", "$.reasoning.effort"),
    ("OpenClaw, responses", "openai/gpt-4o", "$.reasoning.effort"),
    ("OpenClaw, chat", "openai/gpt-4.1", "$.reasoning_effort"),
    ("OpenClaw, gemini", "gemini/gemini-2.5-flash", "$.generationConfig.thinkingConfig"),
]
"""(agent, whom an operator's own name means, what that refuses of the body in the agent's own dialect)."""


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("name", "target", "path"), BEYOND)
async def test_what_a_model_behind_an_operators_name_refuses_is_said_anew_and_told(
    name: str, target: str, path: str, stream: bool
) -> None:
    agent = AGENTS[name]
    async with open_house(kinds=THREE, models=[OperatorModel("house-model", target=target)]) as house:
        body = agent.first("house-model")
        answer = await told(house, agent, body, stream=stream)
        assert answer.status == 200, answer.body
        assert path in {loss["path"] for loss in answer.changes}
        headers = {**agent.headers, "x-portico-strict": "true"}
        where, data = sent(agent, body, stream=stream)
        strict = await house.ask(data, path=where, headers=headers)
        assert (strict.status, path in strict.body.decode()) == (400, True)


async def test_a_system_message_in_the_middle_goes_before_a_claude_that_takes_none_there() -> None:
    answer, body = await asked("claude-code", "claude-sonnet-4-6")
    assert [message["role"] for message in body["messages"]] == ["user"]
    assert body["system"][-1] == {"type": "text", "text": "Deferred tools: WebFetch."}
    assert body["thinking"]["type"] == "adaptive"
    assert body["context_management"] == AGENTS["claude-code"].first(CLAUDE)["context_management"]
    assert losses_at(answer, "$.thinking") == set()


async def test_a_long_id_of_a_call_fits_openai() -> None:
    _, body = await asked("codex, a long session", GPT)
    ids = [item["call_id"] for item in body["input"] if item.get("type") in ("function_call", "function_call_output")]
    assert max(map(len, ids)) <= 64
    assert ids[0] == ids[2]
    assert body["include"] == ["reasoning.encrypted_content"]
    assert (body["store"], body["reasoning"]) == (False, {"effort": "medium", "summary": "auto"})


OWN: Final = [
    ("codex", GPT),
    ("OpenClaw, chat", GPT),
    ("claude-code", CLAUDE),
    ("OpenClaw, messages", "claude-opus-4-6"),
    ("OpenClaw, gemini", GEMINI),
]


@pytest.mark.parametrize(("name", "model"), OWN)
async def test_what_a_model_takes_of_its_own_dialect_passes_as_it_is(name: str, model: str) -> None:
    answer, body = await asked(name, model)
    agent = AGENTS[name]
    data = sent(agent, agent.first(model), stream=False)[1]
    assert answer.changes == []
    assert body == (data if isinstance(data, dict) else json.loads(data))


async def asked(name: str, model: str) -> tuple[Answer, Any]:
    """An agent's first request, whole: its answer, and what the provider was sent."""
    async with open_house(kinds=THREE) as house:
        agent = AGENTS[name]
        answer = await told(house, agent, agent.first(model), stream=False)
        assert answer.status == 200, answer.body
        return answer, house.simulator.stats.last.body


def losses_at(answer: Answer, path: str) -> set[str]:
    return {loss["code"] for loss in answer.changes if loss["path"] == path}


# -- codex -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [GEMINI, CLAUDE])
async def test_the_tools_of_codex_are_translated_or_left_out_and_told(model: str) -> None:
    answer, _ = await asked("codex", model)
    assert losses_at(answer, "$.tools[2]") == {"1.12:tool_ext"}  # a namespace: its functions are declared all the same
    assert losses_at(answer, "$.tools[3]") == {"1.12:grammar"}
    assert losses_at(answer, "$.tools[4]") == {"7.1:builtin"}  # tool_search
    assert losses_at(answer, "$.tools[5]") == {"1.14:builtin"}  # external_web_access; the search itself is asked for
    assert losses_at(answer, "$.tools[0]") | losses_at(answer, "$.tools[1]") == set()
    calls = {item["name"]: item for item in answer.json()["output"] if item["type"].endswith("_call")}
    assert calls.keys() == {"exec_command", "spawn_agent", "apply_patch"}
    assert calls["spawn_agent"]["namespace"] == "multi_agent_v1"
    assert "namespace" not in calls["exec_command"]
    assert calls["apply_patch"]["type"] == "custom_tool_call"
    assert isinstance(calls["apply_patch"]["input"], str)


async def test_what_the_developer_says_instructs_every_model() -> None:
    said = ["You are Codex.", "<permissions>never ask</permissions>"]
    _, body = await asked("codex", GEMINI)
    assert [part["text"] for part in body["systemInstruction"]["parts"]] == said
    declared = [one["name"] for tool in body["tools"] for one in tool.get("functionDeclarations", ())]
    assert declared[2:] == ["multi_agent_v1__spawn_agent", "multi_agent_v1__wait", "apply_patch"]
    _, body = await asked("codex", CLAUDE)
    assert [block["text"] for block in body["system"]] == said
    told_in_words = next(tool["description"] for tool in body["tools"] if tool["name"] == "apply_patch")
    assert 'must follow this lark grammar:\nstart: begin hunk+ end\nbegin: "*** Begin Patch" LF' in told_in_words


async def test_what_codex_sends_to_gpt_passes_as_it_is() -> None:
    answer, body = await asked("codex", GPT)
    assert answer.changes == []
    assert body == {**AGENTS["codex"].first(GPT), "stream": False}


# -- claude-code -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [GEMINI, GPT])
async def test_what_only_claude_knows_of_claude_code_is_told(model: str) -> None:
    answer, _ = await asked("claude-code", model)
    at_tool = {loss["path"]: loss["message"] for loss in answer.changes if loss["code"] == "1.12:tool_ext"}
    assert "defer_loading" in at_tool["$.tools.2"]
    assert any("context_management" in loss["message"] for loss in answer.changes)
    names = {block["name"] for block in answer.json()["content"] if block["type"] == "tool_use"}
    assert {"exec_command", "spawn_agent"} <= names


async def test_a_system_message_in_the_middle_keeps_its_words() -> None:
    _, body = await asked("claude-code", GPT)
    assert [item["role"] for item in body["input"]] == ["developer", "user", "developer"]
    assert body["input"][2]["content"] == "Deferred tools: WebFetch."
    assert body["reasoning"]["effort"] == "high"  # adaptive thinking, with an effort
    _, body = await asked("claude-code", GEMINI)
    assert body["systemInstruction"]["parts"][-1] == {"text": "Deferred tools: WebFetch."}
    assert body["generationConfig"]["thinkingConfig"] == {"thinkingLevel": "HIGH", "includeThoughts": False}
    _, body = await asked("claude-code", CLAUDE)
    assert body["messages"] == AGENTS["claude-code"].first(CLAUDE)["messages"]


# -- OpenClaw --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [GEMINI, GPT])
async def test_a_thought_of_gpt_goes_back_with_whatever_text_followed_it(model: str) -> None:
    """OpenAI refuses a thought that has its id where what it led to has none, and texts of other dialects have none."""
    agent = AGENTS["OpenClaw, messages"]
    async with open_house(kinds=THREE) as house:
        body = agent.first(GPT)
        for _ in range(2):
            body = agent.next(body, (await told(house, agent, body, stream=False)).json())
        kinds = [block["type"] for block in body["messages"][-2]["content"]]
        assert kinds == ["thinking", "text"]
        assert (await told(house, agent, {**body, "model": model}, stream=False)).status == 200


FORCED: Final[Json] = {
    "tools": [{"name": "Trip", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}],
    "tool_choice": {"type": "tool", "name": "Trip"},
}
FRAMEWORKS: Final[list[tuple[str, str, Json, set[str]]]] = [
    ("/v1/chat/completions", GPT, {"max_tokens": 4096}, set()),
    ("/v1/chat/completions", GPT, {"max_tokens": 512, "temperature": 0.1}, {"$.temperature"}),
    ("/v1/chat/completions", GPT, {"temperature": 0, "stop": ["\n\nUser:"]}, {"$.temperature", "$.stop"}),
    ("/v1/chat/completions", "gpt-5-mini", {"max_tokens": 64, "presence_penalty": 0.5}, {"$.presence_penalty"}),
    ("/v1/responses", GPT, {"temperature": 0.1, "top_p": 0.9}, {"$.temperature", "$.top_p"}),
    ("/v1/messages", CLAUDE, {"max_tokens": 64, "temperature": 0.2}, {"$.temperature"}),
    ("/v1/messages", "claude-haiku-4-5", {"max_tokens": 64, "temperature": 0.2, "top_p": 0.9}, {"$.top_p"}),
    ("/v1/messages", "claude-sonnet-5-5", {"max_tokens": 64, **FORCED}, {"$.tool_choice"}),
]
"""(path, model, what frameworks send every model, what of it is told as lost)."""


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("path", "model", "more", "lost"), FRAMEWORKS)
async def test_what_frameworks_send_every_model_is_left_out_where_the_model_refuses_it(
    path: str, model: str, more: Json, lost: set[str], stream: bool
) -> None:
    asked = {"input": "Hi"} if path == "/v1/responses" else {"messages": [{"role": "user", "content": "Hi"}]}
    async with open_house(kinds=THREE) as house:
        answer = await house.ask({"model": model, **asked, **more, "stream": stream}, path=path)
        assert answer.status == 200, answer.body
        assert {loss["path"] for loss in answer.changes} == lost
        sent_on = house.simulator.stats.last.body
        if path == "/v1/chat/completions" and "max_tokens" in more:
            assert (sent_on["max_completion_tokens"], "max_tokens" in sent_on) == (more["max_tokens"], False)

"""Failures on demand, in OpenAI's bodies and headers; and what a real socket carries of an answer."""

import asyncio
import base64
import json
import struct

import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI, BadRequestError, RateLimitError

from portico.http.server import Server
from portico.simulator import Simulator
from simulator.sim_memory import exchange
from simulator.sim_openai import CHAT, KEY, answer, framed, post, tools, user


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("429", 429, "rate_limit_exceeded"),
        ("429-day", 429, "insufficient_quota"),
        ("500", 500, None),
        ("503", 503, None),
        ("context", 400, "context_length_exceeded"),
        ("block", 400, "invalid_prompt"),
    ],
)
@pytest.mark.parametrize("by_header", [False, True])
async def test_errors_come_instead_of_an_answer(name: str, status: int, code: str | None, by_header: bool) -> None:
    if by_header:
        one = await post(Simulator(), CHAT, user("Hi"), headers={"x-sim-fault": name})
    else:
        one = await post(Simulator(), CHAT, user(f"Hi [[sim:{name}]]"))
    assert (one.status, one.json()["error"]["code"]) == (status, code)
    assert one.headers["x-request-id"].startswith("req_")
    assert ("retry-after" in one.headers) is (name == "429")
    assert (one.headers["x-ratelimit-remaining-requests"] == "0") is (name == "429")


async def test_every_answer_tells_its_limits() -> None:
    one = await post(Simulator(), CHAT, user("Hi"))
    told = {name for name in one.headers if name.startswith("x-ratelimit-")}
    assert {name.removeprefix("x-ratelimit-") for name in told} == {
        f"{what}-{unit}" for what in ("limit", "remaining", "reset") for unit in ("requests", "tokens")
    }


async def test_once_fails_the_first_time_only() -> None:
    sim, body = Simulator(), user("Hi there [[sim:once:503]]")
    assert [(await post(sim, CHAT, body)).status for _ in range(3)] == [503, 200, 200]


@pytest.mark.parametrize("count", [0, 1, 3])
async def test_a_cut_stream_ends_without_an_end(count: int) -> None:
    one = await post(Simulator(), CHAT, user(f"Hello [[sim:cut={count}]]", stream=True))
    assert one.aborted
    assert not one.finished
    assert len(framed(one.data, done=False)) == count


async def test_a_cut_before_sends_nothing() -> None:
    one = await post(Simulator(), CHAT, user("Hello [[sim:cut-before]]"))
    assert one.aborted
    assert not one.started


async def test_an_error_in_the_middle_follows_real_events() -> None:
    one = await post(Simulator(), CHAT, user("Hello [[sim:error-mid=2]]", stream=True))
    assert ["error" in event for event in framed(one.data, done=False)] == [False, False, True]


@pytest.mark.parametrize("streamed", [False, True])
async def test_garbage_and_html_are_no_json(streamed: bool) -> None:
    garbage = await post(Simulator(), CHAT, user("[[sim:garbage]]", stream=streamed))
    page = await post(Simulator(), CHAT, user("[[sim:html-502]]", stream=streamed))
    assert (garbage.status, page.status) == (200, 502)
    for one in (garbage, page):
        with pytest.raises(json.JSONDecodeError):
            json.loads(one.data.removeprefix(b"data: "))


async def test_the_sdk_reads_what_a_socket_carries() -> None:
    server = Server(Simulator())
    await server.start(host="127.0.0.1", port=0)
    try:
        async with asyncio.timeout(30):
            await _converse(f"http://127.0.0.1:{server.port}/v1")
            await _azure(f"http://127.0.0.1:{server.port}")
    finally:
        await server.stop(grace_s=0.1)


async def _converse(base: str) -> None:
    async with AsyncOpenAI(api_key="a-key", base_url=base, max_retries=0) as client:
        made = await client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hello"}])
        whole = made.choices[0].message.content
        assert whole
        stream = await client.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": "Hello"}], stream=True
        )
        pieces = [chunk.choices[0].delta.content or "" async for chunk in stream]
        assert "".join(pieces) == whole
        with pytest.raises(RateLimitError):
            await client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "[[sim:429]]"}])
        with pytest.raises(BadRequestError, match="Unknown parameter: 'nothing'"):
            await client.chat.completions.create(
                model="gpt-4o", messages=[{"role": "user", "content": "Hi"}], extra_body={"nothing": 1}
            )
        assert "gpt-5-mini" in [one.id async for one in client.models.list()]
        assert (await client.models.retrieve("gpt-4o")).id == "gpt-4o"
        told = await client.responses.create(model="gpt-5-mini", input="Hello", reasoning={"summary": "auto"})
        async with client.responses.stream(model="gpt-5-mini", input="Hello", reasoning={"summary": "auto"}) as events:
            async for _ in events:
                pass
            assert (await events.get_final_response()).output_text == told.output_text
        assert (await client.responses.retrieve(told.id)).id == told.id
        await client.responses.delete(told.id)
        counted = await client.responses.input_tokens.count(model="gpt-5-mini", input="Hello")
        assert told.usage is not None
        assert counted.input_tokens == told.usage.input_tokens
        vectors = await client.embeddings.create(model="text-embedding-3-small", input=["one", "two"])
        assert [len(one.embedding) for one in vectors.data] == [1536, 1536]


async def _azure(base: str) -> None:
    client = AsyncAzureOpenAI(api_key="a-key", azure_endpoint=base, api_version="2024-10-21", max_retries=0)
    async with client:
        stream = await client.chat.completions.create(
            model="our-gpt-4o-mini", messages=[{"role": "user", "content": "Hello"}], stream=True
        )
        chunks = [chunk async for chunk in stream]
        assert chunks[0].choices == []
        assert chunks[1].model.startswith("gpt-4o-mini")


AZURE = "/openai/deployments/our-gpt-4o/chat/completions"


async def test_azure_wants_a_version_and_its_own_key() -> None:
    sim = Simulator()
    body = {"messages": [{"role": "user", "content": "Hi"}]}
    cases = {
        ("", "api-key"): (404, "404"),
        ("api-version=2024-10-21", "x-api-key"): (401, "401"),
        ("api-version=2024-10-21", "api-key"): (200, None),
    }
    for (query, header), (status, code) in cases.items():
        one = exchange(AZURE, body, query=query, headers={header: "a-key"})
        await sim(one)
        assert one.status == status
        assert one.json().get("error", {}).get("code") == code
    lost = exchange(AZURE.replace("our-gpt-4o", "nothing"), body, query="api-version=1", headers={"api-key": "k"})
    await sim(lost)
    assert (lost.status, lost.json()["error"]["code"]) == (404, "DeploymentNotFound")
    newer = exchange("/openai/v1/chat/completions", user("Hi"), headers={"api-key": "k"})
    await sim(newer)
    assert newer.status == 200


async def test_azure_filters_in_its_own_words() -> None:
    body = {"messages": [{"role": "user", "content": "[[sim:block]]"}]}
    one = exchange(AZURE, body, query="api-version=2024-10-21", headers={"api-key": "k"})
    await Simulator()(one)
    told = one.json()["error"]
    assert (one.status, told["code"], told["innererror"]["code"]) == (
        400,
        "content_filter",
        "ResponsibleAIPolicyViolation",
    )


async def test_broken_arguments_are_a_call_all_the_same() -> None:
    body = user("The weather in Rome? [[sim:malformed]]", tools=tools("get_weather"))
    choice = (await answer(Simulator(), CHAT, body))["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    with pytest.raises(json.JSONDecodeError):
        json.loads(choice["message"]["tool_calls"][0]["function"]["arguments"])


async def test_unversioned_twins_answer_too() -> None:
    assert await answer(Simulator(), "/chat/completions", user("Hi")) == await answer(Simulator(), CHAT, user("Hi"))


async def test_three_vendors_list_their_models_at_one_path() -> None:
    sim = Simulator()
    openai, google = exchange("/v1/models", headers=KEY), exchange("/v1/models", headers={"x-goog-api-key": "k"})
    await sim(openai)
    await sim(google)
    assert openai.json()["object"] == "list"
    assert google.json()["models"][0]["name"].startswith("models/")


async def test_embeddings_are_unit_vectors_in_both_forms() -> None:
    sim, body = Simulator(), {"model": "text-embedding-3-small", "input": "one two", "dimensions": 64}
    numbers = (await answer(sim, "/v1/embeddings", body))["data"][0]["embedding"]
    coded = (await answer(sim, "/v1/embeddings", body | {"encoding_format": "base64"}))["data"][0]["embedding"]
    assert sum(value * value for value in numbers) == pytest.approx(1)
    assert struct.unpack("<64f", base64.b64decode(coded)) == pytest.approx(numbers)


@pytest.mark.parametrize("given", [["a", 1], [1, "a"], [[1], "a"], ["a", [1]], [[1], 1], "", [], [""]])
async def test_what_is_embedded_is_of_one_kind(given: object) -> None:
    refused = await post(Simulator(), "/v1/embeddings", {"model": "text-embedding-3-small", "input": given})
    assert refused.status == 400


async def test_what_was_asked_is_seen() -> None:
    sim = Simulator()
    await post(sim, CHAT, user("weather in Rome", tools=tools("get_weather")))
    assert (sim.stats.last.model, sim.stats.last.verb, sim.stats.last.key) == ("gpt-4o", "chat", "a-key")
    assert (sim.stats.requests, sim.stats.answered, sim.stats.refused) == (1, 1, 0)

"""The official OpenAI SDK against a whole gateway: what its parsed objects hold, sync and async."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import BaseModel

from gateway.house import KEY, House, Script, answers, fails, open_house, says

MODEL = "gemini-3.5-flash"


class Sdk:
    """One face for both clients: the sync one works in a thread, while the loop serves it."""

    def __init__(self, house: House, kind: str, key: str = KEY) -> None:
        self._sync = OpenAI(api_key=key, base_url=house.url, max_retries=0) if kind == "sync" else None
        self._async = AsyncOpenAI(api_key=key, base_url=house.url, max_retries=0)

    async def close(self) -> None:
        if self._sync is not None:
            self._sync.close()
        await self._async.close()

    async def run(self, pick: Callable[[Any], Any], **kwargs: Any) -> Any:
        """Calls the method that `pick` picks of the client."""
        if self._sync is not None:
            return await asyncio.to_thread(pick(self._sync), **kwargs)
        return await pick(self._async)(**kwargs)

    async def create(self, content: Any = "Hello", **kwargs: Any) -> ChatCompletion:
        completion = await self.run(lambda client: client.chat.completions.create, **asked(content, kwargs))
        assert isinstance(completion, ChatCompletion)
        return completion

    async def stream(self, content: Any = "Hello", **kwargs: Any) -> list[ChatCompletionChunk]:
        """Every chunk of a streamed completion."""
        kwargs = asked(content, kwargs) | {"stream": True}
        sync = self._sync
        if sync is not None:
            return await asyncio.to_thread(lambda: list(sync.chat.completions.create(**kwargs)))
        return [chunk async for chunk in await self._async.chat.completions.create(**kwargs)]


def asked(content: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    messages = [{"role": "user", "content": content}] if isinstance(content, str) else content
    return {"model": MODEL, "messages": messages, **kwargs}


@pytest.fixture(params=["sync", "async"])
async def house_and_sdk(request: pytest.FixtureRequest) -> AsyncIterator[tuple[House, Sdk]]:
    async with open_house() as house:
        sdk = Sdk(house, request.param)
        yield house, sdk
        await sdk.close()


@pytest.fixture
def house(house_and_sdk: tuple[House, Sdk]) -> House:
    return house_and_sdk[0]


@pytest.fixture
def sdk(house_and_sdk: tuple[House, Sdk]) -> Sdk:
    return house_and_sdk[1]


def function(name: str, **properties: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {key: {"type": kind} for key, kind in properties.items()}}
    parameters = {**schema, "required": list(properties), "additionalProperties": False}
    return {"type": "function", "function": {"name": name, "description": f"{name}.", "parameters": parameters}}


TOOLS = [function("get_weather", city="string"), function("get_time", zone="string", count="integer")]


def joined(chunks: list[ChatCompletionChunk]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


# -- text ------------------------------------------------------------------------------------------------------------


async def test_a_text_is_answered_with_a_whole_completion(sdk: Sdk) -> None:
    completion = await sdk.create("Hello")
    choice = completion.choices[0]
    assert completion.object == "chat.completion"
    assert completion.id.startswith("chatcmpl-")
    assert completion.model == MODEL
    assert (choice.index, choice.finish_reason) == (0, "stop")
    assert choice.message.role == "assistant"
    assert choice.message.content == '[simulated] You said: "Hello"'
    assert choice.message.refusal is None
    assert choice.message.tool_calls is None
    assert completion.usage is not None
    assert completion.usage.prompt_tokens > 0
    assert completion.usage.completion_tokens > 0
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens


async def test_system_and_developer_messages_become_the_system_instruction(sdk: Sdk, house: House) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": "Hello"},
    ]
    completion = await sdk.create(messages)
    body = house.simulator.stats.last.body
    assert [part["text"] for part in body["systemInstruction"]["parts"]] == ["Be brief.", "Be kind."]
    assert [content["role"] for content in body["contents"]] == ["user"]
    assert completion.choices[0].message.content == '[simulated] You said: "Hello"'


async def test_a_conversation_of_many_turns_arrives_in_order(sdk: Sdk, house: House) -> None:
    first = await sdk.create("One")
    messages: list[Any] = [
        {"role": "user", "content": "One"},
        first.choices[0].message,
        {"role": "user", "content": "Two"},
    ]
    second = await sdk.create(messages)
    contents = house.simulator.stats.last.body["contents"]
    assert [content["role"] for content in contents] == ["user", "model", "user"]
    assert contents[1]["parts"][0]["text"] == '[simulated] You said: "One"'
    assert contents[1]["parts"][0]["thoughtSignature"]
    assert second.choices[0].message.content == '[simulated] You said: "Two"'


async def test_sampling_parameters_reach_the_provider(sdk: Sdk, house: House) -> None:
    await sdk.create("Hello", temperature=0.5, top_p=0.9, max_completion_tokens=4000, stop=["X"], seed=7)
    config = house.simulator.stats.last.body["generationConfig"]
    assert (config["temperature"], config["topP"], config["maxOutputTokens"]) == (0.5, 0.9, 4000)
    assert (config["stopSequences"], config["seed"]) == (["X"], 7)


async def test_a_reasoning_effort_steers_the_thinking_and_its_tokens_are_counted(sdk: Sdk, house: House) -> None:
    low = await sdk.create("Hello", reasoning_effort="low")
    assert house.simulator.stats.last.body["generationConfig"]["thinkingConfig"]["thinkingLevel"].upper() == "LOW"
    high = await sdk.create("Hello", reasoning_effort="high")
    spent = []
    for completion in (low, high):
        assert completion.usage is not None
        assert completion.usage.completion_tokens_details is not None
        spent.append(completion.usage.completion_tokens_details.reasoning_tokens or 0)
    assert 0 < spent[0] < spent[1]


# -- tools -----------------------------------------------------------------------------------------------------------


async def test_parallel_calls_come_in_one_message_with_ids_of_their_own(sdk: Sdk) -> None:
    completion = await sdk.create("get_weather and get_time please", tools=TOOLS)
    choice = completion.choices[0]
    calls = choice.message.tool_calls
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content is None
    assert calls is not None
    assert [call.type for call in calls] == ["function", "function"]
    assert sorted(call.function.name for call in calls if call.type == "function") == ["get_time", "get_weather"]
    assert len({call.id for call in calls}) == 2
    assert all(call.id.startswith("call_") and len(call.id) == 29 for call in calls)


async def test_tool_results_go_back_and_the_answer_is_made_of_them(sdk: Sdk, house: House) -> None:
    question = {"role": "user", "content": "get_weather and get_time please"}
    first = await sdk.create([question], tools=TOOLS)
    message = first.choices[0].message
    assert message.tool_calls is not None
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": f"result {number}"}
        for number, call in enumerate(message.tool_calls)
    ]
    second = await sdk.create([question, message, *reversed(results)], tools=TOOLS)
    contents = house.simulator.stats.last.body["contents"]
    assert [content["role"] for content in contents] == ["user", "model", "user"]
    asked, told = [part["functionCall"] for part in contents[1]["parts"]], contents[2]["parts"]
    assert [part["functionResponse"]["id"] for part in told] == [call["id"] for call in asked]
    assert [part["functionResponse"]["response"] for part in told] == [{"output": "result 0"}, {"output": "result 1"}]
    assert second.choices[0].finish_reason == "stop"
    assert second.choices[0].message.content is not None
    assert "result 0" in second.choices[0].message.content


async def test_a_required_choice_makes_a_call(sdk: Sdk) -> None:
    completion = await sdk.create("Just talk", tools=TOOLS, tool_choice="required")
    assert completion.choices[0].message.tool_calls


async def test_a_named_choice_calls_that_tool(sdk: Sdk) -> None:
    choice = {"type": "function", "function": {"name": "get_time"}}
    completion = await sdk.create("get_weather please", tools=TOOLS, tool_choice=choice)
    calls = completion.choices[0].message.tool_calls
    assert calls is not None
    assert [call.function.name for call in calls if call.type == "function"] == ["get_time"]


async def test_a_choice_of_none_calls_nothing(sdk: Sdk) -> None:
    completion = await sdk.create("get_weather please", tools=TOOLS, tool_choice="none")
    assert completion.choices[0].message.tool_calls is None
    assert completion.choices[0].finish_reason == "stop"


async def test_whole_numbers_in_arguments_are_integers(sdk: Sdk) -> None:
    completion = await sdk.create("get_time please", tools=TOOLS)
    calls = completion.choices[0].message.tool_calls
    assert calls is not None
    assert calls[0].type == "function"
    arguments = json.loads(calls[0].function.arguments)
    assert isinstance(arguments["count"], int)


# -- formats ---------------------------------------------------------------------------------------------------------


class Step(BaseModel):
    title: str
    minutes: int | None


class Recipe(BaseModel):
    name: str
    steps: list[Step]
    vegan: bool


async def test_parse_returns_the_model_it_was_given(sdk: Sdk, house: House) -> None:
    completion = await sdk.run(
        lambda client: client.chat.completions.parse, **asked("A recipe", {"response_format": Recipe})
    )
    parsed = completion.choices[0].message.parsed
    assert isinstance(parsed, Recipe)
    assert house.simulator.stats.last.body["generationConfig"]["responseMimeType"] == "application/json"


async def test_parse_reads_the_arguments_of_strict_tools(sdk: Sdk) -> None:
    tool = openai.pydantic_function_tool(Recipe, name="save_recipe")
    completion = await sdk.run(
        lambda client: client.chat.completions.parse, **asked("save_recipe please", {"tools": [tool]})
    )
    assert isinstance(completion.choices[0].message.tool_calls[0].function.parsed_arguments, Recipe)


async def test_a_json_object_is_json(sdk: Sdk) -> None:
    completion = await sdk.create("Hello", response_format={"type": "json_object"})
    content = completion.choices[0].message.content
    assert content is not None
    assert json.loads(content)["simulated"] is True


# -- streams ---------------------------------------------------------------------------------------------------------


async def test_a_stream_without_usage_has_a_choice_in_every_chunk(sdk: Sdk) -> None:
    chunks = await sdk.stream("Hello [[sim:words=50]]")
    assert len(chunks) > 3
    assert all(len(chunk.choices) == 1 for chunk in chunks)
    assert all(chunk.usage is None for chunk in chunks)
    assert "usage" not in chunks[0].model_fields_set
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason] == ["stop"]
    assert joined(chunks).endswith("word49")
    assert len({(chunk.id, chunk.created, chunk.model, chunk.object) for chunk in chunks}) == 1


async def test_a_stream_with_usage_ends_with_one_chunk_of_it(sdk: Sdk) -> None:
    chunks = await sdk.stream("Hello", stream_options={"include_usage": True})
    *others, last = chunks
    assert all(chunk.choices and chunk.usage is None for chunk in others)
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.total_tokens == last.usage.prompt_tokens + last.usage.completion_tokens


async def test_a_streamed_answer_is_the_answer(sdk: Sdk) -> None:
    whole = await sdk.create("Hello [[sim:words=80]]", reasoning_effort="medium")
    chunks = await sdk.stream(
        "Hello [[sim:words=80]]", reasoning_effort="medium", stream_options={"include_usage": True}
    )
    assert joined(chunks) == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage


async def test_streamed_parallel_calls_have_indices_of_their_own(sdk: Sdk) -> None:
    chunks = await sdk.stream("get_weather and get_time please", tools=TOOLS)
    pieces = [piece for chunk in chunks for piece in chunk.choices[0].delta.tool_calls or ()]
    assert {piece.index for piece in pieces} == {0, 1}
    named = [piece for piece in pieces if piece.function is not None and piece.function.name]
    assert sorted(piece.index for piece in named) == [0, 1]
    assert all(piece.id and piece.id.startswith("call_") for piece in named)
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


async def test_the_stream_helper_accumulates_what_a_whole_answer_says(house: House) -> None:
    async with (
        AsyncOpenAI(api_key=KEY, base_url=house.url, max_retries=0) as client,
        client.chat.completions.stream(
            model=MODEL,
            messages=[{"role": "user", "content": "A recipe"}],
            response_format=Recipe,
            stream_options={"include_usage": True},
        ) as stream,
    ):
        async for _ in stream:
            pass
        completion = await stream.get_final_completion()
    assert isinstance(completion.choices[0].message.parsed, Recipe)
    assert completion.usage is not None


# -- models ----------------------------------------------------------------------------------------------------------


async def test_models_are_listed_and_found(sdk: Sdk) -> None:
    page = await sdk.run(lambda client: client.models.list)
    listed = {model.id: model for model in page.data}
    assert {MODEL, "gemini-2.5-pro", "gemini-2.5-flash-thinking", "gemini-2-5-flash-image"} <= listed.keys()
    assert all(model.object == "model" and model.created > 0 and model.owned_by for model in page.data)
    one = await sdk.run(lambda client: client.models.retrieve, model=MODEL)
    assert one == listed[MODEL]


async def test_a_model_is_found_by_any_of_its_names(sdk: Sdk) -> None:
    for name in ("gemini-2-5-flash", "gemini-3.5-flash-high", "models/gemini-2.5-pro", "google/gemini-2.5-pro"):
        one = await sdk.run(lambda client: client.models.retrieve, model=name)
        assert one.id == name


async def test_a_model_nobody_knows_is_not_found(sdk: Sdk) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        await sdk.run(lambda client: client.models.retrieve, model="no-such-model")
    assert caught.value.code == "model_not_found"


# -- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
async def test_a_wrong_key_is_an_authentication_error(house: House, stream: bool) -> None:
    async with AsyncOpenAI(api_key="sk-wrong", base_url=house.url, max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError) as caught:
            await client.chat.completions.create(**asked("Hello", {"stream": stream}))
    assert (caught.value.status_code, caught.value.code) == (401, "invalid_api_key")
    assert caught.value.type == "authentication_error"
    assert house.simulator.stats.requests == 0


async def test_an_unknown_model_is_a_not_found_error(sdk: Sdk) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        await sdk.create("Hello", model="no-such-model")
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    assert caught.value.request_id is not None


async def test_a_value_out_of_bounds_is_a_bad_request_that_names_it(sdk: Sdk, house: House) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await sdk.create("Hello", temperature=3)
    assert (caught.value.param, caught.value.type) == ("temperature", "invalid_request_error")
    assert house.simulator.stats.requests == 0


async def test_a_rate_limit_says_when_to_come_back(sdk: Sdk) -> None:
    with pytest.raises(openai.RateLimitError) as caught:
        await sdk.create("Hello [[sim:429]]")
    assert caught.value.response.headers["retry-after"] == "34"
    assert caught.value.response.headers["x-upstream-status"] == "429"
    assert (caught.value.code, caught.value.type) == ("rate_limit_exceeded", "rate_limit_error")


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("500", 500, "internal_error"),
        ("503", 503, "overloaded"),
        ("504", 504, "timeout"),
        ("html-502", 502, "bad_gateway"),
        ("garbage", 502, "bad_gateway"),
        ("cut-before", 502, "upstream_incomplete"),
        ("malformed", 502, "upstream_malformed_output"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_provider_that_fails_is_a_typed_server_error(
    sdk: Sdk, fault: str, status: int, code: str, stream: bool
) -> None:
    with pytest.raises(openai.InternalServerError) as caught:
        await (sdk.stream if stream else sdk.create)(f"Hello [[sim:{fault}]]")
    assert (caught.value.status_code, caught.value.code) == (status, code)


@pytest.mark.parametrize(("fault", "code"), [("400", "invalid_value"), ("context", "context_length_exceeded")])
async def test_what_the_provider_rejects_is_a_bad_request(sdk: Sdk, house: House, fault: str, code: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await sdk.create(f"Hello [[sim:{fault}]]")
    assert caught.value.code == code
    assert house.simulator.stats.requests == 1


async def test_no_provider_fault_is_ever_told_as_the_callers_authentication(sdk: Sdk) -> None:
    """One 401 or 403 in passing makes clients shut their own key out (clients.md 1)."""
    async with open_house(Script(fails(403, "PERMISSION_DENIED"))) as refused:
        client = Sdk(refused, "async")
        with pytest.raises(openai.InternalServerError) as caught:
            await client.create("Hello")
        await client.close()
    assert caught.value.code == "upstream_auth"


async def test_a_blocked_prompt_is_a_refusal(sdk: Sdk) -> None:
    completion = await sdk.create("Hello [[sim:block=SAFETY]]")
    assert completion.choices[0].finish_reason == "content_filter"
    assert completion.choices[0].message.refusal


async def test_an_answer_in_pieces_that_fails_in_the_middle_raises(sdk: Sdk) -> None:
    with pytest.raises(openai.APIError) as caught:
        await sdk.stream("Hello [[sim:words=200]][[sim:cut=3]]")
    assert caught.value.code == "upstream_incomplete"


async def test_a_provider_of_another_version_is_understood() -> None:
    """What Google has not documented yet is no reason to fail."""
    body = says("Hi", futureField={"a": 1})
    body["candidates"][0]["newThing"] = [1]
    async with open_house(Script(answers(body))) as house:
        client = Sdk(house, "async")
        assert (await client.create("Hello")).choices[0].message.content == "Hi"
        assert joined(await client.stream("Hello")) == "Hi"
        await client.close()

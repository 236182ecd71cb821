"""Examples as a developer would paste them, through the official Anthropic SDK, on models of three vendors."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic, AsyncAnthropic
from pydantic import BaseModel

from gateway.house import KEY, House, Json
from sdk import files

MODELS = ["gemini-3.5-flash", "gpt-5.5", "claude-sonnet-4-6"]
every = pytest.mark.parametrize("model", MODELS)


@pytest.fixture(scope="module")
def house(house_of_all: House) -> House:
    return house_of_all


@pytest.fixture(scope="module")
def client(house: House) -> Iterator[Anthropic]:
    with Anthropic(api_key=KEY, base_url=f"http://127.0.0.1:{house.port}", max_retries=0) as client:
        yield client


def asking(text: Any, model: str, **more: Any) -> Any:
    return {"model": model, "max_tokens": 4096, "messages": [{"role": "user", "content": text}], **more}


def text_of(message: Any) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


# -- tools that the SDK runs ------------------------------------------------------------------------------------------


@every
def test_a_runner_of_tools_goes_on_without_a_thread(client: Anthropic, model: str) -> None:
    """It sends only what is new unless it is told that nobody holds the rest."""
    asked: list[str] = []

    @anthropic.beta_tool
    def weather(city: str) -> str:
        """The weather in a city."""
        asked.append(city)
        return f"Sunny in {city}"

    runner = client.beta.messages.tool_runner(**asking("What is the weather in Paris?", model), tools=[weather])
    messages = list(runner)
    assert [message.stop_reason for message in messages] == ["tool_use", "end_turn"]
    assert len(asked) == 1
    assert f"Sunny in {asked[0]}" in text_of(messages[-1])


# -- messages --------------------------------------------------------------------------------------------------------


@every
def test_a_message(client: Anthropic, model: str) -> None:
    message = client.messages.create(**asking("Hello!", model, system="You are helpful."))
    assert (message.role, message.stop_reason, message.model) == ("assistant", "end_turn", model)
    assert text_of(message) == '[simulated] You said: "Hello!"'
    assert message.usage.input_tokens > 0
    assert message.usage.output_tokens > 0


@every
def test_many_at_once(house: House, model: str) -> None:
    async def main() -> list[str]:
        async with AsyncAnthropic(api_key=KEY, base_url=f"http://127.0.0.1:{house.port}") as client:

            async def ask(number: int) -> str:
                return text_of(await client.messages.create(**asking(f"Question {number}", model)))

            return await asyncio.gather(*(ask(number) for number in range(4)))

    assert asyncio.run(main()) == [f'[simulated] You said: "Question {number}"' for number in range(4)]


@every
def test_a_stream_ends_as_the_whole_message(client: Anthropic, model: str) -> None:
    with client.messages.stream(**asking("Hello!", model)) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == text_of(final) == '[simulated] You said: "Hello!"'
    assert (final.stop_reason, final.model) == ("end_turn", model)
    assert final.usage.output_tokens > 0


@every
def test_a_stream_read_asynchronously(house: House, model: str) -> None:
    async def main() -> str:
        address = f"http://127.0.0.1:{house.port}"
        async with (
            AsyncAnthropic(api_key=KEY, base_url=address) as client,
            client.messages.stream(**asking("Hello!", model)) as stream,
        ):
            return "".join([text async for text in stream.text_stream])

    assert asyncio.run(main()) == '[simulated] You said: "Hello!"'


# -- tools -----------------------------------------------------------------------------------------------------------


def tool(name: str) -> Json:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    return {"name": name, "description": f"{name} of a city.", "input_schema": schema}


TOOLS: list[Any] = [tool("get_weather"), tool("get_time")]
RESULTS = {"get_weather": {"temperature": 21}, "get_time": {"time": "12:30"}}


def answered(message: Any) -> Json:
    """The next message of the caller: a result for each call."""
    results = [
        {"type": "tool_result", "tool_use_id": block.id, "content": json.dumps(RESULTS[block.name])}
        for block in message.content
        if block.type == "tool_use"
    ]
    return {"role": "user", "content": results}


@every
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("thinking", [False, True], ids=["plain", "thinking"])
def test_a_tool_loop_with_parallel_calls(client: Anthropic, model: str, stream: bool, thinking: bool) -> None:
    """Blocks go back as they came, those of thinking among them."""
    more: Json = {"thinking": {"type": "enabled", "budget_tokens": 1024}} if thinking else {}
    messages: list[Any] = [{"role": "user", "content": "get_weather and get_time please"}]
    stops = []
    for _ in range(4):
        asked: Any = {"model": model, "max_tokens": 4096, "messages": messages, "tools": TOOLS, **more}
        if stream:
            with client.messages.stream(**asked) as events:
                message: Any = events.get_final_message()
        else:
            message = client.messages.create(**asked)
        messages.append({"role": "assistant", "content": message.content})
        stops.append(message.stop_reason)
        if message.stop_reason != "tool_use":
            break
        assert {block.name for block in message.content if block.type == "tool_use"} == {"get_weather", "get_time"}
        messages.append(answered(message))
    assert stops == ["tool_use", "end_turn"]
    assert "21" in text_of(message)
    assert "12:30" in text_of(message)


def test_a_conversation_with_tools_moves_between_models(client: Anthropic) -> None:
    messages: list[Any] = []
    for model in [*MODELS, MODELS[0]]:
        messages.append({"role": "user", "content": "get_weather and get_time please"})
        for _ in range(2):
            message = client.messages.create(
                model=model,
                max_tokens=4096,
                messages=messages,
                tools=TOOLS,
                thinking={"type": "enabled", "budget_tokens": 1024},
            )
            messages.append({"role": "assistant", "content": message.content})
            if message.stop_reason == "tool_use":
                messages.append(answered(message))
        assert message.stop_reason == "end_turn"
        assert "12:30" in text_of(message)


# -- thinking --------------------------------------------------------------------------------------------------------


@every
def test_thinking_is_shown(client: Anthropic, model: str) -> None:
    thinking = {"type": "enabled", "budget_tokens": 1024}
    message = client.messages.create(**asking("Why is the sky blue?", model, thinking=thinking))
    thoughts = [block for block in message.content if block.type == "thinking"]
    assert any(block.thinking for block in thoughts)
    assert message.content[-1].type == "text"
    with client.messages.stream(**asking("Why is the sky blue?", model, thinking=thinking)) as stream:
        kinds = [block.type for block in stream.get_final_message().content]
    # The seal of the text comes after it in a stream, and before it in a whole answer.
    shown = [kind for kind in kinds if kind != "redacted_thinking"]
    assert shown == [block.type for block in message.content if block.type != "redacted_thinking"]


@every
def test_thinking_that_is_omitted_is_empty(client: Anthropic, model: str) -> None:
    thinking = {"type": "enabled", "budget_tokens": 1024, "display": "omitted"}
    message = client.messages.create(**asking("Why is the sky blue?", model, thinking=thinking))
    assert [block.thinking for block in message.content if block.type == "thinking" and block.thinking] == []
    assert text_of(message)


# -- files -----------------------------------------------------------------------------------------------------------


@every
@pytest.mark.parametrize(
    ("kind", "mime", "data"),
    [("image", "image/png", files.png()), ("document", "application/pdf", files.pdf())],
    ids=["picture", "pdf"],
)
def test_a_file(client: Anthropic, model: str, kind: str, mime: str, data: bytes) -> None:
    source = {"type": "base64", "media_type": mime, "data": files.base64_of(data)}
    message = client.messages.create(
        **asking([{"type": kind, "source": source}, {"type": "text", "text": "What is this?"}], model)
    )
    assert f"I received {mime}" in text_of(message)


# -- formats ---------------------------------------------------------------------------------------------------------


class CalendarEvent(BaseModel):
    name: str
    participants: list[str]


@every
def test_structured_output(client: Anthropic, model: str) -> None:
    message = client.messages.parse(**asking("Alice and Bob go to a fair.", model), output_format=CalendarEvent)
    assert isinstance(message.parsed_output, CalendarEvent)


# -- tokens and models -----------------------------------------------------------------------------------------------


@every
def test_tokens_are_counted(client: Anthropic, model: str) -> None:
    def count(text: str) -> int:
        return client.messages.count_tokens(model=model, messages=[{"role": "user", "content": text}]).input_tokens

    assert 0 < count("Hello") < count("Hello " * 200)


def test_models_are_listed_page_by_page(client: Anthropic) -> None:
    page = client.models.list(limit=3)
    assert len(page.data) == 3
    assert page.has_next_page()
    names = [model.id for model in client.models.list(limit=20)]
    assert len(names) == len(set(names))
    assert set(MODELS) <= set(names)


@every
def test_a_model_is_found(client: Anthropic, model: str) -> None:
    assert client.models.retrieve(model).id == model


# -- what goes wrong -------------------------------------------------------------------------------------------------


def test_a_wrong_model_is_not_found(client: Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError) as caught:
        client.messages.create(**asking("Hello!", "claude-99"))
    assert caught.value.type == "not_found_error"


def test_a_wrong_key_does_not_authenticate(house: House) -> None:
    address = f"http://127.0.0.1:{house.port}"
    with (
        Anthropic(api_key="sk-wrong", base_url=address, max_retries=0) as client,
        pytest.raises(anthropic.AuthenticationError) as caught,
    ):
        client.messages.create(**asking("Hello!", MODELS[0]))
    assert caught.value.type == "authentication_error"


@every
@pytest.mark.parametrize(
    "more", [{"messages": [{"role": "robot", "content": "Hi"}]}, {"extra_body": {"temperature": "warm"}}]
)
def test_a_bad_request_is_told_as_one(client: Anthropic, model: str, more: Json) -> None:
    with pytest.raises(anthropic.BadRequestError) as caught:
        client.messages.create(**{**asking("Hello!", model), **more})
    assert caught.value.type == "invalid_request_error"
